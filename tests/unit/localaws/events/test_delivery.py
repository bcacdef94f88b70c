"""Events on their way: rules, targets, retries, dead letters, schedules."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from localaws.events import delivery, emit, service


def test_an_event_reaches_the_targets_of_the_rules_that_match(cloud):
    """Once per target, whole and in AWS's envelope; other rules and disabled ones get nothing."""
    url, arn = cloud.queue("matched")
    other_url, other = cloud.queue("other")
    cloud.rule("matching", {"source": ["mine"], "detail": {"n": [{"numeric": [">", 1]}]}}, {"Arn": arn})
    cloud.rule("not-matching", {"source": ["mine"], "detail": {"n": [1]}}, {"Arn": other})
    cloud.rule("disabled", {"source": ["mine"]}, {"Arn": other})
    cloud.client("events").disable_rule(Name="disabled")
    sent = cloud.put("mine", {"n": 2}, Resources=["r"], Time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert cloud.body(url) == {
        "version": "0",
        "id": sent,
        "detail-type": "Test",
        "source": "mine",
        "account": "111122223333",
        "time": "2026-01-02T03:04:05Z",
        "region": "eu-west-1",
        "resources": ["r"],
        "detail": {"n": 2},
    }
    assert cloud.silent(url)
    assert cloud.silent(other_url, 0)


def test_events_of_services_go_to_the_default_bus(cloud):
    """`emit` is how other services of the embedded AWS send theirs."""
    url, arn = cloud.queue("emitted")
    cloud.rule("emitted", {"source": ["aws.sagemaker"]}, {"Arn": arn, "InputPath": "$.detail"})
    emit(
        cloud.server.world,
        "111122223333",
        "eu-west-1",
        source="aws.sagemaker",
        detail_type="SageMaker Model Package State Change",
        detail={"ModelApprovalStatus": "Approved"},
    )
    assert cloud.body(url) == {"ModelApprovalStatus": "Approved"}


def test_every_kind_of_target_is_reached(cloud):
    """Function, topic, log group, FIFO queue, state machine."""
    url, arn = cloud.queue("kinds")
    function = cloud.relay("kinds", url)
    topic = cloud.client("sns").create_topic(Name="kinds")["TopicArn"]
    cloud.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    fifo_url, fifo = cloud.queue("kinds.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    cloud.client("logs").create_log_group(logGroupName="/aws/events/kinds")
    machine = cloud.client("stepfunctions").create_state_machine(
        name="kinds",
        definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}),
        roleArn="arn:aws:iam::111122223333:role/any",
    )["stateMachineArn"]
    path = {"InputPath": "$.detail"}
    cloud.rule(
        "kinds",
        {"source": ["kinds"]},
        {"Arn": function, **path},
        {"Arn": topic, **path},
        {"Arn": fifo, **path, "SqsParameters": {"MessageGroupId": "g"}},
        {"Arn": "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/events/kinds", **path},
        {"Arn": machine, **path},
    )
    cloud.put("kinds", {"a": 1})
    assert [cloud.body(url), cloud.body(url)] == [{"a": 1}, {"a": 1}]
    message = cloud.message(fifo_url)
    assert (json.loads(message["Body"]), message["Attributes"]["MessageGroupId"]) == ({"a": 1}, "g")
    logs = cloud.client("logs")
    found = cloud.until(lambda: logs.filter_log_events(logGroupName="/aws/events/kinds")["events"])
    assert json.loads(found[0]["message"]) == {"a": 1}
    states = cloud.client("stepfunctions")
    runs = cloud.until(lambda: states.list_executions(stateMachineArn=machine)["executions"])
    assert json.loads(states.describe_execution(executionArn=runs[0]["executionArn"])["input"]) == {"a": 1}


def test_a_bus_passes_events_on(cloud):
    """To another bus and from there to its rules; a circle of buses ends."""
    url, arn = cloud.queue("bus")
    events = cloud.client("events")
    bus = events.create_event_bus(Name="second")["EventBusArn"]
    default = "arn:aws:events:eu-west-1:111122223333:event-bus/default"
    cloud.rule("pass-on", {"source": ["bus"]}, {"Arn": bus})
    cloud.rule("back", {"source": ["bus"], "detail": {"circle": [True]}}, {"Arn": default}, bus="second")
    cloud.rule("on-second", {"source": ["bus"]}, {"Arn": arn}, bus="second")
    sent = cloud.put("bus", {})
    assert cloud.body(url)["id"] == sent
    assert cloud.silent(url)
    cloud.put("bus", {"circle": True})
    time.sleep(0.3)
    assert (
        int(
            cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"][
                "ApproximateNumberOfMessages"
            ]
        )
        < delivery._MAX_HOPS
    )


