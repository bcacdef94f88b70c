"""Processing jobs: the operations on them. What a job does is in processing_run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from localaws.sagemaker.announce import announce
from localaws.sagemaker.jobs import Job, Jobs
from localaws.sagemaker.network import check_vpc
from localaws.sagemaker.processing_run import ProcessingRun
from localaws.sagemaker.records import Table, arn, invalid
from localaws.sagemaker.roles import check_role
from localaws.sagemaker.site import Site
from localaws.service import Call, NotEmulated, Params, Result, Service, operation

DAY = 86_400
_PLACE = PurePosixPath("/opt/ml/processing")
_SHOWN = (
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
)
_INPUT = {"InputName", "S3Input", "AppManaged"}
_OUTPUT = {"OutputName", "S3Output", "AppManaged"}
_CLUSTER = {"InstanceCount", "InstanceType", "VolumeSizeInGB", "VolumeKmsKeyId"}


@dataclass
class ProcessingJob(Job):
    """A processing job: what was asked for, and how far it is."""

    exit_message: str | None = None

    @property
    def max_runtime(self) -> int:
        """How long the program may run, in seconds."""
        limit: int = self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY)
        return limit

    def describe(self) -> Params:
        """As DescribeProcessingJob shows it."""
        optional = {
            "ExitMessage": self.exit_message,
            "ProcessingStartTime": self.started,
            "ProcessingEndTime": self.ended,
        }
        return {
            **self.described("ProcessingJob", _SHOWN),
            "StoppingCondition": {"MaxRuntimeInSeconds": self.max_runtime},
            "LastModifiedTime": self.modified,
            **{key: value for key, value in optional.items() if value is not None},
        }


class ProcessingJobs(Service):
    """CreateProcessingJob and its kin."""

    name = "sagemaker"

    def __init__(self, site: Site) -> None:
        super().__init__(site.world)
        self._site = site
        self.table: Table[ProcessingJob] = Table(
            missing="Could not find requested job with name: {name}",
            taken="Job name must be unique within an AWS account and region, and a job with this name "
            "already exists ({arn})",
            taken_code="ResourceInUse",
        )
        self._jobs = Jobs("ProcessingJob", self.table, self._announce)

    def stop(self) -> None:
        """End every job's processes."""
        self._jobs.abandon()

    @operation("CreateProcessingJob")
    def create(self, call: Call, params: Params) -> Result:
        """Record the job and start it."""
        for field in _unknown(params):
            raise NotEmulated(f"CreateProcessingJob: {field}")
        self._site.images.resolve(params["AppSpecification"]["ImageUri"], script=True).processing([], "")
        check_role(self.world, call, params["RoleArn"])
        check_vpc(self.world, call, params.get("NetworkConfig", {}).get("VpcConfig", {}))
        name = params["ProcessingJobName"]
        job = ProcessingJob(call, name, arn(call, "processing-job", name), params)
        self.table.add(job)
        self._jobs.begin(job, ProcessingRun(self._site, job, self._jobs.changed))
        return {"ProcessingJobArn": job.arn}

    @operation("DescribeProcessingJob")
    def describe(self, call: Call, params: Params) -> Result:
        """The job in full."""
        return self._jobs.describe(call, params)

    @operation("ListProcessingJobs")
    def list(self, call: Call, params: Params) -> Result:
        """The jobs in brief."""
        return self._jobs.list(call, params)

    @operation("StopProcessingJob")
    def stop_job(self, call: Call, params: Params) -> Result:
        """Ask the job to end; its outputs are not kept."""
        self._jobs.stop(call, params)
        return None

    @operation("DeleteProcessingJob")
    def delete(self, call: Call, params: Params) -> Result:
        """Forget a job that has ended; its name is free again."""
        self._jobs.delete(call, params)
        return None

    def _announce(self, job: ProcessingJob) -> None:
        announce(self.world, job, "Processing Job", job.describe())


def _unknown(params: Params) -> Iterator[str]:
    """Whatever is asked for and does not exist here."""
    application = params["AppSpecification"]
    if not application.get("ContainerEntrypoint"):
        yield "AppSpecification without ContainerEntrypoint: what the image itself would run is not known"
    cluster = params["ProcessingResources"]["ClusterConfig"]
    yield from (f"ProcessingResources.ClusterConfig.{name}" for name in cluster.keys() - _CLUSTER)
    for name in ("InstanceType", "InstanceCount"):
        if name not in cluster:
            yield f"ProcessingResources.ClusterConfig without {name}"
    inputs = params.get("ProcessingInputs", [])
    outputs = params.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for item in inputs:
        yield from _unknown_in_channel("input", item, item["InputName"], _INPUT)
    for item in outputs:
        yield from _unknown_in_channel("output", item, item["OutputName"], _OUTPUT)
    names = [item["InputName"] for item in inputs]
    if len(set(names)) < len(names):
        raise invalid(f"Input names must be unique: {', '.join(names)}")


def _unknown_in_channel(kind: str, item: dict[str, Any], name: str, known: set[str]) -> Iterator[str]:
    place = f"{kind} {name}"
    yield from (f"{place}: {field}" for field in item.keys() - known)
    source = item.get("S3Input") or item.get("S3Output")
    if source is None or item.get("AppManaged"):
        yield f"{place}: one that is not S3's"
        return
    if source.get("S3InputMode", "File") != "File":
        yield f"{place}: S3InputMode {source['S3InputMode']}"
    if source.get("S3CompressionType", "None") != "None":
        yield f"{place}: S3CompressionType {source['S3CompressionType']}"
    local = PurePosixPath(source.get("LocalPath", ""))
    if not local.is_relative_to(_PLACE) or ".." in local.parts:
        raise invalid(f"LocalPath {str(local)!r} of the {place} must begin with {_PLACE}/")
