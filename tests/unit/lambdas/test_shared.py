"""What the functions share: logs that can be queried, tables that fit."""

from __future__ import annotations

import json
import logging

from hypothesis import given
from hypothesis import strategies as st

from lambdas.shared.compact import pack, unpack
from lambdas.shared.logs import JsonFormatter, Log

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
