"""Training jobs: the operations on them. What a job does is in training_run."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from localaws.sagemaker import training_rules
from localaws.sagemaker.announce import announce
from localaws.sagemaker.jobs import COMPLETED, FAILED, STOPPED, STOPPING, Job, Jobs
from localaws.sagemaker.metrics import Metrics
from localaws.sagemaker.records import Table, arn, invalid, now
from localaws.sagemaker.site import Site
from localaws.sagemaker.training_run import TrainingRun
from localaws.service import Call, Params, Result, Service, operation

INTERRUPT = "localaws:interrupt"
"""A tag that takes a running spot job's capacity back, once for each time that it is added."""

SPOT_SHARE = 0.3
"""What a second of spot capacity costs, in seconds on demand; on AWS it is the market's price."""

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


@dataclass(frozen=True)
class Trial:
    """What makes a training job one of a tuning job: that one's ARN, what it chose, lines for the log."""

    tuning_job: str
    values: dict[str, str]
    notes: tuple[str, ...]


@dataclass
class TrainingJob(Job):
    """A training job: what was asked for, and how far it is."""

    secondary: str = ""
    transitions: list[dict[str, Any]] = field(default_factory=list)
    trial: Trial | None = None
    trained: float = 0.0
    """The seconds that its containers have run, over all attempts."""
    metrics: Metrics = field(init=False)
    _interruption: threading.Event = field(default_factory=threading.Event)

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

    def finish(self, secondary: str, message: str, failure: str | None = None) -> None:
        """Enter the last secondary status, and the status that goes with it."""
        self.enter(secondary, message)
        self.end({"Completed": COMPLETED, "Failed": FAILED}.get(secondary, STOPPED), failure)

    def ask_to_stop(self) -> None:
        """Stop; that is a secondary status, too."""
        self.enter(STOPPING, "Stopping the training job")
        super().ask_to_stop()

    @property
    def spot(self) -> bool:
        """Whether it runs on spare capacity."""
        return bool(self.request.get("EnableManagedSpotTraining", False))

    def tagged(self, key: str) -> None:
        """Take the capacity back where the tag asks for it; that tag is not kept."""
        if key != INTERRUPT:
            return
        del self.tags[key]
        if not self.spot or not self.runs:
            raise invalid(f"{INTERRUPT}: {self.arn} is no running job of managed spot training.")
        self._interruption.set()

    def take_interruption(self) -> bool:
        """Whether the capacity is taken back; the next answer is no until it is asked for again."""
        taken = self._interruption.is_set()
        self._interruption.clear()
        return taken

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

    @property
    def max_wait(self) -> int | None:
        """How long a spot job may take with all its waiting, in seconds."""
        limit: int | None = self.request.get("StoppingCondition", {}).get("MaxWaitTimeInSeconds")
        return limit

    def describe(self) -> Params:
        """As DescribeTrainingJob shows it."""
        stopping = {"MaxRuntimeInSeconds": self.max_runtime, **self.request.get("StoppingCondition", {})}
        described: Params = {
            **self.described("TrainingJob", _SHOWN),
            "ModelArtifacts": {"S3ModelArtifacts": self.artifacts},
            "SecondaryStatus": self.secondary,
            "SecondaryStatusTransitions": [dict(item) for item in self.transitions],
            "StoppingCondition": stopping,
            "LastModifiedTime": self.modified,
            "EnableNetworkIsolation": self.request.get("EnableNetworkIsolation", False),
            "EnableInterContainerTrafficEncryption": self.request.get(
                "EnableInterContainerTrafficEncryption", False
            ),
            "EnableManagedSpotTraining": self.spot,
        }
        if self.trial is not None:
            described["TuningJobArn"] = self.trial.tuning_job
        if self.started is not None:
            described["TrainingStartTime"] = self.started
        if self.ended is not None:
            described["TrainingEndTime"] = self.ended
            seconds = max(1, round((self.ended - (self.started or self.ended)).total_seconds()))
            billable = max(1, round(seconds * SPOT_SHARE)) if self.spot else seconds
            described |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": billable}
        if final := self.metrics.final():
            described["FinalMetricDataList"] = final
        return described


class TrainingJobs(Service):
    """CreateTrainingJob and its kin."""

    name = "sagemaker"

    def __init__(self, site: Site) -> None:
        super().__init__(site.world)
        self._site = site
        self.table: Table[TrainingJob] = Table(
            missing="Requested resource not found.",
            taken="Training job names must be unique within an AWS account and region, and a training job "
            "with this name already exists ({arn})",
            taken_code="ResourceInUse",
        )
        self._jobs = Jobs("TrainingJob", self.table, self._announce)

    def stop(self) -> None:
        """End every job's processes."""
        self._jobs.abandon()

    @operation("CreateTrainingJob")
    def create(self, call: Call, params: Params) -> Result:
        """Record the job and start it."""
        return {"TrainingJobArn": self.start_job(call, params).arn}

    def check(self, call: Call, params: Params) -> list[str]:
        """Check a request, and give it the metrics of a built-in algorithm; the names of all its metrics.

        Raises:
            AwsError: the request cannot be met.
        """
        image = training_rules.check(self.world, self._site.images, call, params)
        algorithm = params["AlgorithmSpecification"]
        definitions = [*algorithm.get("MetricDefinitions", []), *image.metric_definitions]
        params["AlgorithmSpecification"] = {**algorithm, "MetricDefinitions": definitions}
        return [definition["Name"] for definition in definitions]

    def ask_to_stop(self, job: TrainingJob) -> None:
        """Ask a running job to end."""
        self._jobs.stop(job.call, {"TrainingJobName": job.name})

    def start_job(self, call: Call, params: Params, trial: Trial | None = None) -> TrainingJob:
        """Record a job and start it."""
        self.check(call, params)
        name = params["TrainingJobName"]
        job = TrainingJob(call, name, arn(call, "training-job", name), params, trial=trial)
        self.table.add(job)
        job.enter("Starting", "Preparing the instances for training")
        self._jobs.begin(job, TrainingRun(self._site, job, self._jobs.changed))
        return job

    @operation("DescribeTrainingJob")
    def describe(self, call: Call, params: Params) -> Result:
        """The job in full."""
        return self._jobs.describe(call, params)

    @operation("ListTrainingJobs")
    def list(self, call: Call, params: Params) -> Result:
        """The jobs in brief."""
        return self._jobs.list(call, params, _more)

    @operation("StopTrainingJob")
    def stop_job(self, call: Call, params: Params) -> Result:
        """Ask the job to end; what it has written is still kept."""
        self._jobs.stop(call, params)
        return None

    @operation("DeleteTrainingJob")
    def delete(self, call: Call, params: Params) -> Result:
        """Forget a job that has ended; its name is free again."""
        self._jobs.delete(call, params)
        return None

    def _announce(self, job: TrainingJob) -> None:
        announce(self.world, job, "Training Job", job.describe())


def _more(job: TrainingJob) -> Params:
    ended = {"TrainingEndTime": job.ended} if job.ended is not None else {}
    return {"SecondaryStatus": job.secondary, **ended}
