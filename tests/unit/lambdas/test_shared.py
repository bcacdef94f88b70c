"""What the functions share: logs that can be queried, tables that fit, answers to CloudFormation."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.shared.compact import pack, unpack
from lambdas.shared.custom_resource import Continued, respond
from lambdas.shared.logs import JsonFormatter, Log

EVENT = {
    "RequestType": "Create",
    "ResponseURL": "https://answer.example/",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "Resource",
    "ResourceProperties": {},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_packing_loses_nothing(value):
    """What was packed comes out again, and the text is plain ASCII, as an environment variable must be."""
    assert unpack(pack(value)) == value
    assert pack(value).isascii()


def test_a_log_line_is_json_with_its_fields(capsys):
    """One line, one object, the fields beside the message."""
    record = logging.LogRecord("f", logging.INFO, __file__, 1, "started", None, None)
    record.fields = {"run": "curve-1"}
    entry = json.loads(JsonFormatter().format(record))
    assert entry == {"level": "INFO", "function": "f", "message": "started", "run": "curve-1"}


def test_a_failure_is_logged_with_its_traceback(caplog):
    """The traceback stands in one field, so that it stays one line."""
    log = Log("a_test_of_failures")
    log._logger.propagate = True
    log.failure("not done", RuntimeError("boom"), job="curve")
    (record,) = caplog.records
    entry = json.loads(JsonFormatter().format(record))
    assert entry["job"] == "curve"
    assert "RuntimeError: boom" in entry["traceback"]


@pytest.mark.parametrize(
    ("work", "status", "reason"),
    [(lambda: None, "SUCCESS", ""), (lambda: 1 / 0, "FAILED", "ZeroDivisionError: division by zero")],
)
def test_cloudformation_gets_an_answer_whatever_happens(work, status, reason):
    """Without one it would wait for an hour."""
    answers = []
    failure = respond(EVENT, "id", work, lambda *answer: answers.append(answer))
    [(url, answer)] = answers
    assert url == EVENT["ResponseURL"]
    assert (answer["Status"], answer["Reason"], answer["PhysicalResourceId"]) == (status, reason, "id")
    assert (failure is None) == (status == "SUCCESS")


def test_work_that_goes_on_elsewhere_is_answered_there():
    """Two answers would be one too many: CloudFormation takes the first."""
    answers = []

    def work():
        raise Continued

    assert respond(EVENT, "id", work, lambda *answer: answers.append(answer)) is None
    assert answers == []
