"""Tuning jobs: the operations on them. What a job does is in tuning_run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from localaws.sagemaker.announce import announce
from localaws.sagemaker.jobs import COMPLETED, FAILED, IN_PROGRESS, STOPPED, STOPPING, Job, Jobs
from localaws.sagemaker.records import BY_NAME_AND_TIME, Table, arn, invalid, listing
from localaws.sagemaker.training import TrainingJob, TrainingJobs
from localaws.sagemaker.tuning_run import TuningRun, summary
from localaws.sagemaker.tuning_search import at_random, on_grid, ranges_of
from localaws.service import Call, NotEmulated, Params, Result, Service, operation
from localaws.world import World

_KIND = "HyperParameterTuningJob"
_CONFIG = f"{_KIND}Config"
_SHOWN = (_CONFIG, "TrainingJobDefinition")
_KNOWN = {f"{_KIND}Name", *_SHOWN, "Tags"}
_KNOWN_CONFIG = {
    "Strategy",
    f"{_KIND}Objective",
    "ResourceLimits",
    "ParameterRanges",
    "TrainingJobEarlyStoppingType",
    "TuningJobCompletionCriteria",
    "RandomSeed",
}
_KNOWN_CRITERIA = {"TargetObjectiveMetricValue", "BestObjectiveNotImproving"}
_OWN = ("DefinitionName", "StaticHyperParameters", "HyperParameterRanges", "TuningObjective")
METRIC_PARAMETER = "_tuning_objective_metric"
"""The hyperparameter by which SageMaker tells a training job what it is tuned for."""


@dataclass
class TuningJob(Job):
    """A tuning job: what was asked for, and its training jobs, oldest first."""

    training_jobs: list[TrainingJob] = field(default_factory=list)
    most: int | None = None
    """How many training jobs there may be; None for as many as there are combinations."""

    @property
    def config(self) -> dict[str, Any]:
        """Its HyperParameterTuningJobConfig."""
        config: dict[str, Any] = self.request[_CONFIG]
        return config

    @property
    def strategy(self) -> str:
        """Random, Grid or Bayesian."""
        return str(self.config["Strategy"])

    @property
    def metric(self) -> str:
        """The objective's name."""
        return str(self.config[f"{_KIND}Objective"]["MetricName"])

    @property
    def direction(self) -> str:
        """Maximize or Minimize."""
        return str(self.config[f"{_KIND}Objective"]["Type"])

    @property
    def maximizes(self) -> bool:
        """Whether more is better."""
        return self.direction == "Maximize"

    @property
    def parallel(self) -> int:
        """How many training jobs may run at once."""
        return int(self.config["ResourceLimits"]["MaxParallelTrainingJobs"])

    @property
    def max_runtime(self) -> int:
        """How long all of it may take, in seconds."""
        return int(self.config["ResourceLimits"].get("MaxRuntimeInSeconds", 30 * 86_400))

    @property
    def stops_early(self) -> bool:
        """Whether training jobs that do worse than others are stopped."""
        return bool(self.config.get("TrainingJobEarlyStoppingType") == "Auto")

    def may_start(self) -> bool:
        """Whether another training job is allowed."""
        return not self.stop.is_set() and (self.most is None or len(self.training_jobs) < self.most)

    def training(self, name: str, values: dict[str, str]) -> Params:
        """The CreateTrainingJob request of that name, to try these values."""
        definition = self.request["TrainingJobDefinition"]
        static = definition.get("StaticHyperParameters", {})
        return {
            **{key: value for key, value in definition.items() if key not in _OWN},
            "TrainingJobName": name,
            "HyperParameters": {**static, **values, METRIC_PARAMETER: self.metric},
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }

    def objective(self, job: TrainingJob) -> float | None:
        """What a training job reached, once it has ended without failing."""
        if job.status not in (COMPLETED, STOPPED):
            return None
        values = job.metrics.values(self.metric)
        return values[-1] if values else None

    def best(self) -> TrainingJob | None:
        """The training job that reached the best objective so far."""
        reached = [(value, job) for job in self.training_jobs if (value := self.objective(job)) is not None]
        if not reached:
            return None
        choose = max if self.maximizes else min
        return choose(reached, key=lambda pair: pair[0])[1]

    def reached(self) -> bool:
        """Whether the completion criteria are met."""
        criteria = self.config.get("TuningJobCompletionCriteria", {})
        best = self.best()
        value = self.objective(best) if best is not None else None
        if best is None or value is None:
            return False
        target = criteria.get("TargetObjectiveMetricValue")
        if target is not None and (value >= target if self.maximizes else value <= target):
            return True
        patience = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
        ended = [job for job in self.training_jobs if not job.runs]
        later = len(ended) - ended.index(best) - 1
        return patience is not None and later >= patience

    def describe(self) -> Params:
        """As DescribeHyperParameterTuningJob shows it."""
        best = self.best()
        optional = {
            "HyperParameterTuningEndTime": self.ended,
            "BestTrainingJob": summary(best, self) if best is not None else None,
        }
        return {
            **self.described(_KIND, _SHOWN),
            "LastModifiedTime": self.modified,
            "TrainingJobStatusCounters": self._statuses(),
            "ObjectiveStatusCounters": self._objectives(),
            **{key: value for key, value in optional.items() if value is not None},
        }

    def _statuses(self) -> dict[str, int]:
        count = Counter(job.status for job in self.training_jobs)
        return {
            "Completed": count[COMPLETED],
            "InProgress": count[IN_PROGRESS] + count[STOPPING],
            "RetryableError": 0,
            "NonRetryableError": count[FAILED],
            "Stopped": count[STOPPED],
        }

    def _objectives(self) -> dict[str, int]:
        count = Counter(summary(job, self)["ObjectiveStatus"] for job in self.training_jobs)
        return {status: count[status] for status in ("Succeeded", "Pending", "Failed")}


