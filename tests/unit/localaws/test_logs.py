"""CloudWatch Logs as its readers use it, through the gateway."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from localaws.server import Server


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A client, and a group with two streams of log lines."""
    folder = tmp_path_factory.mktemp("logs")
    server = Server(folder / "data", folder / "cache")
    server.start()
    client = server.world.client("logs", "777788889999", "eu-west-1")
    client.create_log_group(logGroupName="/jobs")
    for stream, lines in {
        "first/algo-1": ["epoch 1 loss=0.5", "WARN slow disk", "epoch 2 loss=0.25", 'say "done" now'],
        "second/algo-1": ["epoch 1 loss=0.9", "ERROR out of memory"],
    }.items():
        client.create_log_stream(logGroupName="/jobs", logStreamName=stream)
        client.put_log_events(
            logGroupName="/jobs",
            logStreamName=stream,
            logEvents=[{"timestamp": now() + number, "message": line} for number, line in enumerate(lines)],
        )
    yield client
    server.stop()


def now():
    """A time that PutLogEvents takes."""
    return int(time.time()) * 1000


def found(logs, **search):
    """The messages that a search finds."""
    return [event["message"] for event in logs.filter_log_events(logGroupName="/jobs", **search)["events"]]


@pytest.mark.parametrize(
    ("search", "count"),
    [
        ({}, 6),
        ({"logStreamNamePrefix": "first/"}, 4),
        ({"logStreamNames": ["second/algo-1"]}, 2),
        ({"filterPattern": "epoch"}, 3),
        ({"filterPattern": "epoch 1"}, 2),
        ({"filterPattern": '"epoch 1"'}, 2),
        ({"filterPattern": '"1 epoch"'}, 0),
        ({"filterPattern": "Epoch"}, 0),
        ({"filterPattern": "?ERROR ?WARN"}, 2),
        ({"filterPattern": "-epoch"}, 3),
        ({"filterPattern": 'epoch -"loss=0.9"'}, 2),
        ({"filterPattern": '"say \\"done\\""'}, 1),
        ({"endTime": 5}, 0),
    ],
)
def test_a_search_finds_what_matches(logs, search, count):
    """Streams by name or prefix, terms, phrases, alternatives, exclusions, times."""
    assert len(found(logs, **search)) == count


def test_a_search_goes_on_page_by_page(logs):
    """Every event once and by time, whatever the size of a page, also when more are written meanwhile."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/jobs", PaginationConfig={"PageSize": 2}
    )
    events = []
    for number, page in enumerate(pages):
        events += page["events"]
        if number == 0:
            logs.put_log_events(
                logGroupName="/jobs",
                logStreamName="second/algo-1",
                logEvents=[{"timestamp": now() + 3_600_000, "message": "late"}],
            )
    assert len(events) == len({event["eventId"] for event in events}) == 7
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    assert events[-1]["message"] == "late"


def test_a_group_has_an_arn(logs):
    """As other services give it."""
    arn = "arn:aws:logs:eu-west-1:777788889999:log-group:/jobs:*"
    assert logs.filter_log_events(logGroupIdentifier=arn, filterPattern="WARN")["events"]


@pytest.mark.parametrize(
    ("search", "code"),
    [
        ({"logGroupName": "/none"}, "ResourceNotFoundException"),
        ({"filterPattern": '{ $.level = "ERROR" }'}, "NotEmulated"),
        ({"filterPattern": "[a, b]"}, "NotEmulated"),
        ({"filterPattern": '"open'}, "InvalidParameterException"),
        ({"nextToken": "x"}, "InvalidParameterException"),
        ({"logStreamNames": ["a"], "logStreamNamePrefix": "a"}, "InvalidParameterException"),
    ],
)
def test_a_search_that_cannot_be_done_is_refused(logs, search, code):
    """Rather than finding everything or nothing."""
    with pytest.raises(ClientError) as error:
        logs.filter_log_events(**{"logGroupName": "/jobs", **search})
    assert error.value.response["Error"]["Code"] == code


def test_a_reader_follows_a_stream(logs):
    """GetLogEvents from the head, with the forward token: nothing twice, nothing lost."""
    logs.create_log_stream(logGroupName="/jobs", logStreamName="third")
    where = {"logGroupName": "/jobs", "logStreamName": "third", "startFromHead": True}

    def write(*lines):
        logs.put_log_events(
            logGroupName="/jobs",
            logStreamName="third",
            logEvents=[{"timestamp": now(), "message": line} for line in lines],
        )

    write("a", "b", "c")
    first = logs.get_log_events(**where, limit=2)
    second = logs.get_log_events(**where, nextToken=first["nextForwardToken"])
    end = logs.get_log_events(**where, nextToken=second["nextForwardToken"])
    assert end["nextForwardToken"] == second["nextForwardToken"]
    write("d")
    last = logs.get_log_events(**where, nextToken=end["nextForwardToken"])
    lines = [event["message"] for page in (first, second, end, last) for event in page["events"]]
    assert lines == ["a", "b", "c", "d"]
