import json

import pytest

from localaws.cloudformation.resource import ResourceFailed

RULE = "AWS::Events::Rule"
PATTERN = {"EventPattern": {"source": ["aws.s3"]}}
HOURLY = {"ScheduleExpression": "rate(1 hour)"}


def field(name):
    """A look at one field of a rule."""

    def look(client, rule):
        found = client("events").describe_rule(Name=rule).get(name, "none")
        return json.loads(found) if name == "EventPattern" and found != "none" else found

    return look


def targets(client, rule):
    """A rule's targets by their id."""
    found = client("events").list_targets_by_rule(Rule=rule)["Targets"]
    return {target.pop("Id"): target for target in found}


def tags(client, rule):
    """A rule's tags as a mapping."""
    arn = client("events").describe_rule(Name=rule)["Arn"]
    return {
        tag["Key"]: tag["Value"] for tag in client("events").list_tags_for_resource(ResourceARN=arn)["Tags"]
    }


QUEUE = {"Arn": "arn:aws:sqs:eu-west-1:111122223333:q"}
MACHINE = {
    "Arn": "arn:aws:states:eu-west-1:111122223333:stateMachine:m",
    "RoleArn": "arn:aws:iam::111122223333:role/r",
    "InputTransformer": {"InputPathsMap": {"key": "$.detail.key"}, "InputTemplate": '{"key": <key>}'},
    "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600},
    "DeadLetterConfig": {"Arn": QUEUE["Arn"]},
}


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (field("EventPattern"), [(PATTERN, PATTERN["EventPattern"]), (HOURLY, "none")]),
        (
            field("ScheduleExpression"),
            [(HOURLY, "rate(1 hour)"), ({"ScheduleExpression": "rate(2 hours)"}, "rate(2 hours)")],
        ),
        (field("State"), [({**PATTERN, "State": "DISABLED"}, "DISABLED"), (PATTERN, "ENABLED")]),
        (field("Description"), [({**PATTERN, "Description": "a"}, "a"), (PATTERN, "none")]),
        (
            field("RoleArn"),
            [({**PATTERN, "RoleArn": MACHINE["RoleArn"]}, MACHINE["RoleArn"]), (PATTERN, "none")],
        ),
        (
            targets,
            [
                ({**PATTERN, "Targets": [{"Id": "a", **QUEUE}]}, {"a": QUEUE}),
                (
                    {**PATTERN, "Targets": [{"Id": "a", **QUEUE, "Input": "1"}, {"Id": "b", **MACHINE}]},
                    {"a": {**QUEUE, "Input": "1"}, "b": MACHINE},
                ),
                (PATTERN, {}),
            ],
        ),
        (
            tags,
            [
                ({**PATTERN, "Tags": [{"Key": "a", "Value": "b"}]}, {"team": "vision", "a": "b"}),
                (PATTERN, {"team": "vision"}),
            ],
        ),
    ],
)
def test_each_property_of_a_rule_is_set_changed_and_taken_back(live, look, steps):
    """What a template says of a rule is what EventBridge answers."""
    live(RULE, look, steps)


def test_a_rule_of_another_bus_is_named_with_it(live, context):
    """`Ref` gives bus and name; the rule goes with its targets."""
    context.client("events").create_event_bus(Name="own")
    props = {**PATTERN, "EventBusName": "own", "Targets": [{"Id": "a", **QUEUE}]}

    def look(client, physical_id):
        bus, name = physical_id.split("|")
        return client("events").describe_rule(Name=name, EventBusName=bus)["EventBusName"]

    created = live(RULE, look, [(props, "own")])
    assert created.attributes["Arn"].endswith(f":rule/own/{created.attributes['RuleName']}")


def test_a_rule_name_that_is_taken_is_refused(types, make_context):
    """EventBridge itself would overwrite the rule that is there."""
    name = types[RULE].create(make_context(), PATTERN).physical_id
    with pytest.raises(ResourceFailed, match=f"{name} already exists"):
        types[RULE].create(make_context(), {**PATTERN, "Name": name})
