"""The API: names, lists, stopping, revisions, tags, deletion, and what is not emulated."""

from __future__ import annotations

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

DONE = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
# 60 seconds of pause really wait; without a pause the second state is entered.
TWO_WAITS = {
    "StartAt": "W",
    "States": {"W": {"Type": "Wait", "Seconds": 0, "Next": "X"}, "X": WAIT["States"]["W"]},
}


def code_of(call, **params):
    """The error code that a call answers."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Code"]


def test_the_same_name_and_input_is_the_same_execution_while_it_runs(aws):
    """Another input, or the same after its end, is ExecutionAlreadyExists."""
    arn = aws.create(WAIT)
    first = aws.states.start_execution(stateMachineArn=arn, name="run", input='{"a":1}')
    again = aws.states.start_execution(stateMachineArn=arn, name="run", input='{"a":1}')
    assert again["executionArn"] == first["executionArn"]
    start = aws.states.start_execution
    assert code_of(start, stateMachineArn=arn, name="run", input='{"a":2}') == "ExecutionAlreadyExists"
    aws.states.stop_execution(executionArn=first["executionArn"])
    assert code_of(start, stateMachineArn=arn, name="run", input='{"a":1}') == "ExecutionAlreadyExists"
    other = aws.create(DONE, "other")
    assert start(stateMachineArn=other, name="run", input='{"a":1}')["executionArn"] != first["executionArn"]


def test_many_starts_at_once_are_one_execution(aws):
    """Twenty deliveries of the same event start one run."""
    arn = aws.create(WAIT)
    found = []

    def start():
        found.append(aws.states.start_execution(stateMachineArn=arn, name="run", input="{}")["executionArn"])

    threads = [threading.Thread(target=start) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert len(set(found)) == 1
    assert len(aws.states.list_executions(stateMachineArn=arn)["executions"]) == 1


def test_stop_aborts_at_once_with_error_and_cause(aws):
    """A Wait of an hour ends; the history says what was interrupted."""
    execution = aws.start(WAIT)
    aws.until(execution, "WaitStateEntered")
    begun = time.monotonic()
    stopped = aws.states.stop_execution(executionArn=execution, error="E", cause="c")
    assert time.monotonic() - begun < 2
    found = aws.states.describe_execution(executionArn=execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "E", "c")
    assert found["stopDate"] == stopped["stopDate"]
    assert aws.types(execution)[-2:] == ["WaitStateAborted", "ExecutionAborted"]


def test_hundreds_of_waiting_executions_are_cheap(aws):
    """They start, and list in pages, newest first."""
    arn = aws.create(WAIT)
    for number in range(150):
        aws.states.start_execution(stateMachineArn=arn, name=f"run-{number}")
    pages = aws.states.get_paginator("list_executions").paginate(
        stateMachineArn=arn, statusFilter="RUNNING", PaginationConfig={"PageSize": 40}
    )
    names = [execution["name"] for page in pages for execution in page["executions"]]
    assert names == [f"run-{number}" for number in reversed(range(150))]


def test_the_end_of_the_server_ends_every_execution(aws_to_stop):
    """No thread of theirs is left soon after."""
    arn = aws_to_stop.create(WAIT)
    for number in range(20):
        aws_to_stop.states.start_execution(stateMachineArn=arn, name=f"stopped-{number}")
    aws_to_stop.world.close()
    aws_to_stop.service.stop()
    end = time.monotonic() + 5
    while any(thread.name.startswith("stepfunctions-stopped-") for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_executions_are_listed_by_status(aws):
    """The filter takes one status."""
    arn = aws.create(DONE)
    ended = aws.states.start_execution(stateMachineArn=arn)["executionArn"]
    aws.ended(ended)
    listed = aws.states.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"]
    assert [execution["executionArn"] for execution in listed] == [ended]
    assert aws.states.list_executions(stateMachineArn=arn, statusFilter="FAILED")["executions"] == []


def test_history_comes_in_pages_and_in_reverse(aws):
    """Page after page gives every event once."""
    execution = aws.start(DONE)
    aws.ended(execution)
    ids = [event["id"] for event in aws.events(execution)]
    assert ids == [1, 2, 3, 4]
    pages = aws.states.get_paginator("get_execution_history").paginate(
        executionArn=execution, reverseOrder=True, PaginationConfig={"PageSize": 3}
    )
    assert [event["id"] for page in pages for event in page["events"]] == [4, 3, 2, 1]
    bare = aws.states.get_execution_history(executionArn=execution, includeExecutionData=False)["events"]
    assert bare[1]["stateEnteredEventDetails"] == {"name": "A"}


def test_metadata_come_without_data(aws):
    """METADATA_ONLY leaves definition, input and output out."""
    execution = aws.start(DONE)
    aws.ended(execution)
    found = aws.states.describe_execution(executionArn=execution, includedData="METADATA_ONLY")
    assert not {"input", "output"} & found.keys()
    assert found["outputDetails"] == {"included": False}
    arn = found["stateMachineArn"]
    described = aws.states.describe_state_machine(stateMachineArn=arn, includedData="METADATA_ONLY")
    assert "definition" not in described


def test_creating_the_same_again_answers_the_same(aws):
    """Another definition under the name is refused."""
    arn = aws.create(DONE)
    assert aws.create(DONE) == arn
    with pytest.raises(aws.states.exceptions.StateMachineAlreadyExists):
        aws.create(WAIT)


def test_an_update_leaves_running_executions_with_their_definition(aws):
    """New executions get the new one."""
    execution = aws.start(WAIT)
    arn = aws.states.describe_execution(executionArn=execution)["stateMachineArn"]
    before = aws.states.describe_state_machine(stateMachineArn=arn)["revisionId"]
    after = aws.states.update_state_machine(stateMachineArn=arn, definition=json.dumps(DONE))["revisionId"]
    assert before != after
    described = aws.states.describe_state_machine_for_execution(executionArn=execution)
    assert json.loads(described["definition"]) == WAIT
    assert aws.ended(aws.states.start_execution(stateMachineArn=arn)["executionArn"])["status"] == "SUCCEEDED"
    assert aws.states.describe_execution(executionArn=execution)["status"] == "RUNNING"


def test_an_update_with_a_wrong_definition_changes_nothing(aws):
    """It is refused as a whole."""
    arn = aws.create(DONE)
    wrong = json.dumps({"StartAt": "B", "States": DONE["States"]})
    assert (
        code_of(aws.states.update_state_machine, stateMachineArn=arn, definition=wrong) == "InvalidDefinition"
    )
    assert json.loads(aws.states.describe_state_machine(stateMachineArn=arn)["definition"]) == DONE


def test_deleting_waits_for_what_runs(aws):
    """DELETING takes no new execution; the last one that ends takes the state machine with it."""
    execution = aws.start(TWO_WAITS)
    arn = aws.states.describe_execution(executionArn=execution)["stateMachineArn"]
    aws.until(execution, "WaitStateExited")
    aws.states.delete_state_machine(stateMachineArn=arn)
    assert aws.states.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING"
    assert code_of(aws.states.start_execution, stateMachineArn=arn) == "StateMachineDeleting"
    aws.states.stop_execution(executionArn=execution)
    assert code_of(aws.states.describe_state_machine, stateMachineArn=arn) == "StateMachineDoesNotExist"
    aws.states.delete_state_machine(stateMachineArn=arn)


def test_an_execution_of_a_deleted_machine_ends_at_its_next_transition(aws):
    """It is aborted, and the machine is gone."""
    function = "arn:aws:lambda:eu-west-1:111122223333:function:slow"
    states = {"T": {"Type": "Task", "Resource": function, "Next": "A"}, "A": {"Type": "Succeed"}}
    execution = aws.start({"StartAt": "T", "States": states})
    arn = aws.states.describe_execution(executionArn=execution)["stateMachineArn"]
    aws.until(execution, "LambdaFunctionStarted")
    aws.states.delete_state_machine(stateMachineArn=arn)
    aws.functions.release.set()
    end = time.monotonic() + 5
    while aws.states.list_state_machines()["stateMachines"]:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_tags_come_and_go(aws):
    """They are given at creation, added, and taken off."""
    arn = aws.create(DONE, tags=[{"key": "team", "value": "vision"}])
    aws.states.tag_resource(resourceArn=arn, tags=[{"key": "stage", "value": "dev"}])
    aws.states.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert aws.states.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "stage", "value": "dev"}]


def test_accounts_and_regions_do_not_see_each_other(aws):
    """A list holds the caller's own."""
    aws.create(DONE)
    other = aws.world.client("stepfunctions", "444455556666", "eu-west-1")
    assert other.list_state_machines()["stateMachines"] == []
    assert len(aws.states.list_state_machines()["stateMachines"]) == 1


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"input": "nope"}, "InvalidExecutionInput"),
        ({"input": "NaN"}, "InvalidExecutionInput"),
        ({"input": json.dumps("x" * 262_144)}, "InvalidExecutionInput"),
        ({"name": "a b"}, "InvalidName"),
        ({"name": "a" * 81}, "ValidationException"),
        (
            {"stateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:no"},
            "StateMachineDoesNotExist",
        ),
        ({"stateMachineArn": "arn:aws:s3:::bucket"}, "InvalidArn"),
        ({"stateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:no:1"}, "NotEmulated"),
    ],
)
def test_what_cannot_start_is_refused(aws, params, code):
    """By AWS's code for it."""
    arn = aws.create(DONE)
    assert code_of(aws.states.start_execution, **{"stateMachineArn": arn, **params}) == code


