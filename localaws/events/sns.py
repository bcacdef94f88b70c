"""SNS subscriptions that moto does not serve: functions, and people's mail."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localaws.world import World

PROTOCOLS = frozenset({"lambda", "email", "email-json"})
"""The subscriptions that `deliver` serves."""


@dataclass(frozen=True)
class Notification:
    """One message for one subscription."""

    account: str
    topic_arn: str
    subscription_arn: str
    protocol: str
    endpoint: str
    message_id: str
    subject: str | None
    message: str
    attributes: Mapping[str, Mapping[str, Any]]


def deliver(world: World, notification: Notification) -> None:
    """Invoke the function, or put the message where the address's owner can read it."""
    if notification.protocol == "lambda":
        client = world.client("lambda", notification.account, notification.endpoint.split(":")[3])
        client.invoke(
            FunctionName=notification.endpoint,
            InvocationType="Event",
            Payload=json.dumps(_event(notification)),
        )
        return
    folder = world.data / "mail"
    folder.mkdir(exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9@._+-]", "_", notification.endpoint)
    with (folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        # One write of one line: two messages at once do not mix.
        file.write(json.dumps(_mail(notification)) + "\n")


def _mail(notification: Notification) -> dict[str, Any]:
    return {
        "timestamp": _now(),
        "to": notification.endpoint,
        "topic": notification.topic_arn,
        "message_id": notification.message_id,
        "subject": notification.subject or "AWS Notification Message",
        "message": notification.message,
    }


def _event(notification: Notification) -> dict[str, Any]:
    region = notification.topic_arn.split(":")[3]
    unsubscribe = f"Action=Unsubscribe&SubscriptionArn={notification.subscription_arn}"
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": notification.subscription_arn,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": notification.message_id,
                    "TopicArn": notification.topic_arn,
                    "Subject": notification.subject,
                    "Message": notification.message,
                    "Timestamp": _now(),
                    "SignatureVersion": "1",
                    "Signature": "EXAMPLE",
                    "SigningCertUrl": f"https://sns.{region}.amazonaws.com/embedded.pem",
                    "UnsubscribeUrl": f"https://sns.{region}.amazonaws.com/?{unsubscribe}",
                    "MessageAttributes": notification.attributes,
                },
            }
        ]
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
