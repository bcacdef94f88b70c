"""From the `Resource` of a Task state to the task behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from localaws.stepfunctions.tasks.functions import FunctionTask
from localaws.stepfunctions.tasks.integration import IntegrationTask
from localaws.stepfunctions.tasks.jobs import waiting_for
from localaws.stepfunctions.tasks.sdk import Operation, optimised_operation, sdk_operation
from localaws.stepfunctions.tasks.task import Task, UnknownResource


@dataclass(frozen=True)
class Optimised:
    """An optimised integration of one service.

    `json_fields` take any JSON and send it as text; `callbacks` says whether `.waitForTaskToken` is known.
    """

    service: str
    prefix: str
    unmodelled: str
    actions: frozenset[str]
    json_fields: frozenset[str] = frozenset()
    callbacks: bool = False


_OPTIMISED: Mapping[str, Optimised] = {
    "dynamodb": Optimised(
        "dynamodb",
        "DynamoDB",
        "AmazonDynamoDBException",
        frozenset({"getItem", "putItem", "updateItem", "deleteItem"}),
    ),
    "events": Optimised(
        "events",
        "EventBridge",
        "AmazonEventBridgeException",
        frozenset({"putEvents"}),
        frozenset({"Detail"}),
        callbacks=True,
    ),
    "lambda": Optimised("lambda", "Lambda", "AWSLambdaException", frozenset({"invoke"}), callbacks=True),
    "sagemaker": Optimised(
        "sagemaker",
        "SageMaker",
        "AmazonSageMakerException",
        frozenset(
            {
                "createEndpoint",
                "createEndpointConfig",
                "createHyperParameterTuningJob",
                "createModel",
                "createProcessingJob",
                "createTrainingJob",
                "createTransformJob",
                "updateEndpoint",
            }
        ),
    ),
    "sns": Optimised(
        "sns", "SNS", "AmazonSNSException", frozenset({"publish"}), frozenset({"Message"}), callbacks=True
    ),
    "sqs": Optimised(
        "sqs",
        "SQS",
        "AmazonSQSException",
        frozenset({"sendMessage"}),
        frozenset({"MessageBody"}),
        callbacks=True,
    ),
    "states": Optimised(
        "stepfunctions",
        "StepFunctions",
        "AWSStepFunctionsException",
        frozenset({"startExecution"}),
        frozenset({"Input"}),
        callbacks=True,
    ),
}

_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]+:\d{12}:function:[^:]+(:[^:]+)?")
_INTEGRATION = re.compile(
    r"arn:[^:]+:states:::(?P<service>(aws-sdk:)?[^:.]+):(?P<action>[^:.]+)(\.(?P<pattern>.+))?"
)


def find_task(resource: str) -> Task:
    """The task that a `Resource` names; UnknownResource says why there is none."""
    if _FUNCTION.fullmatch(resource):
        return FunctionTask(resource, _operation(_OPTIMISED["lambda"], "invoke"))
    integration = _INTEGRATION.fullmatch(resource)
    if integration is None:
        raise UnknownResource(
            f"the Resource {resource!r} is neither the ARN of a Lambda function nor a service integration "
            "(arn:aws:states:::service:action)"
        )
    service, action, pattern = integration["service"], integration["action"], integration["pattern"]
    if service.startswith("aws-sdk:"):
        return _sdk_task(service, action, pattern)
    known = _OPTIMISED.get(service)
    if known is None or action not in known.actions:
        there_are = sorted(f"{name}:{act}" for name, entry in _OPTIMISED.items() for act in entry.actions)
        raise UnknownResource(
            f"the optimised integration {service}:{action} is not emulated; there are "
            f"{', '.join(there_are)}, and aws-sdk:<service>:<action>"
        )
    return _optimised_task(service, known, action, pattern)


def _operation(known: Optimised, action: str) -> Operation:
    return optimised_operation(known.service, action, known.prefix, known.unmodelled, known.json_fields)


def _named(action: str, pattern: str | None) -> str:
    return f"{action}.{pattern}" if pattern else action


def _sdk_task(service: str, action: str, pattern: str | None) -> Task:
    if pattern not in (None, "waitForTaskToken"):
        raise UnknownResource(f"an AWS SDK integration knows .waitForTaskToken, not .{pattern}")
    operation = sdk_operation(service.removeprefix("aws-sdk:"), action)
    return IntegrationTask(service, _named(action, pattern), operation, waits_for_token=pattern is not None)


def _optimised_task(service: str, known: Optimised, action: str, pattern: str | None) -> Task:
    operation = _operation(known, action)
    name = _named(action, pattern)
    if pattern is None:
        return IntegrationTask(service, name, operation)
    if pattern == "waitForTaskToken" and known.callbacks:
        return IntegrationTask(service, name, operation, waits_for_token=True)
    if pattern == "sync" or (pattern == "sync:2" and service == "states"):
        job = waiting_for(service, action, operation, parse_output=pattern == "sync:2")
        if job is not None:
            return IntegrationTask(service, name, operation, job)
    raise UnknownResource(f"the integration {service}:{action} does not know the pattern .{pattern}")
