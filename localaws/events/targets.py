"""How an event reaches each kind of target."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localaws.world import World


@dataclass(frozen=True)
class Parcel:
    """One event on its way to one target; `text` is what the target gets."""

    world: World
    account: str
    target: Mapping[str, Any]
    event: Mapping[str, Any]
    text: str

    @property
    def arn(self) -> str:
        """The target's ARN."""
        return str(self.target["Arn"])

    def client(self, service: str) -> Any:
        """A client in the target's region that acts as the rule's account."""
        return self.world.client(service, self.account, self.arn.split(":")[3])


def kind_of(arn: str) -> str | None:
    """The entry of `SENDERS` that a target's ARN asks for; None where there is none."""
    parts = arn.split(":", 5)
    if len(parts) != 6:  # noqa: PLR2004 -- the parts of an ARN
        return None
    service, resource = parts[2], parts[5]
    kind = {"events": resource.split("/")[0], "states": resource.split(":")[0]}.get(service, service)
    return kind if kind in SENDERS or kind == "event-bus" else None


def queue_url(client: Any, arn: str) -> str:
    """The URL of the queue with that ARN."""
    account, name = arn.split(":")[4:6]
    return str(client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"])


def _to_function(parcel: Parcel) -> None:
    parcel.client("lambda").invoke(FunctionName=parcel.arn, InvocationType="Event", Payload=parcel.text)


def _to_state_machine(parcel: Parcel) -> None:
    parcel.client("stepfunctions").start_execution(
        stateMachineArn=parcel.arn, name=f"{parcel.event['id']}_{uuid.uuid4()}", input=parcel.text
    )


def _to_queue(parcel: Parcel) -> None:
    client = parcel.client("sqs")
    group = parcel.target.get("SqsParameters", {}).get("MessageGroupId")
    client.send_message(
        QueueUrl=queue_url(client, parcel.arn),
        MessageBody=parcel.text,
        **({"MessageGroupId": group} if group else {}),
    )


def _to_topic(parcel: Parcel) -> None:
    parcel.client("sns").publish(TopicArn=parcel.arn, Message=parcel.text)


def _to_log_group(parcel: Parcel) -> None:
    client, group = parcel.client("logs"), parcel.arn.split(":")[6]
    stream = str(uuid.uuid4())
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    entry = {"timestamp": int(time.time() * 1000), "message": parcel.text}
    given = json.loads(parcel.text) if "InputTransformer" in parcel.target else None
    if isinstance(given, dict) and set(given) == {"timestamp", "message"}:
        entry = {"timestamp": int(given["timestamp"]), "message": str(given["message"])}
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[entry])


SENDERS: Mapping[str, Callable[[Parcel], None]] = {
    "lambda": _to_function,
    "stateMachine": _to_state_machine,
    "sqs": _to_queue,
    "sns": _to_topic,
    "logs": _to_log_group,
}
"""By kind of target; event buses are the business of `delivery`, which matches their rules."""

_NO_RESOURCE = frozenset({
    "ResourceNotFoundException", "StateMachineDoesNotExist", "NotFound", "NotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist",
})  # fmt: skip
_NO_PERMISSIONS = frozenset({"AccessDenied", "AccessDeniedException"})
_THROTTLED = frozenset({"TooManyRequestsException", "ThrottlingException", "ExecutionLimitExceeded"})


def error_code(error: Exception) -> tuple[str, bool]:
    """What EventBridge calls a failed delivery in its dead letters, and whether it tries again."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code in _NO_RESOURCE:
        return "NO_RESOURCE", False
    if code in _NO_PERMISSIONS:
        return "NO_PERMISSIONS", False
    if code in _THROTTLED:
        return "THROTTLING", True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, ClientError) else 500
    return ("SDK_CLIENT_ERROR", False) if status < 500 else ("INTERNAL_ERROR", True)  # noqa: PLR2004 -- HTTP
