"""Fills in what a team file leaves out, so that the stacks never have to guess."""

from __future__ import annotations

from typing import Any, TypeVar

from atelier.spec import images
from atelier.spec.base import Model
from atelier.spec.guardrails import Guardrails
from atelier.spec.model import Framework, Job, TeamEnvironment, TeamFile, Upload
from atelier.spec.network import Network
from atelier.spec.studio import Space, Studio, StudioUser

CHANNELS = ("train", "validation")

M = TypeVar("M", bound=Model)

RETAINED = "prod"
"""The environment whose data outlives its stacks unless its file says otherwise."""


def channels(name: str, job: Job) -> dict[str, str]:
    """The channels of the job called `name`: those it declares, else `<name>/train/` and /validation/."""
    return job.channels or {channel: f"{name}/{channel}/" for channel in CHANNELS}


def environment(name: str, file: TeamFile) -> TeamEnvironment:
    """The environment called `name` of a checked file, whose override is already merged."""
    declared = file.environments[name]
    retain = name == RETAINED if declared.retain is None else declared.retain
    protection = declared.termination_protection
    return TeamEnvironment(
        team=file.team,
        name=name,
        owners=file.owners,
        cost_centre=file.cost_centre,
        account=declared.account,
        region=declared.region,
        retain=retain,
        termination_protection=retain if protection is None else protection,
        approval=declared.approval,
        notify=file.owners if declared.notify is None else declared.notify,
        images=file.images,
        jobs={job_name: _job(job_name, job, file.guardrails) for job_name, job in file.jobs.items()},
        endpoints=file.endpoints,
        other_accounts=sorted({one.account for one in file.environments.values()} - {declared.account}),
        network=declared.network,
        budget=declared.budget,
        unused=declared.unused,
        studio=_studio(file.studio) if file.studio else None,
        notebooks=file.notebooks,
        guardrails=_guardrails(file.guardrails, declared.network),
    )


def user(studio: Studio, person: StudioUser) -> StudioUser:
    """A user with the domain's limits where the file says nothing of the user's own."""
    return person.model_copy(
        update={
            "instances": person.instances or studio.instances,
            "storage_gb": _over(studio.storage_gb, person.storage_gb),
            "idle_minutes": _over(studio.idle_minutes, person.idle_minutes),
        }
    )


def _studio(studio: Studio) -> Studio:
    users = {name: user(studio, person) for name, person in studio.users.items()}
    spaces = {name: _space(space, users[space.owner]) for name, space in studio.spaces.items()}
    return studio.model_copy(update={"users": users, "spaces": spaces})


def _space(space: Space, owner: StudioUser) -> Space:
    # Not its volume: SageMaker gives a new space its owner's default. Written down here, another default
    # would have volumes changed that are in use, and one can only grow, and only while nothing runs in it.
    instances = owner.instances or []
    return space.model_copy(update={"instance": space.instance or instances[0]})


def _over(base: M, own: M | None) -> M:
    """`base` with what `own` says itself in its place."""
    return base.model_copy(update={key: getattr(own, key) for key in own.model_fields_set}) if own else base


def _guardrails(guardrails: Guardrails, network: Network) -> Guardrails:
    if guardrails.require_vpc is not None:
        return guardrails
    return guardrails.model_copy(update={"require_vpc": network.mode != "none"})


def _job(name: str, job: Job, guardrails: Guardrails) -> Job:
    found = channels(name, job)
    filled: dict[str, Any] = {"channels": found}
    if "triggers" not in job.model_fields_set:
        filled["triggers"] = [Upload(upload=list(found))]
    if guardrails.max_runtime_minutes is not None:
        filled["max_runtime_minutes"] = min(job.max_runtime_minutes, guardrails.max_runtime_minutes)
    if job.framework is not None:
        version = images.resolve(job.framework.name, job.framework.version)
        filled["framework"] = Framework(name=job.framework.name, version=version)
    return job.model_copy(update=filled)
