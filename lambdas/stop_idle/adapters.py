"""SageMaker and CloudWatch, as `stop_idle` sees them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lambdas.shared.clients import client
from lambdas.stop_idle.logic import Running
from lambdas.stop_idle.settings import METRIC, NAMESPACE, dimensions

LOOK_BACK = timedelta(days=15)  # CloudWatch keeps minutes for so long
HOUR = 3600
NOTEBOOK_LOGS = "/aws/sagemaker/NotebookInstances"


class Workplace(Protocol):
    """What the function needs of AWS."""

    def endpoint(self, name: str, now: datetime) -> Running | None:
        """The endpoint; None when it is not in service."""
        ...

    def notebook(self, name: str) -> Running | None:
        """The notebook instance; None when it is not in service."""
        ...

    def measure(self, environment: str, hours: Mapping[Running, float]) -> None:
        """Write down for how many hours each has not been used."""
        ...

    def stop(self, running: Running) -> None:
        """Begin to stop it."""
        ...

    def tell(self, topic: str, subject: str, text: str) -> None:
        """Tell people."""
        ...


class AwsWorkplace:
    """The real one."""

    def endpoint(self, name: str, now: datetime) -> Running | None:
        """Last used in the last hour with an invocation, at its end."""
        described = _described("describe_endpoint", EndpointName=name)
        if described is None or described["EndpointStatus"] != "InService":
            return None
        invoked = [
            end
            for variant in described.get("ProductionVariants", [])
            if (end := _last_invocation(name, variant["VariantName"], now)) is not None
        ]
        return Running("endpoint", name, max([described["LastModifiedTime"], *invoked]))

    def notebook(self, name: str) -> Running | None:
        """Last used when Jupyter last wrote into its log."""
        described = _described("describe_notebook_instance", NotebookInstanceName=name)
        if described is None or described["NotebookInstanceStatus"] != "InService":
            return None
        return Running("notebook", name, max([described["LastModifiedTime"], *_log_times(name)]))

    def measure(self, environment: str, hours: Mapping[Running, float]) -> None:
        """One metric for each resource."""
        data = [
            {
                "MetricName": METRIC,
                "Dimensions": dimensions(environment, one.kind, one.name),
                "Value": value,
            }
            for one, value in hours.items()
        ]
        if data:
            client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)

    def stop(self, running: Running) -> None:
        """Delete an endpoint, which cannot be stopped; stop a notebook instance."""
        if running.kind == "endpoint":
            client("sagemaker").delete_endpoint(EndpointName=running.name)
        else:
            client("sagemaker").stop_notebook_instance(NotebookInstanceName=running.name)

    def tell(self, topic: str, subject: str, text: str) -> None:
        """Publish to the topic."""
        client("sns").publish(TopicArn=topic, Subject=subject, Message=text)


def _described(operation: str, **name: str) -> dict[str, Any] | None:
    try:
        described: dict[str, Any] = getattr(client("sagemaker"), operation)(**name)
    except ClientError as error:
        # SageMaker has no error code for what does not exist, only a message.
        if error.response["Error"]["Code"] == "ValidationException":
            return None
        raise
    return described


def _last_invocation(endpoint: str, variant: str, now: datetime) -> datetime | None:
    points = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": variant},
        ],
        StartTime=now - LOOK_BACK,
        EndTime=now,
        Period=HOUR,
        Statistics=["Sum"],
    )["Datapoints"]
    used = [point["Timestamp"] + timedelta(seconds=HOUR) for point in points if point["Sum"] > 0]
    return min(now, max(used)) if used else None


def _log_times(notebook: str) -> list[datetime]:
    try:
        streams = client("logs").describe_log_streams(
            logGroupName=NOTEBOOK_LOGS, logStreamNamePrefix=f"{notebook}/"
        )["logStreams"]
    except client("logs").exceptions.ResourceNotFoundException:
        return []
    return [
        datetime.fromtimestamp(stream["lastEventTimestamp"] / 1000, UTC)
        for stream in streams
        if "lastEventTimestamp" in stream
    ]
