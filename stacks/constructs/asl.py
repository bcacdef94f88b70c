"""The states of a workflow as plain data: Amazon States Language, with JSONata for what is computed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

State: TypeAlias = dict[str, Any]
States: TypeAlias = dict[str, State]

API = "arn:aws:states:::aws-sdk"

# Throttling and hiccups of a service; asking again does no harm.
RETRY = [
    {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 1,
        "MaxAttempts": 3,
        "BackoffRate": 2,
        "JitterStrategy": "FULL",
    }
]
# An error of the function's own code is none of these: it is an answer, not a hiccup.
RETRY_FUNCTION = [
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
        ],
        "IntervalSeconds": 1,
        "MaxAttempts": 4,
        "BackoffRate": 2,
        "JitterStrategy": "FULL",
    }
]


def jsonata(expression: str) -> str:
    """A value that is computed when the state runs."""
    return f"{{% {expression} %}}"


def literal(value: Any) -> str:
    """A value within an expression: JSONata writes its constants as JSON does."""
    return json.dumps(value)


def catch(next_state: str) -> list[State]:
    """Go on at `next_state` after any error, with the variable `failure` holding its error and cause."""
    return [
        {
            "ErrorEquals": ["States.ALL"],
            "Next": next_state,
            "Assign": {
                "failure": {
                    "error": jsonata("$states.errorOutput.Error"),
                    # Some errors come without a cause; `&` makes an empty text of what is missing.
                    "cause": jsonata("'' & $states.errorOutput.Cause"),
                }
            },
        }
    ]


def ignore(next_state: str) -> list[State]:
    """Go on at `next_state` after any error, which changes nothing."""
    return [{"ErrorEquals": ["States.ALL"], "Next": next_state}]


def task(
    resource: str,
    arguments: Mapping[str, Any],
    *,
    then: str,
    on_error: list[State],
    retry: list[State] = RETRY,
    assign: Mapping[str, Any] | None = None,
) -> State:
    """A call of AWS; its result is kept only in the variables of `assign`."""
    state: State = {
        "Type": "Task",
        "Resource": resource,
        "Arguments": dict(arguments),
        "Retry": retry,
        "Catch": on_error,
        "Next": then,
    }
    if assign:
        state["Assign"] = dict(assign)
    return state


def invoke(
    function_arn: str,
    payload: Mapping[str, Any],
    *,
    then: str,
    on_error: list[State],
    assign: Mapping[str, Any] | None = None,
) -> State:
    """A call of a Lambda function; its answer is `$states.result.Payload`."""
    return task(
        "arn:aws:states:::lambda:invoke",
        {"FunctionName": function_arn, "Payload": dict(payload)},
        then=then,
        on_error=on_error,
        retry=RETRY_FUNCTION,
        assign=assign,
    )


def assign(variables: Mapping[str, Any], *, then: str) -> State:
    """Set variables."""
    return {"Type": "Pass", "Assign": dict(variables), "Next": then}


def choice(*options: tuple[str, str], otherwise: str) -> State:
    """Go on at the state of the first option whose condition, a JSONata expression, holds."""
    return {
        "Type": "Choice",
        "Choices": [{"Condition": jsonata(condition), "Next": then} for condition, then in options],
        "Default": otherwise,
    }


def notify(topic_arn: str, subject: str, message: str, *, then: str) -> State:
    """Tell people; `subject` and `message` are JSONata. That nobody could be told fails nothing."""
    return task(
        "arn:aws:states:::sns:publish",
        {"TopicArn": topic_arn, "Subject": jsonata(subject), "Message": jsonata(message)},
        then=then,
        on_error=ignore(then),
    )


def failure_states(explain_arn: str, topic_arn: str, *, what: str, log_group: str, log_stream: str) -> States:
    """How every workflow ends that fails: explain, tell people, fail with the explanation as the cause.

    The first state, "Explain", takes the variable `failure`. `what` and `log_group` are text, `log_stream`
    (how the name of the log's stream begins) is JSONata.
    """
    # Without the function's explanation, the bare failure is told.
    bare = {
        "error": jsonata("$failure.error"),
        "text": jsonata("$failure.cause"),
        "subject": f"[atelier] {what} failed",
        "message": jsonata("$failure.error & ': ' & $failure.cause"),
    }
    payload = {
        "what": what,
        "execution": jsonata("$states.context.Execution.Id"),
        "error": jsonata("$failure.error"),
        "cause": jsonata("$failure.cause"),
        "logGroup": log_group,
        "logStream": jsonata(log_stream),
    }
    unexplained = {
        "ErrorEquals": ["States.ALL"],
        "Next": "Tell of the failure",
        "Assign": {"explained": bare},
    }
    return {
        "Explain": invoke(
            explain_arn,
            payload,
            then="Tell of the failure",
            on_error=[unexplained],
            assign={"explained": jsonata("$states.result.Payload")},
        ),
        "Tell of the failure": notify(
            topic_arn, "$explained.subject", "$explained.message", then="Failed with a reason"
        ),
        "Failed with a reason": {
            "Type": "Fail",
            "Error": jsonata("$explained.error"),
            "Cause": jsonata("$explained.text"),
        },
    }