def test_the_transformer_shapes_what_is_sent(cloud):
    """From PutTargets to the target's hands."""
    url, arn = cloud.queue("shaped")
    transformer = {
        "InputPathsMap": {"name": "$.detail.name"},
        "InputTemplate": '{"text": "run <name>", "rule": <aws.events.rule-name>}',
    }
    cloud.rule("shaped", {"source": ["shaped"]}, {"Arn": arn, "InputTransformer": transformer})
    cloud.put("shaped", {"name": "curve"})
    assert cloud.body(url) == {"text": "run curve", "rule": "shaped"}


def test_what_cannot_be_delivered_is_kept(cloud):
    """A target that does not exist is not tried again: the event goes to the dead-letter queue."""
    url, arn = cloud.queue("dead")
    missing = "arn:aws:lambda:eu-west-1:111122223333:function:missing"
    rule = cloud.rule("dead", {"source": ["dead"]}, {"Arn": missing, "DeadLetterConfig": {"Arn": arn}})
    sent = cloud.put("dead", {"a": 1})
    message = cloud.message(url)
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert json.loads(message["Body"])["id"] == sent
    assert attributes.pop("ERROR_MESSAGE").endswith(f"Function not found: {missing}")
    assert attributes == {
        "RULE_ARN": rule,
        "TARGET_ARN": missing,
        "ERROR_CODE": "NO_RESOURCE",
        "RETRY_ATTEMPTS": "0",
    }


def test_a_target_that_fails_for_a_while_is_tried_again(cloud, monkeypatch):
    """As often as its policy allows; then the event is kept, with the reason."""
    monkeypatch.setattr(delivery, "RETRY_SECONDS", (0.01, 0.01, 0.01))
    tries = []

    def failing(parcel):
        tries.append(parcel.text)
        if json.loads(parcel.text)["n"] != len(tries):
            raise ConnectionError("down")

    monkeypatch.setattr(delivery, "SENDERS", {**delivery.SENDERS, "sns": failing})
    url, arn = cloud.queue("retried")
    target = {
        "Arn": "arn:aws:sns:eu-west-1:111122223333:any",
        "InputPath": "$.detail",
        "DeadLetterConfig": {"Arn": arn},
        "RetryPolicy": {"MaximumRetryAttempts": 2},
    }
    cloud.rule("retried", {"source": ["retried"]}, target)
    cloud.put("retried", {"n": 2})
    cloud.until(lambda: len(tries) == 2)
    assert cloud.silent(url, 0.1)
    tries.clear()
    cloud.put("retried", {"n": 9})
    attributes = cloud.message(url)["MessageAttributes"]
    assert len(tries) == 3
    assert attributes["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumRetryAttempts"
    assert attributes["RETRY_ATTEMPTS"]["StringValue"] == "2"


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"Source": ""}, "InvalidArgument"),
        ({"DetailType": ""}, "InvalidArgument"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Detail": "[]"}, "MalformedDetail"),
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
    ],
)
def test_a_bad_event_is_refused_and_the_others_taken(cloud, entry, code):
    """Each entry has its own answer."""
    good = {"Source": "s", "DetailType": "t", "Detail": "{}"}
    answer = cloud.client("events").put_events(Entries=[{**good, **entry}, good])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == code
    assert "EventId" in answer["Entries"][1]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"EventPattern": '{"a": "b"}'}, "InvalidEventPatternException"),
        ({"EventPattern": '{"a": [{"sufix": "b"}]}'}, "InvalidEventPatternException"),
        ({"ScheduleExpression": "rate(5 minute)"}, "ValidationException"),
        ({"ScheduleExpression": "cron(0 0 * * * *)"}, "ValidationException"),
        ({}, "ValidationException"),
        ({"EventPattern": '{"a": [1]}', "Name": "no spaces"}, "ValidationException"),
        ({"EventPattern": '{"a": [1]}', "EventBusName": "nowhere"}, "ResourceNotFoundException"),
        ({"ScheduleExpression": "rate(1 day)", "EventBusName": "nowhere"}, "ValidationException"),
    ],
)
def test_a_bad_rule_is_refused(cloud, rule, code):
    """When it is made, not when it should fire."""
    events = cloud.client("events")
    with pytest.raises(ClientError) as error:
        events.put_rule(**{"Name": "bad", **rule})
    assert error.value.response["Error"]["Code"] == code
    assert "bad" not in [one["Name"] for one in events.list_rules()["Rules"]]


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"Arn": "arn:aws:kinesis:eu-west-1:111122223333:stream/s"}, "NotEmulated"),
        ({"Arn": "arn:aws:events:eu-west-1:111122223333:api-destination/a/b"}, "NotEmulated"),
        ({"Input": "{"}, "ValidationException"),
        ({"InputPath": "detail"}, "ValidationException"),
        ({"Input": "{}", "InputPath": "$"}, "ValidationException"),
        (
            {"InputTransformer": {"InputPathsMap": {"aws.x": "$.id"}, "InputTemplate": '"<aws.x>"'}},
            "ValidationException",
        ),
    ],
)
def test_a_bad_target_is_refused(cloud, target, code):
    """What could not be delivered to, or not be filled in."""
    events = cloud.client("events")
    events.put_rule(Name="targets", EventPattern='{"a": [1]}')
    queue = "arn:aws:sqs:eu-west-1:111122223333:q"
    with pytest.raises(ClientError) as error:
        events.put_targets(Rule="targets", Targets=[{"Id": "1", "Arn": queue, **target}])
    assert error.value.response["Error"]["Code"] == code
    assert events.list_targets_by_rule(Rule="targets")["Targets"] == []


