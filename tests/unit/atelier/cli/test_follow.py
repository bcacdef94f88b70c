from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from atelier.cli.follow import Finished, JobStarted, LogLine, StateEntered, follow, training_jobs

EXECUTION = "arn:aws:states:eu-west-1:111122223333:execution:machine:run"


def entered(number: int, name: str) -> dict[str, Any]:
    """The event of a state that is entered."""
    return {"id": number, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": name}}


def scheduled(number: int, job: str, instance: str = "ml.m5.large") -> dict[str, Any]:
    """The event of a training job that is asked for."""
    parameters = {"TrainingJobName": job, "ResourceConfig": {"InstanceType": instance}}
    details = {"resource": "createTrainingJob.sync", "parameters": json.dumps(parameters)}
    return {"id": number, "type": "TaskScheduled", "taskScheduledEventDetails": details}


@dataclass
class Aws:
    """Step Functions and CloudWatch Logs as one run sees them: each look shows the next moment."""

    moments: list[dict[str, Any]]
    """`events` so far, `status`, and `logs`: lines so far by stream."""
    looks: Any = field(default_factory=lambda: count(1))
    moment: dict[str, Any] = field(default_factory=dict)

    def __call__(self, service: str) -> Aws:
        return self

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 -- AWS's names
        """The execution now; time goes on."""
        self.moment = self.moments[min(next(self.looks), len(self.moments)) - 1]
        return {"status": "RUNNING", **self.moment}

    def get_paginator(self, name: str) -> Aws:
        """For the history."""
        return self

    def paginate(self, executionArn: str) -> list[dict[str, Any]]:  # noqa: N803 -- AWS's names
        """The history in pages of two events."""
        events = (self.moment or self.moments[-1])["events"]
        return [{"events": events[start : start + 2]} for start in range(0, len(events), 2)]

    def describe_log_streams(self, logGroupName: str, logStreamNamePrefix: str) -> dict[str, Any]:  # noqa: N803
        """The streams of a job; the group appears with the first."""
        logs = self.moment.get("logs")
        if logs is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeLogStreams")
        return {"logStreams": [{"logStreamName": n} for n in logs if n.startswith(logStreamNamePrefix)]}

    def get_log_events(self, logStreamName: str, nextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        """A page of two lines; the token is how far one has read."""
        lines, start = self.moment["logs"][logStreamName], int(nextToken)
        page = lines[start : start + 2]
        events = [{"message": f"{line}\n"} for line in page]
        return {"events": events, "nextForwardToken": str(start + len(page))}


def test_everything_is_told_once_and_in_order():
    """States, jobs and log lines come as they happen, none twice and none left out; the end comes last."""
    first = [entered(1, "Prepare"), entered(2, "Train"), scheduled(3, "job-1")]
    last = [*first, entered(4, "Done")]
    aws = Aws(
        [
            {"events": first},
            {"events": first, "logs": {"job-1/a": ["one"], "other/a": ["not ours"]}},
            {"events": first, "logs": {"job-1/a": ["one", "two", "three", "four"], "job-1/b": ["left"]}},
            {
                "events": last,
                "logs": {"job-1/a": ["one", "two", "three", "four", "five"], "job-1/b": ["left"]},
                "status": "SUCCEEDED",
                "output": '{"metrics": {"rmse": 1.5}}',
            },
        ]
    )
    told = list(follow(aws, EXECUTION, poll_seconds=0))
    assert [event for event in told if not isinstance(event, LogLine)] == [
        StateEntered("Prepare", "Task"),
        StateEntered("Train", "Task"),
        JobStarted("training", "job-1", "ml.m5.large", "/aws/sagemaker/TrainingJobs"),
        StateEntered("Done", "Task"),
        Finished("SUCCEEDED", {"metrics": {"rmse": 1.5}}, "", ""),
    ]
    lines = [event.text for event in told if isinstance(event, LogLine)]
    assert lines == ["one", "two", "three", "four", "left", "five"]
    assert isinstance(told[-1], Finished)


def test_a_failed_run_ends_with_error_and_cause():
    """What a failed execution says is passed on."""
    aws = Aws([{"events": [entered(1, "A")], "status": "FAILED", "error": "E", "cause": "because"}])
    assert list(follow(aws, EXECUTION, poll_seconds=0)) == [
        StateEntered("A", "Task"),
        Finished("FAILED", {}, "E", "because"),
    ]


def test_every_attempt_has_its_log():
    """A second training job, on another instance type, is followed too."""
    events = [scheduled(1, "job-1", "ml.p5.48xlarge"), scheduled(2, "job-2")]
    logs = {"job-1/a": ["first"], "job-2/a": ["second"]}
    aws = Aws([{"events": events, "logs": logs, "status": "SUCCEEDED"}])
    told = list(follow(aws, EXECUTION, poll_seconds=0))
    assert LogLine("job-1", "first") in told
    assert LogLine("job-2", "second") in told
    assert [one.job for one in training_jobs(aws, EXECUTION)] == ["job-1", "job-2"]
