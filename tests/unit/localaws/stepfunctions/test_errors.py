"""Retry and Catch: what is tried again after how long, and where an error goes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.stepfunctions.errors import matches
from localaws.stepfunctions.retry import Retries

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:"


def machine(retry=(), catch=(), *, function="fail", language="JSONata", **states):
    """A machine with one call of a function, and what it may catch to."""
    call = {
        "Type": "Task",
        "Resource": FUNCTION + function,
        "Retry": list(retry),
        "Catch": list(catch),
        "End": True,
    }
    return {"QueryLanguage": language, "StartAt": "Call", "States": {"Call": call, **states}}


@pytest.mark.parametrize(
    ("error", "names", "expected"),
    [
        ("E", ["E"], True),
        ("E", ["F"], False),
        ("E", ["States.ALL"], True),
        ("E", ["States.TaskFailed"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.Timeout", ["States.ALL"], True),
        ("States.HeartbeatTimeout", ["States.Timeout"], True),
        ("States.Runtime", ["States.ALL"], False),
        ("States.Runtime", ["States.Runtime"], False),
        ("States.DataLimitExceeded", ["States.ALL"], False),
        ("States.DataLimitExceeded", ["States.DataLimitExceeded"], True),
        ("States.QueryEvaluationError", ["States.ALL"], True),
    ],
)
def test_error_names_match(error, names, expected):
    """The wildcards take all but what AWS exempts."""
    assert matches(error, names) is expected


def test_a_retrier_backs_off_up_to_its_limit():
    """IntervalSeconds times BackoffRate, at most MaxDelaySeconds, MaxAttempts times."""
    retries = Retries(
        [
            {
                "ErrorEquals": ["E"],
                "IntervalSeconds": 2,
                "BackoffRate": 3,
                "MaxAttempts": 4,
                "MaxDelaySeconds": 20,
            }
        ]
    )
    assert [retries.delay_after("E") for _ in range(5)] == [2, 6, 18, 20, None]


def test_each_retrier_counts_its_own_attempts_with_defaults():
    """Three attempts after 1, 2 and 4 seconds; an error that none takes has no second attempt."""
    retries = Retries([{"ErrorEquals": ["E"]}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 0}])
    assert [retries.delay_after("E") for _ in range(4)] == [1, 2, 4, None]
    assert retries.delay_after("F") is None


@given(st.integers(1, 100), st.floats(1, 1e300), st.integers(0, 2000))
def test_no_backoff_is_too_large_to_compute(interval, rate, attempts):
    """Full jitter stays between nothing and the most."""
    pace = {"IntervalSeconds": interval, "BackoffRate": rate, "MaxDelaySeconds": 50, "JitterStrategy": "FULL"}
    retries = Retries([{"ErrorEquals": ["E"], "MaxAttempts": attempts, **pace}])
    delays = [retries.delay_after("E") for _ in range(min(attempts, 30))]
    assert all(0 <= delay <= 50 for delay in delays)


def test_a_task_is_tried_again_until_it_succeeds(aws):
    """After the pauses of its retrier, with an event for each attempt, and the count in the context."""
    definition = machine([{"ErrorEquals": ["BadColumn"], "IntervalSeconds": 5}], function="flaky")
    definition["States"]["Call"]["Arguments"] = {"try": "{% $states.context.State.RetryCount %}"}
    execution = aws.start(definition)
    assert json.loads(aws.ended(execution)["output"]) == {"try": 2}
    assert aws.pauses == [5, 10]
    assert aws.types(execution).count("LambdaFunctionFailed") == 2
    assert aws.types(execution).count("TaskStateEntered") == 1


def test_an_error_that_is_not_caught_fails_the_execution_with_its_name_and_cause(aws):
    """The cause of a Lambda function's error is its payload."""
    execution = aws.start(machine())
    found = aws.ended(execution)
    assert (found["status"], found["error"]) == ("FAILED", "BadColumn")
    assert json.loads(found["cause"]) == {"errorType": "BadColumn", "errorMessage": "column 3 is text"}
    assert aws.types(execution)[-2:] == ["LambdaFunctionFailed", "ExecutionFailed"]


def test_jsonata_catches_with_the_error_output(aws):
    """The catcher's Output and Assign see `$states.errorOutput`; the first that matches is taken."""
    catch = [
        {"ErrorEquals": ["Other"], "Next": "Not"},
        {
            "ErrorEquals": ["States.TaskFailed"],
            "Next": "Told",
            "Assign": {"cause": "{% $parse($states.errorOutput.Cause).errorMessage %}"},
            "Output": {"error": "{% $states.errorOutput.Error %}", "in": "{% $states.input.x %}"},
        },
    ]
    told = {"Type": "Pass", "Output": ["{% $states.input %}", "{% $cause %}"], "End": True}
    definition = machine(catch=catch, Told=told, Not={"Type": "Succeed"})
    assert aws.output(definition, {"x": 1}) == [{"error": "BadColumn", "in": 1}, "column 3 is text"]


def test_jsonpath_catches_beside_the_input(aws):
    """ResultPath places the error output in the raw input."""
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Told", "ResultPath": "$.error"}]
    found = aws.output(machine(catch=catch, language="JSONPath", Told={"Type": "Succeed"}), {"x": 1})
    assert found["x"] == 1
    assert found["error"]["Error"] == "BadColumn"


def test_a_failed_expression_is_caught_and_told_in_the_history(aws):
    """EvaluationFailed names error, place and state; the cause says in which state it happened."""
    definition = machine(
        catch=[{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Z"}], Z={"Type": "Succeed"}
    )
    definition["States"]["Call"]["Arguments"] = {"a": "{% $states.input.nope %}"}
    execution = aws.start(definition)
    found = aws.ended(execution)
    cause = json.loads(found["output"])["Cause"]
    assert cause.startswith(
        "An error occurred while executing the state 'Call' (entered at the event id #2). "
    )
    failed = next(event for event in aws.events(execution) if event["type"] == "EvaluationFailed")
    assert failed["evaluationFailedEventDetails"] == {
        "error": "States.QueryEvaluationError",
        "cause": cause,
        "location": "Arguments/a",
        "state": "Call",
    }


def test_parallel_is_tried_again_as_a_whole(aws):
    """A Retry on Parallel runs all its branches once more."""
    branch = {"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": FUNCTION + "flaky", "End": True}}}
    parallel = {
        "Type": "Parallel",
        "Branches": [branch],
        "Retry": [{"ErrorEquals": ["States.ALL"]}],
        "End": True,
    }
    definition = {"StartAt": "P", "States": {"P": parallel}}
    assert aws.output(definition, {"x": 1}) == [{"x": 1}]
    assert aws.pauses == [1, 2]


def test_the_waiter_of_cdks_custom_resources_polls_until_it_is_done(aws):
    """Its definition retries on every error at an even pace, and calls another function when it gives up."""
    call = {"Type": "Task", "End": True}
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5, "MaxAttempts": 360, "BackoffRate": 1}]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "on-timeout"}]
    states = {
        "is-complete": {**call, "Resource": FUNCTION + "flaky", "Retry": retry, "Catch": catch},
        "on-timeout": {**call, "Resource": FUNCTION + "echo"},
    }
    assert aws.output({"StartAt": "is-complete", "States": states}, {"x": 1}) == {"x": 1}
    assert aws.pauses == [5, 5]