class TuningJobs(Service):
    """CreateHyperParameterTuningJob and its kin."""

    name = "sagemaker"

    def __init__(self, world: World, training: TrainingJobs) -> None:
        super().__init__(world)
        self._training = training
        self.table: Table[TuningJob] = Table(
            missing="Amazon SageMaker can't find a tuning job with the name {name}.",
            taken="Tuning job names must be unique within an AWS account and region, and a tuning job with "
            "this name already exists ({arn})",
            taken_code="ResourceInUse",
            missing_code="ResourceNotFound",
        )
        self._jobs = Jobs(_KIND, self.table, self._announce)

    def stop(self) -> None:
        """Watch no more."""
        self._jobs.abandon()

    @operation("CreateHyperParameterTuningJob")
    def create(self, call: Call, params: Params) -> Result:
        """Record the job and start its first training jobs."""
        for field_name in _unknown(params):
            raise NotEmulated(f"CreateHyperParameterTuningJob: {field_name}")
        name = params[f"{_KIND}Name"]
        job = TuningJob(call, name, arn(call, "hyper-parameter-tuning-job", name), params)
        candidates = self._candidates(job)
        self.table.add(job)
        self._jobs.begin(job, TuningRun(self._training, job, candidates, self._jobs.changed))
        return {f"{_KIND}Arn": job.arn}

    def _candidates(self, job: TuningJob) -> Iterator[dict[str, str]]:
        """What the job will try; raises AwsError for a request that cannot be met."""
        ranges = ranges_of(job.config.get("ParameterRanges", {}))
        static = job.request["TrainingJobDefinition"].get("StaticHyperParameters", {})
        twice = [item.name for item in ranges if item.name in static]
        if twice or not ranges:
            raise invalid(
                f"Hyperparameters are both static and tuned: {', '.join(twice)}"
                if twice
                else "ParameterRanges names no hyperparameter to tune"
            )
        wanted = job.config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
        seed = job.config.get("RandomSeed")
        candidates = at_random(ranges, seed)
        if job.strategy == "Grid":
            grid = on_grid(ranges)
            if wanted not in (None, len(grid)):
                raise invalid(
                    f"MaxNumberOfTrainingJobs must be {len(grid)}, the number of combinations of the grid, "
                    f"or left out; it is {wanted}"
                )
            candidates, wanted = iter(grid), len(grid)
        job.most = wanted
        trial = next(at_random(ranges, seed))
        metrics = self._training.check(job.call, job.training(job.name, trial))
        if job.metric not in metrics:
            raise invalid(
                f"The objective metric {job.metric} is not among the metrics of the training jobs: "
                f"{', '.join(metrics) or 'none is defined'}"
            )
        return candidates

    @operation("DescribeHyperParameterTuningJob")
    def describe(self, call: Call, params: Params) -> Result:
        """The job in full."""
        return self._jobs.describe(call, params)

    @operation("ListHyperParameterTuningJobs")
    def list(self, call: Call, params: Params) -> Result:
        """The jobs in brief."""
        return self._jobs.list(call, params, _more)

    @operation("ListTrainingJobsForHyperParameterTuningJob")
    def list_training(self, call: Call, params: Params) -> Result:
        """A job's training jobs, with what they tried and reached."""
        tuning = self._jobs.named(call, params)
        wanted = params.get("StatusEquals")
        worst = -math.inf if tuning.maximizes else math.inf

        def value(job: TrainingJob) -> float:
            reached = tuning.objective(job)
            return worst if reached is None else reached

        orders = {**BY_NAME_AND_TIME, "Status": lambda job: job.status, "FinalObjectiveMetricValue": value}
        return listing(
            [job for job in tuning.training_jobs if wanted in (None, job.status)],
            params,
            lambda job: summary(job, tuning),
            key="TrainingJobSummaries",
            orders=orders,
        )

    @operation("StopHyperParameterTuningJob")
    def stop_job(self, call: Call, params: Params) -> Result:
        """Ask the job and its training jobs to end."""
        self._jobs.stop(call, params)
        return None

    @operation("DeleteHyperParameterTuningJob")
    def delete(self, call: Call, params: Params) -> Result:
        """Forget a job that has ended; its training jobs stay."""
        self._jobs.delete(call, params)
        return None

    def _announce(self, job: TuningJob) -> None:
        announce(self.world, job, "HyperParameter Tuning Job", job.describe())


