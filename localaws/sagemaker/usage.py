"""How often endpoints are invoked, in CloudWatch as SageMaker tells it there."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from localaws.service import Call
from localaws.world import World

log = logging.getLogger("localaws.sagemaker")

NAMESPACE, METRIC = "AWS/SageMaker", "Invocations"
COLLECT_SECONDS = 1.0
"""Invocations are counted for so long before the count is told: an endpoint answers thousands a second."""


class Invocations:
    """The metric `Invocations` of every variant of every endpoint."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._counts: Counter[tuple[Call, str, str]] = Counter()
        self._lock = threading.Lock()

    def count(self, call: Call, endpoint: str, variant: str) -> None:
        """Count one invocation."""
        with self._lock:
            first = not self._counts
            self._counts[call, endpoint, variant] += 1
        if first:
            self._world.background(self._collect)

    def _collect(self) -> None:
        self._world.stopping.wait(COLLECT_SECONDS)
        with self._lock:
            counts, self._counts = self._counts, Counter()
        for (call, endpoint, variant), count in counts.items():
            try:
                self._tell(call, endpoint, variant, count)
            except ClientError:
                log.exception("the invocations of %s did not reach CloudWatch", endpoint)

    def _tell(self, call: Call, endpoint: str, variant: str, count: int) -> None:
        if self._world.stopping.is_set():
            return
        self._world.client("cloudwatch", call.account, call.region).put_metric_data(
            Namespace=NAMESPACE,
            MetricData=[
                {
                    "MetricName": METRIC,
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": endpoint},
                        {"Name": "VariantName", "Value": variant},
                    ],
                    "Timestamp": datetime.now(UTC),
                    "StatisticValues": {"Sum": count, "SampleCount": count, "Minimum": 1, "Maximum": 1},
                }
            ],
        )