def test_a_pattern_can_be_tried(cloud):
    """TestEventPattern."""
    events = cloud.client("events")
    event = dict.fromkeys(("id", "account", "source", "time", "region", "resources", "detail-type"), "x")
    assert events.test_event_pattern(EventPattern='{"source": ["x"]}', Event=json.dumps(event))["Result"]
    assert not events.test_event_pattern(EventPattern='{"source": ["y"]}', Event=json.dumps(event))["Result"]
    with pytest.raises(ClientError, match="it has no id"):
        events.test_event_pattern(EventPattern='{"source": ["y"]}', Event="{}")


class _Often:
    """A schedule for tests: every 0.1 s."""

    def next_after(self, moment):
        return moment + timedelta(seconds=0.1)


def test_a_schedule_fires_until_its_rule_is_disabled_or_gone(cloud, monkeypatch):
    """The event of AWS to the rule's own targets only; a disabled rule is silent and goes on when enabled."""
    monkeypatch.setattr(service, "parse_schedule", lambda _: _Often())
    url, arn = cloud.queue("scheduled")
    events = cloud.client("events")
    rule = events.put_rule(Name="scheduled", ScheduleExpression="rate(1 minute)")["RuleArn"]
    events.put_targets(Rule="scheduled", Targets=[{"Id": "1", "Arn": arn}])
    first, second = cloud.body(url), cloud.body(url)
    assert first["detail-type"] == "Scheduled Event"
    assert (first["source"], first["resources"], first["detail"]) == ("aws.events", [rule], {})
    assert first["id"] != second["id"]
    events.disable_rule(Name="scheduled")
    time.sleep(0.1)
    cloud.client("sqs").purge_queue(QueueUrl=url)
    assert cloud.silent(url)
    events.enable_rule(Name="scheduled")
    cloud.body(url)
    events.remove_targets(Rule="scheduled", Ids=["1"])
    events.delete_rule(Name="scheduled")
    time.sleep(0.3)
    (found,) = (one for one in cloud.server._services if isinstance(one, service.Events))
    assert not found._schedules


def test_an_archive_is_filled_and_replayed(cloud):
    """Archived events come again, marked as replayed, to the rules that match them."""
    url, arn = cloud.queue("replayed")
    events = cloud.client("events")
    bus = "arn:aws:events:eu-west-1:111122223333:event-bus/default"
    archive = events.create_archive(ArchiveName="kept", EventSourceArn=bus)["ArchiveArn"]
    cloud.rule("replayed", {"source": ["kept"]}, {"Arn": arn})
    sent = cloud.put("kept", {"a": 1})
    assert cloud.body(url)["id"] == sent
    now = datetime.now(UTC)
    events.start_replay(
        ReplayName="again",
        EventSourceArn=archive,
        EventStartTime=now - timedelta(hours=1),
        EventEndTime=now + timedelta(hours=1),
        Destination={"Arn": bus},
    )
    again = cloud.body(url)
    assert (again["detail"], again["replay-name"]) == ({"a": 1}, "again")
