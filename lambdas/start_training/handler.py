"""Starts the runs that an upload, a schedule or a person asks for; each exactly once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lambdas.shared.logs import Log
from lambdas.start_training.adapters import AwsWorkplace, Workplace
from lambdas.start_training.logic import (
    Fingerprint,
    Run,
    Upload,
    listening_jobs,
    parse,
    run_of_request,
    run_of_upload,
)
from lambdas.start_training.settings import StartTrainingSettings

log = Log("start_training")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. Errors are raised: Lambda retries, then the event becomes a dead letter."""
    settings = StartTrainingSettings.from_environment(os.environ)
    return respond(event, context.aws_request_id, settings, AwsWorkplace(settings))


def respond(
    event: Mapping[str, Any], request_id: str, settings: StartTrainingSettings, workplace: Workplace
) -> dict[str, Any]:
    """Start what `event` asks for.

    Returns:
        `{"runs": [{"job", "status", …}]}`, one entry a job, none when no job listens. `status` is "started"
        or "already started" (with `run` and `execution`), or "waiting" (with the `channel` without data).

    Raises:
        ValueError: an event of no known kind, of another bucket, or for a job that does not exist.
    """
    asked = parse(event, request_id)
    if isinstance(asked, Upload):
        if asked.bucket != settings.bucket:
            raise ValueError(f"an event of bucket {asked.bucket}, but this function serves {settings.bucket}")
        jobs = listening_jobs(asked, settings.jobs)
        if not jobs:
            log.info("ignored: no job listens to this key", key=asked.key)
    else:
        if asked.job not in settings.jobs:
            raise ValueError(f"no job {asked.job!r} here; the jobs are {', '.join(sorted(settings.jobs))}")
        jobs = [asked.job]

    runs = []
    for job in jobs:
        data = _fingerprint(settings.jobs[job].channels, workplace)
        channel = data.empty_channel()
        if channel is not None:
            prefix = settings.jobs[job].channels[channel]
            log.info("waiting for channel", channel=channel, job=job, prefix=prefix)
            runs.append({"job": job, "status": "waiting", "channel": channel})
        elif isinstance(asked, Upload):
            runs.append(_start(run_of_upload(job, data.text()), workplace))
        else:
            runs.append(_start(run_of_request(asked, data.text(), settings.jobs[job]), workplace))
    return {"runs": runs}


def _fingerprint(channels: Mapping[str, str], workplace: Workplace) -> Fingerprint:
    fingerprint = Fingerprint()
    for channel, prefix in channels.items():
        fingerprint.add(channel, workplace.objects(prefix))
    return fingerprint


def _start(run: Run, workplace: Workplace) -> dict[str, str]:
    status = "started" if workplace.start(run) else "already started"
    log.info(status, run=run.name, job=run.job, trigger=run.trigger)
    return {"job": run.job, "status": status, "run": run.name, "execution": workplace.execution(run)}
