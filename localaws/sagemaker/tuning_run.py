"""One tuning job as it runs: it starts training jobs, watches what they reach, and says which is best."""

from __future__ import annotations

import logging
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from localaws.sagemaker.jobs import COMPLETED, FAILED, STOPPED
from localaws.sagemaker.records import now
from localaws.sagemaker.training import TrainingJob, TrainingJobs, Trial
from localaws.service import AwsError, Params

if TYPE_CHECKING:
    from localaws.sagemaker.tuning import TuningJob

log = logging.getLogger("localaws.sagemaker")

_AT_RANDOM = "localaws: the tuning strategy Bayesian is answered by random search"
_LOOK_SECONDS = 0.1
_FAILURES_AT_FIRST = 5
_FEWEST_TO_COMPARE = 3
"""So many jobs must have ended before another is stopped for doing worse than them."""


class TuningRun:
    """A tuning job on its own thread."""

    def __init__(
        self,
        jobs: TrainingJobs,
        job: TuningJob,
        candidates: Iterator[dict[str, str]],
        changed: Callable[[TuningJob], None],
    ) -> None:
        self._jobs = jobs
        self._job = job
        self._candidates = candidates
        self._changed = changed
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tuning-{job.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def abandon(self) -> None:
        """The server stops: look no more; the training jobs are ended by their own service."""
        self._abandoned.set()

    def _run(self) -> None:
        job = self._job
        job.started = now()
        failure = None
        try:
            self._work()
        except AwsError as error:
            failure = f"ClientError: {error.message}"
        except Exception as error:
            log.exception("tuning job %s", job.name)
            failure = f"InternalServerError: {type(error).__name__}: {error}"
        if self._abandoned.is_set():
            return
        self._stop_running()
        while any(item.runs for item in job.training_jobs) and not self._abandoned.wait(_LOOK_SECONDS):
            pass
        if job.stop.is_set():
            job.end(STOPPED)
        elif failure is None and job.best() is None:
            job.end(
                FAILED,
                f"No training job succeeded after {len(job.training_jobs)} attempts. For additional details, "
                "please take a look at the training job failures by listing training jobs for the tuning "
                "job.",
            )
        else:
            job.end(FAILED if failure else COMPLETED, failure)
        self._changed(job)

    def _work(self) -> None:
        exhausted = False
        while not self._abandoned.is_set() and not self._done():
            running = [item for item in self._job.training_jobs if item.runs]
            while not exhausted and len(running) < self._job.parallel and self._job.may_start():
                values = next(self._candidates, None)
                exhausted = values is None
                if values is not None:
                    running.append(self._start(values))
            if not running:
                return
            if self._job.stops_early:
                for item in running:
                    self._stop_if_worse(item)
            time.sleep(_LOOK_SECONDS)

    def _done(self) -> bool:
        job = self._job
        ended = [item for item in job.training_jobs if not item.runs]
        hopeless = len(ended) >= _FAILURES_AT_FIRST and all(item.status == FAILED for item in ended)
        late = (now() - job.created).total_seconds() > job.max_runtime
        return job.stop.is_set() or hopeless or late or job.reached()

    def _start(self, values: dict[str, str]) -> TrainingJob:
        number = len(self._job.training_jobs) + 1
        name = f"{self._job.name}-{number:03d}-{uuid.uuid4().hex[:8]}"
        notes = (_AT_RANDOM,) if self._job.strategy == "Bayesian" else ()
        trial = Trial(self._job.arn, values, notes)
        started = self._jobs.start_job(self._job.call, self._job.training(name, values), trial)
        self._job.training_jobs.append(started)
        return started

    def _stop_running(self) -> None:
        for item in self._job.training_jobs:
            if item.runs and not item.stop.is_set():
                self._jobs.ask_to_stop(item)

    def _stop_if_worse(self, item: TrainingJob) -> None:
        """The median rule: worse than the running average of half of those that went as far before."""
        if item.stop.is_set():
            return
        values = item.metrics.values(self._job.metric)
        others = [
            other.metrics.values(self._job.metric) for other in self._job.training_jobs if not other.runs
        ]
        averages = [
            statistics.fmean(other[: len(values)]) for other in others if len(other) >= len(values) > 0
        ]
        if len(averages) < _FEWEST_TO_COMPARE:
            return
        best = max(values) if self._job.maximizes else min(values)
        median = statistics.median(averages)
        if best < median if self._job.maximizes else best > median:
            self._jobs.ask_to_stop(item)


def summary(job: TrainingJob, tuning: TuningJob) -> Params:
    """A training job as the operations on tuning jobs show it."""
    described = job.describe()
    keys = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "TrainingJobStatus",
        "FailureReason",
    )
    value = tuning.objective(job)
    metric = {"MetricName": tuning.metric, "Value": value, "Type": tuning.direction}
    return {
        **{key: described[key] for key in keys if key in described},
        "TunedHyperParameters": dict(job.trial.values) if job.trial is not None else {},
        "ObjectiveStatus": "Pending" if job.runs else "Failed" if value is None else "Succeeded",
        **({"FinalHyperParameterTuningJobObjectiveMetric": metric} if value is not None else {}),
    }
