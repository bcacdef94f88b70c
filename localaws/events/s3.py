"""What S3 tells of a changed object: to EventBridge, and to the functions, queues and topics of a bucket."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from localaws.events.delivery import emit
from localaws.events.targets import queue_url
from localaws.world import World

_SOURCE_ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Change:
    """One object created or deleted; `bucket` is moto's."""

    account: str
    bucket: Any
    name: str
    """Such as ObjectCreated:Put."""
    reason: str
    """The API call, such as PutObject."""
    key: str
    etag: str | None
    size: int | None
    version: str | None
    deletion_type: str | None = None
    request_id: str = field(default_factory=lambda: f"{uuid.uuid4().int >> 64:016X}")
    sequencer: str = field(default_factory=lambda: f"{time.time_ns():018X}")

    @classmethod
    def created(cls, account: str, bucket: Any, key: Any, how: str, reason: str) -> Change:
        """An object that one of moto's keys now holds."""
        etag, size = key.etag.strip('"'), key.size
        return cls(
            account, bucket, f"ObjectCreated:{how}", reason, key.name, etag, size, _version(key.version_id)
        )

    @classmethod
    def deleted(cls, account: str, bucket: Any, key: str, version: str | None, *, marker: bool) -> Change:
        """An object that is gone, or hidden by a delete marker."""
        return cls(
            account,
            bucket,
            "ObjectRemoved:DeleteMarkerCreated" if marker else "ObjectRemoved:Delete",
            "DeleteObject",
            key,
            None,
            None,
            _version(version),
            "Delete Marker Created" if marker else "Permanently Deleted",
        )


def notify(world: World, change: Change) -> None:
    """Tell everyone whom the bucket's notification configuration names; in the background."""
    config = change.bucket.notification_configuration
    if config is None:
        return
    for service, entries in (("lambda", config.cloud_function), ("sqs", config.queue), ("sns", config.topic)):
        for entry in entries:
            if entry.matches(f"s3:{change.name}", change.key):
                world.background(_send, world, change, service, entry.arn, entry.id)
    if config.event_bridge is not None:
        emit(
            world,
            change.account,
            change.bucket.region_name,
            source="aws.s3",
            detail_type="Object Created" if change.deletion_type is None else "Object Deleted",
            detail=_detail(change),
            resources=[change.bucket.arn],
        )


def _version(version: Any) -> str | None:
    return None if version in (None, "null") else str(version)


def _known(**values: Any) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in values.items() if value is not None}


def _detail(change: Change) -> dict[str, Any]:
    return {
        "version": "0",
        "bucket": {"name": change.bucket.name},
        "object": _known(
            key=change.key,
            size=change.size,
            etag=change.etag,
            version_id=change.version,
            sequencer=change.sequencer,
        ),
        "request-id": change.request_id,
        "requester": change.account,
        "source-ip-address": _SOURCE_ADDRESS,
        "reason": change.reason,
        **_known(deletion_type=change.deletion_type),
    }


def _records(change: Change, configuration: str) -> dict[str, Any]:
    """The message of a bucket's own notifications; the key is URL-encoded, as AWS has it."""
    stored = {"size": change.size, "eTag": change.etag, "versionId": change.version}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": change.bucket.region_name,
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "eventName": change.name,
        "userIdentity": {"principalId": f"AWS:{change.account}"},
        "requestParameters": {"sourceIPAddress": _SOURCE_ADDRESS},
        "responseElements": {"x-amz-request-id": change.request_id, "x-amz-id-2": change.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {
                "name": change.bucket.name,
                "ownerIdentity": {"principalId": change.account},
                "arn": change.bucket.arn,
            },
            "object": {
                "key": quote_plus(change.key, safe="/"),
                **{name: value for name, value in stored.items() if value is not None},
                "sequencer": change.sequencer,
            },
        },
    }
    return {"Records": [record]}


def _send(world: World, change: Change, service: str, arn: str, configuration: str) -> None:
    client = world.client(service, change.account, arn.split(":")[3])
    _SENDERS[service](client, arn, json.dumps(_records(change, configuration)))


def _to_function(client: Any, arn: str, text: str) -> None:
    client.invoke(FunctionName=arn, InvocationType="Event", Payload=text)


def _to_queue(client: Any, arn: str, text: str) -> None:
    client.send_message(QueueUrl=queue_url(client, arn), MessageBody=text)


def _to_topic(client: Any, arn: str, text: str) -> None:
    client.publish(TopicArn=arn, Message=text, Subject="Amazon S3 Notification")


_SENDERS: Mapping[str, Callable[[Any, str, str], None]] = {
    "lambda": _to_function,
    "sqs": _to_queue,
    "sns": _to_topic,
}
