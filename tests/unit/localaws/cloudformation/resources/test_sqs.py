import json

import pytest

from localaws.cloudformation.resource import ResourceFailed

QUEUE = "AWS::SQS::Queue"


def attribute(name):
    """A look at one attribute of a queue."""

    def look(client, url):
        found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return found.get(name, "none")

    return look


def tags(client, url):
    """A queue's tags."""
    return client("sqs").list_queue_tags(QueueUrl=url).get("Tags", {})


FIFO = {"FifoQueue": "true"}


@pytest.mark.parametrize(
    ("look", "base", "props", "seen", "default"),
    [
        (attribute("DelaySeconds"), {}, {"DelaySeconds": 5}, "5", "0"),
        (attribute("MaximumMessageSize"), {}, {"MaximumMessageSize": "2048"}, "2048", "262144"),
        (attribute("MessageRetentionPeriod"), {}, {"MessageRetentionPeriod": 1209600}, "1209600", "345600"),
        (attribute("ReceiveMessageWaitTimeSeconds"), {}, {"ReceiveMessageWaitTimeSeconds": 9}, "9", "0"),
        (attribute("VisibilityTimeout"), {}, {"VisibilityTimeout": 60}, "60", "30"),
        (attribute("KmsMasterKeyId"), {}, {"KmsMasterKeyId": "alias/a"}, "alias/a", "none"),
        (
            attribute("KmsDataKeyReusePeriodSeconds"),
            {"KmsMasterKeyId": "alias/a"},
            {"KmsDataKeyReusePeriodSeconds": 600},
            "600",
            "300",
        ),
        (attribute("SqsManagedSseEnabled"), {}, {"SqsManagedSseEnabled": False}, "false", "true"),
        (attribute("ContentBasedDeduplication"), FIFO, {"ContentBasedDeduplication": True}, "true", "false"),
        (
            attribute("DeduplicationScope"),
            FIFO,
            {"DeduplicationScope": "messageGroup"},
            "messageGroup",
            "queue",
        ),
        (
            attribute("FifoThroughputLimit"),
            FIFO,
            {"FifoThroughputLimit": "perMessageGroupId"},
            "perMessageGroupId",
            "perQueue",
        ),
        (tags, {}, {"Tags": [{"Key": "a", "Value": "b"}]}, {"team": "vision", "a": "b"}, {"team": "vision"}),
    ],
)
def test_each_property_of_a_queue_is_set_changed_and_taken_back(live, look, base, props, seen, default):
    """What a template says of a queue is what SQS answers, and its absence restores the default."""
    created = live(QUEUE, look, [({**base, **props}, seen), (base, default)])
    assert created.attributes["QueueName"].endswith(".fifo") == bool(base.get("FifoQueue"))


def test_a_queue_sends_what_fails_to_another(types, live, make_context):
    """A redrive policy names the other queue's ARN."""
    target = types[QUEUE].create(make_context(), {}).attributes["Arn"]
    policy = {"deadLetterTargetArn": target, "maxReceiveCount": 3}

    def look(client, url):
        found = attribute("RedrivePolicy")(client, url)
        return json.loads(found) if found != "none" else found

    live(QUEUE, look, [({"RedrivePolicy": policy}, policy), ({}, "none")])


def test_an_update_of_a_queue_keeps_its_policy(types, make_context):
    """The policy belongs to another resource, and is no less there after the queue changed."""
    context = make_context()
    url = types[QUEUE].create(context, {}).physical_id
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    types["AWS::SQS::QueuePolicy"].create(make_context(), {"Queues": [url], "PolicyDocument": document})
    types[QUEUE].update(context, url, {}, {"DelaySeconds": 1})
    assert json.loads(attribute("Policy")(context.client, url)) == document


def test_a_queue_policy_follows_its_document_and_its_queues(live, types, make_context):
    """A queue that the template drops has no policy any more."""
    first, second = (types[QUEUE].create(make_context(), {}).physical_id for _ in "ab")

    def look(client, _):
        found = [attribute("Policy")(client, url) for url in (first, second)]
        texts = ["none" if text == "none" else json.loads(text)["Id"] for text in found]
        return texts if texts != ["none", "none"] else None

    def props(name, *queues):
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
        document = {"Version": "2012-10-17", "Id": name, "Statement": [statement]}
        return {"PolicyDocument": document, "Queues": [*queues]}

    live(
        "AWS::SQS::QueuePolicy",
        look,
        [
            (props("a", first, second), ["a", "a"]),
            (props("b", first), ["b", "none"]),
            (props("b", second), ["none", "b"]),
        ],
    )


def test_a_queue_name_that_is_taken_is_refused(types, make_context):
    """SQS itself would answer with the queue that is there."""
    name = types[QUEUE].create(make_context(), {}).attributes["QueueName"]
    with pytest.raises(ResourceFailed, match=f"{name} already exists"):
        types[QUEUE].create(make_context(), {"QueueName": name})
