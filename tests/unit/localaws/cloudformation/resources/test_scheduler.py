"""Schedules of EventBridge Scheduler, as templates make them and as they fire."""

import time

import pytest
from botocore.exceptions import ClientError

from localaws import scheduler
from localaws.events.schedule import Rate

SCHEDULE = "AWS::Scheduler::Schedule"
ROLE = "arn:aws:iam::111122223333:role/scheduler"
PUT = "arn:aws:scheduler:::aws-sdk:ssm:putParameter"


def target(arn=PUT, **fields):
    """A target."""
    return {"Arn": arn, "RoleArn": ROLE, **fields}


def wanted(expression="cron(0 19 * * ? *)", **props):
    """The properties of a schedule."""
    return {
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target(),
        **props,
    }


def look(client, physical_id):
    """What is known of a schedule; None when it is gone."""
    try:
        found = client("scheduler").get_schedule(Name=physical_id)
    except client("scheduler").exceptions.ResourceNotFoundException:
        return None
    return found["ScheduleExpression"], found["State"], found.get("Description")


def test_a_schedule_is_made_changed_and_removed(live):
    """A change takes over nothing that the template does not say any more."""
    steps = [
        (
            wanted(Description="evening", State="DISABLED"),
            ("cron(0 19 * * ? *)", "DISABLED", "evening"),
        ),
        (wanted("rate(1 hour)"), ("rate(1 hour)", "ENABLED", None)),
    ]
    live(SCHEDULE, look, steps)


@pytest.mark.parametrize(
    ("props", "code"),
    [
        (wanted("cron(0 19 * * *)"), "ValidationException"),
        (wanted(Target=target("arn:aws:scheduler:::aws-sdk:ssm:putNothing")), "ValidationException"),
        (wanted(Target=target("arn:aws:scheduler:::aws-sdk:nothing:put")), "ValidationException"),
        (wanted(Target=target(Input="{")), "ValidationException"),
        (wanted(Target=target("arn:aws:lambda:eu-west-1:111122223333:function:f")), "NotEmulated"),
        (wanted("at(2030-01-01T00:00:00)"), "NotEmulated"),
        (wanted(ScheduleExpressionTimezone="Europe/Berlin"), "NotEmulated"),
        (wanted(GroupName="mine"), "NotEmulated"),
    ],
)
def test_what_would_never_fire_is_refused(types, make_context, props, code):
    """Expressions, targets and inputs that are wrong; what is not emulated, by name."""
    with pytest.raises(ClientError) as refused:
        types[SCHEDULE].create(make_context(), props)
    assert refused.value.response["Error"]["Code"] == code


def test_a_name_that_exists_is_refused(server):
    """As names of schedules are unique in their group."""
    client = server.world.client("scheduler", "111122223333", "eu-west-1")
    client.create_schedule(Name="twice", **wanted())
    with pytest.raises(client.exceptions.ConflictException):
        client.create_schedule(Name="twice", **wanted())
    assert [one["Name"] for one in client.list_schedules(NamePrefix="twi")["Schedules"]] == ["twice"]
    client.delete_schedule(Name="twice")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_schedule(Name="twice")


def test_a_schedule_calls_its_operation_when_it_is_due(server, monkeypatch):
    """With its input, again and again, until it is removed; what is disabled does not."""
    monkeypatch.setattr(scheduler, "_times", lambda _: Rate(0.1))
    client = server.world.client("scheduler", "111122223333", "eu-west-1")
    parameters = server.world.client("ssm", "111122223333", "eu-west-1")
    for name, state in (("on", "ENABLED"), ("off", "DISABLED")):
        put = f'{{"Name": "/fired/{name}", "Value": "v", "Type": "String", "Overwrite": true}}'
        client.create_schedule(Name=name, State=state, **wanted(Target=target(Input=put)))
    versions = set()
    deadline = time.monotonic() + 10
    while len(versions) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        found = parameters.get_parameters(Names=["/fired/on"])["Parameters"]
        versions |= {one["Version"] for one in found}
    for name in ("on", "off"):
        client.delete_schedule(Name=name)
    assert len(versions) == 2
    assert parameters.get_parameters(Names=["/fired/off"])["Parameters"] == []
