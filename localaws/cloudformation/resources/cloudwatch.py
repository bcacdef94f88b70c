"""Resource types of CloudWatch."""

from __future__ import annotations

from typing import Any

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import Api, Props, Tags, given, refuse_taken

_TAGS = Tags("cloudwatch", "ResourceARN")


class Alarm(ResourceType):
    """An alarm on one metric or on an expression over several."""

    type_name = "AWS::CloudWatch::Alarm"
    properties = frozenset(
        {
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluateLowSampleCountPercentile",
            "EvaluationPeriods",
            "ExtendedStatistic",
            "InsufficientDataActions",
            "MetricName",
            "Metrics",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Tags",
            "Threshold",
            "ThresholdMetricId",
            "TreatMissingData",
            "Unit",
        }
    )
    replaces = frozenset({"AlarmName"})

    def create(self, context: Context, props: Props) -> Created:
        """Put the alarm under a name that is free."""
        cloudwatch = Api(context, "cloudwatch")
        name = props.get("AlarmName") or context.generated_name(255)
        refuse_taken(name, taken=self._found(cloudwatch, name) is not None)
        return self._put(cloudwatch, name, props, Tags=_TAGS.of(context, props))

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put the whole alarm anew."""
        created = self._put(Api(context, "cloudwatch"), physical_id, new)
        _TAGS.settle(context, created.attributes["Arn"], new)
        return created

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the alarm."""
        Api(context, "cloudwatch")("delete_alarms", AlarmNames=[physical_id])

    def _put(self, cloudwatch: Api, name: str, props: Props, **more: Any) -> Created:
        wanted = {"ActionsEnabled": True, **given(props, *self.properties - {"AlarmName", "Tags"})}
        cloudwatch("put_metric_alarm", AlarmName=name, **wanted, **more)
        found = self._found(cloudwatch, name) or {}
        return Created(name, {"Arn": found["AlarmArn"]})

    @staticmethod
    def _found(cloudwatch: Api, name: str) -> dict[str, Any] | None:
        return next(iter(cloudwatch("describe_alarms", AlarmNames=[name])["MetricAlarms"]), None)


TYPES: tuple[type[ResourceType], ...] = (Alarm,)