def test_a_state_machines_name_has_at_most_80_characters(aws):
    """A longer one is refused in AWS's words."""
    request = {"definition": json.dumps(DONE), "roleArn": "arn:aws:iam::111122223333:role/r"}
    aws.states.create_state_machine(name="a" * 80, **request)
    with pytest.raises(ClientError, match=r"at 'name' failed to satisfy .* less than or equal to 80"):
        aws.states.create_state_machine(name="a" * 81, **request)


def test_what_is_not_emulated_says_so(aws):
    """By name; nothing falls through to another implementation."""
    arn = aws.create(DONE)
    states = aws.states
    assert code_of(states.list_activities) == "NotEmulated"
    assert code_of(states.publish_state_machine_version, stateMachineArn=arn) == "NotEmulated"
    assert (
        code_of(states.redrive_execution, executionArn=arn.replace("stateMachine", "execution") + ":x")
        == "NotEmulated"
    )
    express = {
        "name": "express",
        "definition": json.dumps(DONE),
        "roleArn": "arn:aws:iam::111122223333:role/r",
    }
    assert code_of(states.create_state_machine, **express, type="EXPRESS") == "NotEmulated"


def test_start_and_end_are_told_to_eventbridge(aws, monkeypatch):
    """With AWS's source, detail type and detail."""
    told = []
    monkeypatch.setattr(
        "localaws.stepfunctions.announce.emit",
        lambda _world, account, region, **event: told.append((account, region, event)),
    )
    execution = aws.start(DONE, {"a": 1})
    aws.ended(execution)
    end = time.monotonic() + 5
    while len(told) < 2 and time.monotonic() < end:
        time.sleep(0.005)
    assert [event["detail"]["status"] for _, _, event in told] == ["RUNNING", "SUCCEEDED"]
    account, region, event = told[1]
    assert (account, region) == ("111122223333", "eu-west-1")
    assert (event["source"], event["detail_type"]) == ("aws.states", "Step Functions Execution Status Change")
    assert event["resources"] == [execution]
    assert event["detail"]["output"] == '{"a":1}'
    assert event["detail"]["stopDate"] >= event["detail"]["startDate"]


