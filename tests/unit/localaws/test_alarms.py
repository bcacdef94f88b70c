"""Alarms that follow their metrics, and who hears of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from moto.cloudwatch.models import MetricDatum

from localaws import alarms
from localaws.server import Server

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACCOUNT, REGION = "777700003333", "eu-west-1"


def alarm(**changes):
    """An alarm on the largest value of one minute, of two in a row."""
    fields = {
        "namespace": "N",
        "metric_name": "m",
        "dimensions": [SimpleNamespace(name="d", value="1")],
        "statistic": "Maximum",
        "period": 60,
        "evaluation_periods": 2,
        "datapoints_to_alarm": None,
        "comparison_operator": "GreaterThanThreshold",
        "threshold": 5.0,
        "treat_missing_data": None,
    }
    return SimpleNamespace(**{**fields, **changes})


def data(*values, dimension="1"):
    """One value a minute, the newest last; None where there is none."""
    return [
        MetricDatum(
            "N", "m", value, [{"Name": "d", "Value": dimension}], NOW - timedelta(seconds=60 * age + 1)
        )
        for age, value in enumerate(reversed(values))
        if value is not None
    ]


@pytest.mark.parametrize(
    ("changes", "values", "state"),
    [
        ({}, (6, 7), "ALARM"),
        ({}, (4, 7), "OK"),
        ({"datapoints_to_alarm": 1}, (7, 4), "ALARM"),
        ({}, (9, 9, 4, 4), "OK"),
        ({"comparison_operator": "LessThanThreshold"}, (4, 4), "ALARM"),
        ({"threshold": 6.0, "comparison_operator": "GreaterThanOrEqualToThreshold"}, (6, 6), "ALARM"),
        ({}, (), "INSUFFICIENT_DATA"),
        ({"treat_missing_data": "ignore"}, (), None),
        ({"treat_missing_data": "breaching"}, (), "ALARM"),
        ({"treat_missing_data": "notBreaching"}, (), "OK"),
        ({"treat_missing_data": "breaching"}, (None, 4), "OK"),
        ({}, (7, None), "ALARM"),
    ],
)
def test_the_state_follows_the_last_periods(changes, values, state):
    """With missing data taken as the alarm says; other dimensions are other metrics."""
    assert alarms.state_of(alarm(**changes), [*data(*values), *data(99, 99, dimension="2")], NOW) == state


def test_people_hear_of_each_change(tmp_path, monkeypatch):
    """By the topics of the state that it goes into, whether data or a person changed it."""
    monkeypatch.setattr(alarms, "LOOK_SECONDS", 0.1)
    server = Server(tmp_path / "data", tmp_path / "cache")
    server.start()
    try:
        client = partial(server.world.client, account=ACCOUNT, region=REGION)
        topic = client("sns").create_topic(Name="t")["TopicArn"]
        client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="alarm@example.com")
        client("cloudwatch").put_metric_alarm(
            AlarmName="high",
            AlarmDescription="too high",
            Namespace="N",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[topic],
        )
        client("cloudwatch").set_alarm_state(AlarmName="high", StateValue="ALARM", StateReason="by hand")
        assert _mail(server, 1)[0]["subject"] == f'ALARM: "high" in {REGION}'
        _until(server, lambda: _state(client) == "OK")
        client("cloudwatch").put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 2}])
        [_, second] = _mail(server, 2)
        assert json.loads(second["message"])["AlarmDescription"] == "too high"
        assert _state(client) == "ALARM"
    finally:
        server.stop()


def _state(client):
    [found] = client("cloudwatch").describe_alarms(AlarmNames=["high"])["MetricAlarms"]
    return found["StateValue"]


def _until(server, answer):
    for _ in range(100):
        if answer():
            return
        server.world.stopping.wait(0.05)


def _mail(server, count):
    path = server.world.data / "mail/alarm@example.com.jsonl"
    read = lambda: path.read_text().splitlines() if path.exists() else []  # noqa: E731 -- read twice
    _until(server, lambda: len(read()) >= count)
    return [json.loads(line) for line in read()]
