"""Where the results of asynchronous invocations go."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from localaws.events.targets import queue_url
from localaws.lambda_.sandbox import Event
from localaws.service import AwsError
from localaws.world import World

Record = Mapping[str, Any]


def check(target: str) -> None:
    """Refuse a destination that cannot be delivered to."""
    if _service(target) not in _SENDERS:
        raise AwsError(
            "InvalidParameterValueException",
            f"The destination ARN {target} is invalid. "
            "The embedded AWS delivers to SQS, SNS, Lambda and EventBridge.",
        )


def send(world: World, account: str, target: str, record: Record) -> None:
    """Deliver the record of an invocation to `target` (an ARN), as `account`."""
    service = _service(target)
    _SENDERS[service](world.client(service, account, target.split(":")[3]), target, record)


def send_dead_letter(world: World, account: str, target: str, event: Event, message: str) -> None:
    """Put an event that failed for good into a function's dead-letter queue or topic."""
    client = world.client(_service(target), account, target.split(":")[3])
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": event.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": message[:1024] or "-"},
    }
    body = event.payload.decode()
    if _service(target) == "sqs":
        client.send_message(
            QueueUrl=queue_url(client, target), MessageBody=body, MessageAttributes=attributes
        )
    else:
        client.publish(TopicArn=target, Message=body, MessageAttributes=attributes)


def _service(arn: str) -> str:
    return arn.split(":")[2] if arn.count(":") >= 5 else ""  # noqa: PLR2004 -- the parts of an ARN


def _to_queue(client: Any, target: str, record: Record) -> None:
    client.send_message(QueueUrl=queue_url(client, target), MessageBody=json.dumps(record))


def _to_topic(client: Any, target: str, record: Record) -> None:
    client.publish(TopicArn=target, Message=json.dumps(record))


def _to_function(client: Any, target: str, record: Record) -> None:
    client.invoke(FunctionName=target, InvocationType="Event", Payload=json.dumps(record))


def _to_bus(client: Any, target: str, record: Record) -> None:
    result = "Failure" if "functionError" in record["responseContext"] else "Success"
    entry = {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {result}",
        "Detail": json.dumps(record),
        "Resources": [target, record["requestContext"]["functionArn"]],
        "EventBusName": target,
    }
    client.put_events(Entries=[entry])


_SENDERS: Mapping[str, Callable[[Any, str, Record], None]] = {
    "sqs": _to_queue,
    "sns": _to_topic,
    "lambda": _to_function,
    "events": _to_bus,
}
