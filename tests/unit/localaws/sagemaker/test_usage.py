"""What CloudWatch knows of how endpoints are used."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from localaws.sagemaker.usage import Invocations
from localaws.service import Call


def test_invocations_are_counted_by_endpoint_and_variant(server):
    """Many at once are told as one value whose sum is their number."""
    call = Call("777700002222", "eu-west-1")
    invocations = Invocations(server.world)
    for _ in range(40):
        invocations.count(call, "curve", "AllTraffic")
    invocations.count(call, "curve", "Other")
    cloudwatch = server.world.client("cloudwatch", call.account, call.region)
    for _ in range(100):
        if _sum(cloudwatch, "Other"):
            break
        time.sleep(0.05)
    assert (_sum(cloudwatch, "AllTraffic"), _sum(cloudwatch, "Other")) == (40, 1)


def _sum(cloudwatch, variant):
    now = datetime.now(UTC)
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": "curve"}, {"Name": "VariantName", "Value": variant}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)
