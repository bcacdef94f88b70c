import json

import pytest

from localaws.cloudformation.resource import ResourceFailed

TOPIC, SUBSCRIPTION = "AWS::SNS::Topic", "AWS::SNS::Subscription"
FIFO = {"FifoTopic": True}


def attribute(name):
    """A look at one attribute of a topic."""
    return lambda client, arn: (
        client("sns").get_topic_attributes(TopicArn=arn)["Attributes"].get(name, "none")
    )


def tags(client, arn):
    """A topic's tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]}


def subscribed(client, arn):
    """The e-mail addresses subscribed to a topic."""
    client("sns").get_topic_attributes(TopicArn=arn)
    found = client("sns").list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    return sorted(entry["Endpoint"] for entry in found)


def mail(address):
    """A subscription by e-mail."""
    return {"Protocol": "email", "Endpoint": address}


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (attribute("DisplayName"), [({"DisplayName": "a"}, "a"), ({}, "")]),
        (attribute("KmsMasterKeyId"), [({"KmsMasterKeyId": "alias/a"}, "alias/a"), ({}, "none")]),
        (
            attribute("ContentBasedDeduplication"),
            [({**FIFO, "ContentBasedDeduplication": True}, "true"), (FIFO, "false")],
        ),
        (
            subscribed,
            [
                ({"Subscription": [mail("a@x.org")]}, ["a@x.org"]),
                ({"Subscription": [mail("b@x.org"), mail("c@x.org")]}, ["b@x.org", "c@x.org"]),
                ({}, []),
            ],
        ),
        (
            tags,
            [
                ({"Tags": [{"Key": "a", "Value": "b"}]}, {"team": "vision", "a": "b"}),
                ({}, {"team": "vision"}),
            ],
        ),
    ],
)
def test_each_property_of_a_topic_is_set_changed_and_taken_back(live, look, steps):
    """What a template says of a topic is what SNS answers, and its absence restores the default."""
    created = live(TOPIC, look, steps)
    assert created.attributes["TopicName"] == created.physical_id.rpartition(":")[2]


def test_a_topic_name_that_is_taken_is_refused(types, make_context):
    """SNS itself would answer with the topic that is there."""
    name = types[TOPIC].create(make_context(), {}).attributes["TopicName"]
    with pytest.raises(ResourceFailed, match=f"{name} already exists"):
        types[TOPIC].create(make_context(), {"TopicName": name})


@pytest.fixture
def topics(types, make_context):
    """The ARNs of two topics."""
    return [types[TOPIC].create(make_context(), {}).physical_id for _ in "ab"]


@pytest.mark.parametrize(
    ("name", "given", "seen", "default"),
    [
        ("RawMessageDelivery", "true", "true", "false"),
        ("FilterPolicy", {"kind": ["a"]}, '{"kind": ["a"]}', ""),
        ("FilterPolicyScope", "MessageBody", "MessageBody", "MessageAttributes"),
        ("RedrivePolicy", {"deadLetterTargetArn": "arn:q"}, '{"deadLetterTargetArn": "arn:q"}', ""),
    ],
)
def test_each_property_of_a_subscription_is_set_changed_and_taken_back(
    live, topics, name, given, seen, default
):
    """What a template says of a subscription is what SNS answers."""
    base = {"TopicArn": topics[0], "Protocol": "sqs", "Endpoint": "arn:aws:sqs:eu-west-1:111122223333:q"}

    def look(client, arn):
        return client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get(name, default)

    if name == "FilterPolicyScope":
        base["FilterPolicy"] = {"kind": ["a"]}
    live(SUBSCRIPTION, look, [({**base, name: given}, seen), (base, default)])


def test_a_topic_policy_follows_its_document_and_its_topics(live, topics):
    """A topic that the template drops has the policy of a new topic again."""

    def look(client, _):
        found = [json.loads(attribute("Policy")(client, arn))["Id"] for arn in topics]
        return found if set(found) != {"__default_policy_ID"} else None

    def props(name, *arns):
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
        document = {"Version": "2012-10-17", "Id": name, "Statement": [statement]}
        return {"PolicyDocument": document, "Topics": [*arns]}

    steps = [(props("a", *topics), ["a", "a"]), (props("b", topics[1]), ["__default_policy_ID", "b"])]
    live("AWS::SNS::TopicPolicy", look, steps)
