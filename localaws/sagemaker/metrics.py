"""The metrics of a training job: what its MetricDefinitions find in its log."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from localaws.sagemaker.records import invalid, now

log = logging.getLogger("localaws.sagemaker")

NAMESPACE = "/aws/sagemaker/TrainingJobs"
_BATCH = 500


def compile_definitions(definitions: Sequence[dict[str, str]]) -> list[tuple[str, re.Pattern[str]]]:
    """Each metric's name and regular expression; raises AwsError for one that cannot work."""
    compiled = []
    for definition in definitions:
        name, text = definition["Name"], definition["Regex"]
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise invalid(
                f"MetricDefinitions: the regex {text!r} of {name!r} is not valid: {error}"
            ) from error
        if pattern.groups < 1:
            raise invalid(
                f"MetricDefinitions: the regex {text!r} of {name!r} has no group that captures the value"
            )
        compiled.append((name, pattern))
    return compiled


class Metrics:
    """Every value found so far."""

    def __init__(self, definitions: Sequence[dict[str, str]]) -> None:
        self._patterns = compile_definitions(definitions)
        self._found: list[tuple[str, float, datetime, str]] = []

    def read(self, line: str, host: str) -> None:
        """Find the values in one line of a host's log."""
        for name, pattern in self._patterns:
            for match in pattern.finditer(line):
                try:
                    value = float(match[1])
                except (ValueError, TypeError):
                    continue
                if math.isfinite(value):
                    self._found.append((name, value, now(), host))

    def values(self, name: str) -> list[float]:
        """Every value of one metric, in the order of the log."""
        return [value for metric, value, _, _ in self._found if metric == name]

    def final(self) -> list[dict[str, Any]]:
        """The last value of each metric, as FinalMetricDataList shows them."""
        last = {name: (value, time) for name, value, time, _ in self._found}
        return [
            {"MetricName": name, "Value": value, "Timestamp": time} for name, (value, time) in last.items()
        ]

    def publish(self, cloudwatch: Any) -> None:
        """Put every value into CloudWatch."""
        data = [
            {
                "MetricName": name,
                "Value": value,
                "Timestamp": time,
                "Dimensions": [{"Name": "Host", "Value": host}],
            }
            for name, value, time, host in self._found
        ]
        try:
            for start in range(0, len(data), _BATCH):
                cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + _BATCH])
        except ClientError:
            log.exception("the metrics of a training job did not reach CloudWatch")
