"""Fills in what a team file leaves out, so that the stacks never have to guess."""

from __future__ import annotations

from typing import Any

from atelier.spec import images
from atelier.spec.model import Framework, Job, TeamEnvironment, TeamFile, Upload

CHANNELS = ("train", "validation")


def channels(name: str, job: Job) -> dict[str, str]:
    """The channels of the job called `name`: those it declares, else `<name>/train/` and /validation/."""
    return job.channels or {channel: f"{name}/{channel}/" for channel in CHANNELS}


def environment(name: str, file: TeamFile) -> TeamEnvironment:
    """The environment called `name` of a checked file, whose override is already merged."""
    declared = file.environments[name]
    return TeamEnvironment(
        team=file.team,
        name=name,
        owners=file.owners,
        cost_centre=file.cost_centre,
        account=declared.account,
        region=declared.region,
        retain=declared.retain,
        approval=declared.approval,
        notify=file.owners if declared.notify is None else declared.notify,
        images=file.images,
        jobs={job_name: _job(job_name, job) for job_name, job in file.jobs.items()},
        endpoints=file.endpoints,
    )


def _job(name: str, job: Job) -> Job:
    found = channels(name, job)
    filled: dict[str, Any] = {"channels": found}
    if "triggers" not in job.model_fields_set:
        filled["triggers"] = [Upload(upload=list(found))]
    if job.framework is not None:
        version = images.resolve(job.framework.name, job.framework.version)
        filled["framework"] = Framework(name=job.framework.name, version=version)
    return job.model_copy(update=filled)