def _more(job: TuningJob) -> Params:
    described = job.describe()
    keys = ("HyperParameterTuningEndTime", "TrainingJobStatusCounters", "ObjectiveStatusCounters")
    return {
        "Strategy": job.strategy,
        "ResourceLimits": job.config["ResourceLimits"],
        **{key: described[key] for key in keys if key in described},
    }


def _unknown(params: Params) -> Iterator[str]:
    """Whatever is asked for and does not exist here."""
    yield from params.keys() - _KNOWN
    config = params[_CONFIG]
    yield from (f"{_CONFIG}.{name}" for name in config.keys() - _KNOWN_CONFIG)
    if config["Strategy"] not in ("Random", "Grid", "Bayesian"):
        yield f"Strategy {config['Strategy']}"
    criteria = config.get("TuningJobCompletionCriteria", {})
    yield from (f"TuningJobCompletionCriteria.{name}" for name in criteria.keys() - _KNOWN_CRITERIA)
    if config.get("ParameterRanges", {}).get("AutoParameters"):
        yield "ParameterRanges.AutoParameters"
    for name, owner in (("TrainingJobDefinition", params), (f"{_KIND}Objective", config)):
        if name not in owner:
            yield f"a job without {name}"
    definition = params.get("TrainingJobDefinition", {})
    for name in ("HyperParameterRanges", "TuningObjective"):
        if name in definition:
            yield f"TrainingJobDefinition.{name}"
