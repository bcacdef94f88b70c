"""Resource types of Amazon SNS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Aspects,
    Props,
    Tags,
    absent_ok,
    given,
    partition,
    refuse_taken,
    truth,
    undone_on_failure,
)
from localaws.cloudformation.resources._policies import PolicyOnTargets

_GONE = ("NotFound", "NotFoundException", "ResourceNotFound")
_TAGS = Tags("sns", "ResourceArn")
_TOPIC_ATTRIBUTES: Mapping[str, Any] = {
    "DisplayName": "",
    "KmsMasterKeyId": "",
    "ContentBasedDeduplication": False,
}
_SUBSCRIPTION_ATTRIBUTES: Mapping[str, Any] = {
    # The scope decides how the filter is checked, so it is told first.
    "FilterPolicyScope": "MessageAttributes",
    "FilterPolicy": "",
    "RawMessageDelivery": False,
    "RedrivePolicy": "",
    "DeliveryPolicy": "",
    "SubscriptionRoleArn": "",
}

Target = tuple[Api, str]


def _attribute_tellers(kind: str, target_name: str, defaults: Mapping[str, Any]) -> Aspects[Target]:
    """One teller for each attribute of a topic or subscription: SNS sets them one at a time."""

    def teller(name: str) -> Any:
        def tell(target: Target, props: Props) -> None:
            sns, arn = target
            value = props.get(name, defaults[name])
            sns(
                f"set_{kind}_attributes",
                **{target_name: arn},
                AttributeName=name,
                AttributeValue=value,
            )

        return tell

    return Aspects({(name,): teller(name) for name in defaults})


_TOPIC = _attribute_tellers("topic", "TopicArn", _TOPIC_ATTRIBUTES)
_SUBSCRIPTION = _attribute_tellers("subscription", "SubscriptionArn", _SUBSCRIPTION_ATTRIBUTES)


class Topic(ResourceType):
    """A topic with the subscriptions that its template lists."""

    type_name = "AWS::SNS::Topic"
    properties = _TOPIC.properties | {"FifoTopic", "Subscription", "Tags", "TopicName"}
    ignored: ClassVar[Mapping[str, str]] = {
        "SignatureVersion": "messages over HTTP are signed in one way only",
        "TracingConfig": "no traces are recorded by the embedded AWS",
    }
    replaces = frozenset({"FifoTopic", "TopicName"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the topic under a name that is free, and subscribe."""
        sns, fifo = Api(context, "sns"), truth(props.get("FifoTopic", False))
        name = props.get("TopicName") or (
            f"{context.generated_name(251)}.fifo" if fifo else context.generated_name(256)
        )
        arn = f"arn:{partition(context.region)}:sns:{context.region}:{context.account}:{name}"
        refuse_taken(name, taken=sns.has("get_topic_attributes", *_GONE, TopicArn=arn))
        attributes = given(props, *_TOPIC_ATTRIBUTES)
        if fifo:
            attributes["FifoTopic"] = True
        sns("create_topic", Name=name, Attributes=attributes, Tags=_TAGS.of(context, props))
        with undone_on_failure(self, context, arn, props):
            self._subscribe(sns, arn, {}, props)
        return self._described(arn)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell what differs."""
        sns = Api(context, "sns")
        _TOPIC.settle((sns, physical_id), old, new)
        self._subscribe(sns, physical_id, old, new)
        _TAGS.settle(context, physical_id, new)
        return self._described(physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the topic with its subscriptions."""
        with absent_ok(*_GONE):
            Api(context, "sns")("delete_topic", TopicArn=physical_id)

    @staticmethod
    def _subscribe(sns: Api, arn: str, old: Props, new: Props) -> None:
        before, after = (
            {(entry["Protocol"], entry["Endpoint"]) for entry in props.get("Subscription") or ()}
            for props in (old, new)
        )
        for protocol, endpoint in sorted(after - before):
            sns("subscribe", TopicArn=arn, Protocol=protocol, Endpoint=endpoint)
        if before - after:
            for found in sns("list_subscriptions_by_topic", TopicArn=arn)["Subscriptions"]:
                if (found["Protocol"], found["Endpoint"]) in before - after:
                    sns("unsubscribe", SubscriptionArn=found["SubscriptionArn"])

    @staticmethod
    def _described(arn: str) -> Created:
        return Created(arn, {"TopicArn": arn, "TopicName": arn.rpartition(":")[2]})


class Subscription(ResourceType):
    """One subscription to a topic."""

    type_name = "AWS::SNS::Subscription"
    properties = _SUBSCRIPTION.properties | {"Endpoint", "Protocol", "TopicArn"}
    replaces = frozenset({"Endpoint", "Protocol", "TopicArn"})

    def create(self, context: Context, props: Props) -> Created:
        """Subscribe; e-mail needs no confirmation here."""
        sns = Api(context, "sns")
        where = given(props, "Endpoint", "Protocol", "TopicArn")
        attributes = given(props, *_SUBSCRIPTION_ATTRIBUTES)
        made = sns("subscribe", **where, Attributes=attributes, ReturnSubscriptionArn=True)
        arn = str(made["SubscriptionArn"])
        return Created(arn, {"Arn": arn})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell what differs."""
        _SUBSCRIPTION.settle((Api(context, "sns"), physical_id), old, new)
        return Created(physical_id, {"Arn": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Unsubscribe."""
        with absent_ok(*_GONE):
            Api(context, "sns")("unsubscribe", SubscriptionArn=physical_id)


class TopicPolicy(PolicyOnTargets):
    """One policy for several topics."""

    type_name = "AWS::SNS::TopicPolicy"
    properties = frozenset({"PolicyDocument", "Topics"})
    targets = "Topics"

    def put(self, context: Context, target: str, document: object) -> None:
        """Set the topic's policy, or the one of a new topic: its account may do everything."""
        with absent_ok(*(_GONE if document is None else ())):
            Api(context, "sns")(
                "set_topic_attributes",
                TopicArn=target,
                AttributeName="Policy",
                AttributeValue=document or _default_policy(target),
            )


def _default_policy(arn: str) -> dict[str, Any]:
    actions = [
        "GetTopicAttributes",
        "SetTopicAttributes",
        "AddPermission",
        "RemovePermission",
        "DeleteTopic",
        "Subscribe",
        "ListSubscriptionsByTopic",
        "Publish",
    ]
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": arn.split(":")[4]}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


TYPES: tuple[type[ResourceType], ...] = (Topic, Subscription, TopicPolicy)
