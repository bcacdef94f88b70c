"""Resource types of Amazon SQS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Props,
    Tags,
    absent_ok,
    given,
    refuse_taken,
    truth,
)
from localaws.cloudformation.resources._policies import PolicyOnTargets

_GONE = "AWS.SimpleQueueService.NonExistentQueue"
_TAGS = Tags("sqs", "QueueUrl", pair=None, lister="list_queue_tags", adder="tag_queue", remover="untag_queue")
_DEFAULTS: Mapping[str, Any] = {
    "DelaySeconds": 0,
    "MaximumMessageSize": 262144,
    "MessageRetentionPeriod": 345600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "VisibilityTimeout": 30,
    "KmsMasterKeyId": "",
    "KmsDataKeyReusePeriodSeconds": 300,
    "SqsManagedSseEnabled": True,
    "RedrivePolicy": "",
}
_FIFO_DEFAULTS: Mapping[str, Any] = {
    "ContentBasedDeduplication": False,
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}


class Queue(ResourceType):
    """A queue; `Ref` is its URL."""

    type_name = "AWS::SQS::Queue"
    properties = frozenset({*_DEFAULTS, *_FIFO_DEFAULTS, "FifoQueue", "QueueName", "Tags"})
    ignored: ClassVar[Mapping[str, str]] = {
        "RedriveAllowPolicy": "any queue may use this one as its dead-letter queue"
    }
    replaces = frozenset({"FifoQueue", "QueueName"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the queue under a name that is free."""
        sqs, fifo = Api(context, "sqs"), truth(props.get("FifoQueue", False))
        name = props.get("QueueName") or (
            f"{context.generated_name(75)}.fifo" if fifo else context.generated_name(80)
        )
        refuse_taken(name, taken=sqs.has("get_queue_url", _GONE, QueueName=name))
        attributes = given(props, *_DEFAULTS, *_FIFO_DEFAULTS)
        if fifo:
            attributes["FifoQueue"] = True
        tags = _TAGS.of(context, props)
        url = sqs("create_queue", QueueName=name, Attributes=attributes, tags=tags)["QueueUrl"]
        return self._described(sqs, url)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Set every attribute, to its default where the template says nothing."""
        sqs = Api(context, "sqs")
        fifo = truth(new.get("FifoQueue", False))
        known = {**_DEFAULTS, **(_FIFO_DEFAULTS if fifo else {})}
        attributes = {**known, **given(new, *known)}
        # moto forgets the policy when it is not among the attributes that are set.
        current = sqs("get_queue_attributes", QueueUrl=physical_id, AttributeNames=["Policy"])
        attributes.update(current.get("Attributes", {}))
        sqs("set_queue_attributes", QueueUrl=physical_id, Attributes=attributes)
        _TAGS.settle(context, physical_id, new)
        return self._described(sqs, physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the queue with its messages."""
        with absent_ok(_GONE):
            Api(context, "sqs")("delete_queue", QueueUrl=physical_id)

    @staticmethod
    def _described(sqs: Api, url: str) -> Created:
        found = sqs("get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])
        arn = found["Attributes"]["QueueArn"]
        return Created(url, {"Arn": arn, "QueueName": url.rpartition("/")[2], "QueueUrl": url})


class QueuePolicy(PolicyOnTargets):
    """One policy for several queues."""

    type_name = "AWS::SQS::QueuePolicy"
    properties = frozenset({"PolicyDocument", "Queues"})
    targets = "Queues"

    def put(self, context: Context, target: str, document: object) -> None:
        """Set the queue's policy, or none."""
        with absent_ok(*([_GONE] if document is None else [])):
            Api(context, "sqs")(
                "set_queue_attributes", QueueUrl=target, Attributes={"Policy": document or ""}
            )


TYPES: tuple[type[ResourceType], ...] = (Queue, QueuePolicy)
