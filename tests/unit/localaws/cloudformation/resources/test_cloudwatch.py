import pytest

from localaws.cloudformation.resource import ResourceFailed

ALARM = "AWS::CloudWatch::Alarm"
BASE = {
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "MetricName": "Invocation5XXErrors",
    "Namespace": "AWS/SageMaker",
    "Period": 60,
    "Statistic": "Sum",
    "Threshold": 0,
}
TOPIC = "arn:aws:sns:eu-west-1:111122223333:t"


def field(name, absent="none"):
    """A look at one field of an alarm."""

    def look(client, alarm):
        found = client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return found[0].get(name, absent) if found else None

    return look


def tags(client, alarm):
    """An alarm's tags as a mapping."""
    arn = field("AlarmArn")(client, alarm)
    found = client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"] if arn else ()
    return {tag["Key"]: tag["Value"] for tag in found} or None


@pytest.mark.parametrize(
    ("name", "given", "seen", "default"),
    [
        ("ActionsEnabled", "false", False, True),
        ("AlarmActions", [TOPIC], [TOPIC], []),
        ("OKActions", [TOPIC], [TOPIC], []),
        ("InsufficientDataActions", [TOPIC], [TOPIC], []),
        ("AlarmDescription", "a", "a", "none"),
        ("DatapointsToAlarm", "1", 1, "none"),
        ("TreatMissingData", "notBreaching", "notBreaching", "none"),
        ("Unit", "Count", "Count", "none"),
        ("Threshold", "2.5", 2.5, 0),
        ("Period", 300, 300, 60),
        ("EvaluationPeriods", 3, 3, 1),
        ("ComparisonOperator", "LessThanThreshold", "LessThanThreshold", "GreaterThanThreshold"),
        (
            "Dimensions",
            [{"Name": "EndpointName", "Value": "e"}],
            [{"Name": "EndpointName", "Value": "e"}],
            [],
        ),
    ],
)
def test_each_property_of_an_alarm_is_set_changed_and_taken_back(live, name, given, seen, default):
    """What a template says of an alarm is what CloudWatch answers, and its absence restores the default."""
    live(ALARM, field(name, default), [({**BASE, name: given}, seen), (BASE, default)])


def test_an_alarm_on_an_expression_names_its_metrics(live):
    """Metrics with an expression in place of one metric."""
    stat = {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    metrics = [{"Id": "m", "MetricStat": stat, "ReturnData": False}, {"Id": "e", "Expression": "m*2"}]
    props = {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "Metrics": metrics,
    }

    def look(client, alarm):
        found = field("Metrics")(client, alarm)
        return found and sorted(metric["Id"] for metric in found)

    live(ALARM, look, [(props, ["e", "m"])])


def test_an_alarm_is_tagged(live):
    """With the stack's tags too."""
    live(
        ALARM,
        tags,
        [
            ({**BASE, "Tags": [{"Key": "a", "Value": "b"}]}, {"team": "vision", "a": "b"}),
            (BASE, {"team": "vision"}),
        ],
    )


def test_an_alarm_name_that_is_taken_is_refused(types, make_context):
    """CloudWatch itself would overwrite the alarm that is there."""
    name = types[ALARM].create(make_context(), BASE).physical_id
    with pytest.raises(ResourceFailed, match=f"{name} already exists"):
        types[ALARM].create(make_context(), {**BASE, "AlarmName": name})
