"""Topics that reach functions and people."""

from __future__ import annotations

import json


def test_a_function_gets_the_notification(cloud):
    """In AWS's envelope, with the attributes."""
    url, _ = cloud.queue("sns-function")
    function = cloud.relay("sns-function", url)
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="to-function")["TopicArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)["SubscriptionArn"]
    sent = sns.publish(
        TopicArn=topic,
        Subject="s",
        Message="m",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "test"}},
    )["MessageId"]
    (record,) = cloud.body(url)["Records"]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", subscription)
    message = record["Sns"]
    assert (message["MessageId"], message["TopicArn"]) == (sent, topic)
    assert (message["Subject"], message["Message"]) == ("s", "m")
    assert message["MessageAttributes"] == {"kind": {"Type": "String", "Value": "test"}}


def test_mail_can_be_read_in_the_data_folder(cloud):
    """One line of JSON for each message, in a file of the address's own; no confirmation is asked for."""
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="to-people")["TopicArn"]
    answer = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="../ann/lee@example.com")
    assert answer["SubscriptionArn"].startswith(topic)
    sns.publish(TopicArn=topic, Subject="Run failed", Message="column 2\nis text")
    sns.publish(TopicArn=topic, Message="plain")
    path = cloud.server.world.data / "mail" / ".._ann_lee@example.com.jsonl"
    lines = cloud.until(
        lambda: path.exists() and len(path.read_text().splitlines()) == 2 and path.read_text()
    )
    mails = sorted((json.loads(line) for line in lines.splitlines()), key=lambda mail: mail["message"])
    assert [mail["subject"] for mail in mails] == ["Run failed", "AWS Notification Message"]
    assert mails[0]["message"] == "column 2\nis text"
    assert mails[0]["to"] == "../ann/lee@example.com"


def test_a_filter_policy_keeps_messages_away(cloud):
    """Only what the subscription asks for is delivered."""
    url, _ = cloud.queue("sns-filter")
    function = cloud.relay("sns-filter", url)
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="filtered")["TopicArn"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=function,
        Attributes={"FilterPolicy": json.dumps({"kind": ["wanted"]})},
    )
    for kind in ("unwanted", "wanted"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.publish(TopicArn=topic, Message=kind, MessageAttributes=attributes)
    assert cloud.body(url)["Records"][0]["Sns"]["Message"] == "wanted"
    assert cloud.silent(url)
