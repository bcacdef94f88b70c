"""Follow a run as it happens: its states, the lines of its training log, its end.

Plain boto3 over Step Functions and CloudWatch Logs, so that it is the same against AWS and the embedded AWS.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

LOGS = "/aws/sagemaker/"
KINDS = {
    "createProcessingJob": ("processing", "ProcessingJobName", "ProcessingJobs"),
    "createTrainingJob": ("training", "TrainingJobName", "TrainingJobs"),
    "createHyperParameterTuningJob": ("tuning", "HyperParameterTuningJobName", "TrainingJobs"),
    "createTransformJob": ("transform", "TransformJobName", "TransformJobs"),
}
"""By task: what its jobs are called, how they are named in its arguments, and where they write their log."""


@dataclass(frozen=True)
class StateEntered:
    """The execution went on to a state; `kind` is its type, such as Task or Choice."""

    name: str
    kind: str


@dataclass(frozen=True)
class JobStarted:
    """A job of SageMaker's was asked for; `kind` is training, processing, tuning or transform."""

    kind: str
    job: str
    instance_type: str
    log_group: str


@dataclass(frozen=True)
class LogLine:
    """One line of a job's log."""

    job: str
    text: str


@dataclass(frozen=True)
class Finished:
    """The execution ended: SUCCEEDED with its output, or FAILED, TIMED_OUT, ABORTED with error and cause."""

    status: str
    output: dict[str, Any]
    error: str
    cause: str


Event = StateEntered | JobStarted | LogLine | Finished


def follow(client: Callable[[str], Any], execution: str, *, poll_seconds: float = 1.0) -> Iterator[Event]:
    """Yield what happens in an execution, from its start; `Finished` comes last.

    Args:
        client: gives a boto3 client of a service.
        execution: the execution's ARN.
        poll_seconds: the pause between two looks.
    """
    states = client("stepfunctions")
    seen = 0
    logs: list[_Log] = []
    while True:
        # Asked before the history is read, so that nothing is missed between the two.
        described = states.describe_execution(executionArn=execution)
        for event in _history(states, execution, after=seen):
            seen = event["id"]
            told = _told(event)
            if isinstance(told, StateEntered):
                # What the job said comes before the state that its end led to.
                for log in logs:
                    yield from log.new_lines()
            if isinstance(told, JobStarted):
                logs.append(_Log(client("logs"), told))
            if told is not None:
                yield told
        for log in logs:
            yield from log.new_lines()
        if described["status"] not in ("RUNNING", "PENDING_REDRIVE"):
            break
        time.sleep(poll_seconds)
    output = json.loads(described.get("output") or "{}")
    yield Finished(described["status"], output, described.get("error", ""), described.get("cause", ""))


def training_jobs(states: Any, execution: str) -> Iterator[JobStarted]:
    """The training jobs that an execution has asked for so far, one for each attempt."""
    for event in _history(states, execution, after=0):
        told = _told(event)
        if isinstance(told, JobStarted) and told.kind == "training":
            yield told


def _history(states: Any, execution: str, after: int) -> Iterator[dict[str, Any]]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution)
    for page in pages:
        yield from (event for event in page["events"] if event["id"] > after)


def _told(event: dict[str, Any]) -> Event | None:
    if event["type"].endswith("StateEntered"):
        kind = event["type"].removesuffix("StateEntered")
        return StateEntered(event["stateEnteredEventDetails"]["name"], kind)
    scheduled = event.get("taskScheduledEventDetails", {})
    kind = KINDS.get(scheduled.get("resource", "").removesuffix(".sync"))
    if kind is None:
        return None
    parameters = json.loads(scheduled["parameters"])
    return JobStarted(kind[0], parameters[kind[1]], _instance_type(parameters), LOGS + kind[2])


def _instance_type(parameters: dict[str, Any]) -> str:
    """What a job runs on, which each kind says elsewhere."""
    places = (
        parameters.get("ResourceConfig"),
        parameters.get("TrainingJobDefinition", {}).get("ResourceConfig"),
        parameters.get("ProcessingResources", {}).get("ClusterConfig"),
        parameters.get("TransformResources"),
    )
    return str(next(place["InstanceType"] for place in places if place))


@dataclass
class _Log:
    """The log of one job, which appears some time after the job."""

    logs: Any
    job: JobStarted
    tokens: dict[str, str] = field(default_factory=dict)
    """Where to read on, by stream: a job has one for each instance."""

    def new_lines(self) -> Iterator[LogLine]:
        try:
            # The trainings of a tuning job are named after it.
            end = "-" if self.job.kind == "tuning" else "/"
            found = self.logs.describe_log_streams(
                logGroupName=self.job.log_group, logStreamNamePrefix=f"{self.job.job}{end}"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return
            raise
        for stream in found["logStreams"]:
            yield from self._read(stream["logStreamName"])

    def _read(self, stream: str) -> Iterator[LogLine]:
        while True:
            token = {"nextToken": self.tokens[stream]} if stream in self.tokens else {}
            page = self.logs.get_log_events(
                logGroupName=self.job.log_group, logStreamName=stream, startFromHead=True, **token
            )
            for event in page["events"]:
                yield LogLine(self.job.job, event["message"].rstrip("\n"))
            # The same token again says that there is no more for now.
            if page["nextForwardToken"] == self.tokens.get(stream):
                return
            self.tokens[stream] = page["nextForwardToken"]
