"""`.sync`: start a job, wait until it is done, stop it when nobody waits any more."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localaws.stepfunctions.errors import TASK_FAILED, StateError
from localaws.stepfunctions.jsontext import dumps
from localaws.stepfunctions.scope import Cancelled, OutOfTime
from localaws.stepfunctions.tasks.sdk import Operation, optimised_operation
from localaws.stepfunctions.tasks.shapes import json_or_text
from localaws.stepfunctions.tasks.task import TaskRun

# The state of a job is asked for after a fiftieth of the time that it has run: soon for a short one,
# cheaply for a long one, and never more than 2 % or a quarter of a second late.
_SHORTEST_POLL, _LONGEST_POLL, _SHARE = 0.05, 0.25, 0.02


@dataclass(frozen=True)
class Job:
    """What is to know about a kind of job: which member names it, what describes and stops it."""

    key: str
    status: str
    succeeded: frozenset[str]
    running: frozenset[str]
    describe: str
    stop: str


def _sagemaker(kind: str) -> Job:
    return Job(
        key=f"{kind}Name",
        status=f"{kind}Status",
        # A job that was stopped, or ran into its time limit, is no error: its result says `Stopped`.
        succeeded=frozenset({"Completed", "Stopped"}),
        running=frozenset({"InProgress", "Stopping", "Pending", "Deleting"}),
        describe=f"describe{kind}",
        stop=f"stop{kind}",
    )


_EXECUTION = Job(
    key="executionArn",
    status="status",
    succeeded=frozenset({"SUCCEEDED"}),
    running=frozenset({"RUNNING", "PENDING_REDRIVE"}),
    describe="describeExecution",
    stop="stopExecution",
)

JOBS: Mapping[tuple[str, str], Job] = {
    ("sagemaker", "createTrainingJob"): _sagemaker("TrainingJob"),
    ("sagemaker", "createProcessingJob"): _sagemaker("ProcessingJob"),
    ("sagemaker", "createTransformJob"): _sagemaker("TransformJob"),
    ("sagemaker", "createHyperParameterTuningJob"): _sagemaker("HyperParameterTuningJob"),
    ("states", "startExecution"): _EXECUTION,
}


@dataclass(frozen=True)
class Waiting:
    """How one kind of job is waited for."""

    job: Job
    describe: Operation
    stop: Operation
    parse_output: bool
    """Whether the `Output` of a finished execution becomes JSON (`.sync:2`)."""

    def until_done(self, run: TaskRun, request: Mapping[str, Any], response: Mapping[str, Any]) -> Any:
        """The job's description once it succeeded; States.TaskFailed with it as cause when it did not.

        The job is stopped when the task times out or its execution is stopped.
        """
        client = run.client(self.describe.service)
        which = {self.job.key: response.get(self.job.key) or request[self.job.key]}
        try:
            return self._poll(run, client, which)
        except (Cancelled, OutOfTime, TimeoutError):
            if not run.world.stopping.is_set():
                # It may have ended just now.
                with contextlib.suppress(StateError):
                    self.stop.send(client, which)
            raise

    def _poll(self, run: TaskRun, client: Any, which: Mapping[str, Any]) -> Any:
        started = time.monotonic()
        while True:
            interval = (time.monotonic() - started) * _SHARE
            run.scope.wait(min(max(interval, _SHORTEST_POLL), _LONGEST_POLL, run.left()))
            response = self.describe.send(client, which)
            status = response[self.job.status]
            if status in self.job.running:
                if run.left() <= 0:
                    raise TimeoutError
                continue
            result = self._result(response)
            if status in self.job.succeeded:
                return result
            raise StateError(TASK_FAILED, dumps(result))

    def _result(self, response: Mapping[str, Any]) -> dict[str, Any]:
        result = self.describe.result(response)
        if self.parse_output:
            for name in ("Input", "Output"):
                if name in result:
                    result[name] = json_or_text(result[name])
        return result


def waiting_for(service: str, action: str, operation: Operation, *, parse_output: bool) -> Waiting | None:
    """How the job that this integration starts is waited for, or None when it starts none."""
    job = JOBS.get((service, action))
    if job is None:
        return None
    describe, stop = (
        optimised_operation(operation.service, name, operation.prefix, operation.unmodelled, ())
        for name in (job.describe, job.stop)
    )
    return Waiting(job, describe, stop, parse_output)
