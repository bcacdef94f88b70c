"""Training jobs: the operations on them. What a job does is in training_run."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localaws.sagemaker import training_rules
from localaws.sagemaker.announce import announce
from localaws.sagemaker.environments import Environments
from localaws.sagemaker.logs import LogShipper
from localaws.sagemaker.metrics import Metrics
from localaws.sagemaker.records import BY_NAME_AND_TIME, Record, Table, arn, invalid, listing, now
from localaws.sagemaker.training_run import TrainingRun
from localaws.service import Call, Params, Result, Service, operation
from localaws.world import World

IN_PROGRESS, STOPPING = "InProgress", "Stopping"
_SHOWN = (
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "CheckpointConfig",
    "DebugHookConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "Environment",
    "RetryStrategy",
)


@dataclass
class TrainingJob(Record):
    """A training job: what was asked for, and how far it is."""

    status: str = IN_PROGRESS
    secondary: str = ""
    transitions: list[dict[str, Any]] = field(default_factory=list)
    failure: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.metrics = Metrics(self.request["AlgorithmSpecification"].get("MetricDefinitions", []))

    def enter(self, secondary: str, message: str) -> None:
        """Begin a secondary status; the one before it ends."""
        moment = now()
        if self.transitions:
            self.transitions[-1]["EndTime"] = moment
        self.transitions.append({"Status": secondary, "StartTime": moment, "StatusMessage": message})
        self.secondary = secondary
        self.modified = moment

    @property
    def artifacts(self) -> str:
        """Where the model is, or will be."""
        path = self.request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        return f"{path}/{self.name}/output/model.tar.gz"

    @property
    def max_runtime(self) -> int:
        """How long the script may run, in seconds."""
        limit: int = self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", training_rules.DAY)
        return limit

    def describe(self) -> Params:
        """As DescribeTrainingJob shows it."""
        shown = {key: self.request[key] for key in _SHOWN if key in self.request}
        stopping = {"MaxRuntimeInSeconds": self.max_runtime, **self.request.get("StoppingCondition", {})}
        described: Params = {
            **shown,
            "TrainingJobName": self.name,
            "TrainingJobArn": self.arn,
            "ModelArtifacts": {"S3ModelArtifacts": self.artifacts},
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.secondary,
            "SecondaryStatusTransitions": [dict(item) for item in self.transitions],
            "StoppingCondition": stopping,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            "EnableNetworkIsolation": self.request.get("EnableNetworkIsolation", False),
            "EnableInterContainerTrafficEncryption": self.request.get(
                "EnableInterContainerTrafficEncryption", False
            ),
            "EnableManagedSpotTraining": self.request.get("EnableManagedSpotTraining", False),
        }
        if self.failure is not None:
            described["FailureReason"] = self.failure
        if self.started is not None:
            described["TrainingStartTime"] = self.started
        if self.ended is not None:
            described["TrainingEndTime"] = self.ended
            seconds = max(1, round((self.ended - (self.started or self.ended)).total_seconds()))
            described |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        if final := self.metrics.final():
            described["FinalMetricDataList"] = final
        return described


class TrainingJobs(Service):
    """CreateTrainingJob and its kin."""

    name = "sagemaker"

    def __init__(self, world: World, environments: Environments, logs: LogShipper) -> None:
        super().__init__(world)
        self._environments = environments
        self._logs = logs
        self._runs: dict[str, TrainingRun] = {}
        self.table: Table[TrainingJob] = Table(
            missing="Requested resource not found.",
            taken="Training job names must be unique within an AWS account and region, and a training job "
            "with this name already exists ({arn})",
            taken_code="ResourceInUse",
        )

    def stop(self) -> None:
        """End every job's processes."""
        for run in list(self._runs.values()):
            run.abandon()

    @operation("CreateTrainingJob")
    def create(self, call: Call, params: Params) -> Result:
        """Record the job and start it."""
        training_rules.check(self.world, call, params)
        name = params["TrainingJobName"]
        job = TrainingJob(call, name, arn(call, "training-job", name), params)
        self.table.add(job)
        job.enter("Starting", "Preparing the instances for training")
        run = TrainingRun(self.world, self._environments, self._logs, job, self._changed)
        self._runs[job.arn] = run
        self._changed(job)
        run.start()
        return {"TrainingJobArn": job.arn}

    @operation("DescribeTrainingJob")
    def describe(self, call: Call, params: Params) -> Result:
        """The job in full."""
        return self.table.get(call, params["TrainingJobName"]).describe()

    @operation("ListTrainingJobs")
    def list(self, call: Call, params: Params) -> Result:
        """The jobs in brief."""
        wanted = params.get("StatusEquals")
        jobs = [job for job in self.table.all(call) if wanted in (None, job.status)]
        orders = {**BY_NAME_AND_TIME, "Status": lambda job: job.status}
        return listing(jobs, params, _summary, key="TrainingJobSummaries", orders=orders)

    @operation("StopTrainingJob")
    def stop_job(self, call: Call, params: Params) -> Result:
        """Ask the job to end; what it has written is still kept."""
        job = self.table.get(call, params["TrainingJobName"])
        if job.status not in (IN_PROGRESS, STOPPING):
            raise invalid(f"The request was rejected because the training job is in status {job.status}.")
        if job.status == IN_PROGRESS:
            job.status = STOPPING
            job.enter(STOPPING, "Stopping the training job")
            job.stop.set()
            self._changed(job)
        return None

    @operation("DeleteTrainingJob")
    def delete(self, call: Call, params: Params) -> Result:
        """Forget a job that has ended; its name is free again."""
        job = self.table.get(call, params["TrainingJobName"])
        if job.status in (IN_PROGRESS, STOPPING):
            raise invalid(f"The request was rejected because the training job is in status {job.status}.")
        self.table.remove(job)
        return None

    def _changed(self, job: TrainingJob) -> None:
        if job.ended is not None:
            self._runs.pop(job.arn, None)
        announce(self.world, job, "Training Job", job.describe())


def _summary(job: TrainingJob) -> Params:
    described = job.describe()
    keys = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime")
    summary = {key: described[key] for key in keys if key in described}
    return {**summary, "TrainingJobStatus": job.status, "SecondaryStatus": job.secondary}