@pytest.mark.parametrize(
    ("level", "with_data", "expected"),
    [
        ("ALL", True, ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]),
        ("ERROR", False, ["ExecutionFailed"]),
        ("OFF", True, []),
    ],
)
def test_logging_writes_the_events_of_its_level(aws, level, with_data, expected):
    """One stream for an execution; data only when they are asked for."""
    logs = aws.client("logs")
    group = f"/aws/states/{level}"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:eu-west-1:111122223333:log-group:{group}:*"
    configuration = {
        "level": level,
        "includeExecutionData": with_data,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
    }
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}}
    machine = aws.create(failing, loggingConfiguration=configuration)
    aws.ended(aws.states.start_execution(stateMachineArn=machine)["executionArn"])
    messages = []
    end = time.monotonic() + (5 if expected else 0.5)
    while len(messages) < max(len(expected), 1) and time.monotonic() < end:
        time.sleep(0.02)
        messages = [
            json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=group)["events"]
        ]
    assert [message["type"] for message in messages] == expected
    assert all(
        ("input" in message["details"]) == (message["type"] != "ExecutionFailed")
        for message in messages
        if with_data
    )


def test_logging_needs_a_destination(aws):
    """InvalidLoggingConfiguration."""
    with pytest.raises(aws.states.exceptions.InvalidLoggingConfiguration):
        aws.create(DONE, loggingConfiguration={"level": "ALL"})
