"""Fills in what a team file leaves out, so that the stacks never have to guess."""

from __future__ import annotations

from typing import Any, TypeVar

from atelier.spec import images
from atelier.spec.base import Model
from atelier.spec.guardrails import Guardrails
from atelier.spec.hyperparameters import of_algorithm
from atelier.spec.jobs import MAX_RUNTIME_MINUTES, Channel, Job, Prepare, Spot, Transform, Upload
from atelier.spec.model import TeamEnvironment, TeamFile
from atelier.spec.network import Network
from atelier.spec.sources import Algorithm, Framework, JumpStart
from atelier.spec.studio import Space, Studio, StudioUser

CHANNELS = ("train", "validation")
INPUT = "data"
"""The input of a preparation that names none."""
REGION = "{region}"
"""What an address of JumpStart may hold in place of the region."""

M = TypeVar("M", bound=Model)

RETAINED = "prod"
"""The environment whose data outlives its stacks unless its file says otherwise."""


def channels(name: str, job: Job) -> dict[str, Channel]:
    """The channels of the job called `name`: those it declares, else train and validation.

    One without a prefix is what the preparation writes, or `<name>/<channel>/` where there is none.
    """
    found = job.channels or ({channel: Channel() for channel in CHANNELS} if job.trains else {})
    if job.prepare is not None:
        return found
    return {
        channel: one.model_copy(update={"prefix": one.prefix or f"{name}/{channel}/"})
        for channel, one in found.items()
    }


def preparation(name: str, job: Job) -> Prepare | None:
    """The job's preparation with its inputs, `<name>/data/` when it names none."""
    if job.prepare is None:
        return None
    inputs = job.prepare.inputs or {INPUT: f"{name}/{INPUT}/"}
    return job.prepare.model_copy(update={"inputs": inputs})


def metrics(job: Job) -> dict[str, str]:
    """The job's metrics by name; those of AWS's algorithms are AWS's own, and have no expression here."""
    algorithm = algorithm_of(job)
    return dict.fromkeys(of_algorithm(algorithm).metrics, "") if algorithm else job.patterns


def algorithm_of(job: Job) -> str | None:
    """The built-in algorithm whose image the job uses, with a script of its own or without."""
    if job.algorithm is not None:
        return job.algorithm.name
    return "xgboost" if job.framework is not None and job.framework.name == "xgboost" else None


def sources(name: str, job: Job) -> dict[str, str]:
    """What people upload for the job called `name`: channel or input to prefix in the data bucket."""
    filled = {"channels": channels(name, job), "prepare": preparation(name, job)}
    return job.model_copy(update=filled).sources


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
        jobs={
            job_name: _job(job_name, job, file.guardrails, declared.region)
            for job_name, job in file.jobs.items()
        },
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


def _job(name: str, job: Job, guardrails: Guardrails, region: str) -> Job:
    most = guardrails.max_runtime_minutes or MAX_RUNTIME_MINUTES
    runtime = min(job.max_runtime_minutes, most)
    prepare = preparation(name, job)
    filled: dict[str, Any] = {
        "channels": channels(name, job),
        "max_runtime_minutes": runtime,
        "metrics": metrics(job),
        "framework": job.framework and _resolved(job.framework),
        "algorithm": job.algorithm and _resolved(job.algorithm),
        "jumpstart": job.jumpstart and _placed(job.jumpstart, region),
        "transform": job.transform and _transform(name, job.transform),
        "checkpoints": job.checkpoints or job.spot is not None,
        "spot": job.spot and _spot(job.spot, runtime),
        "prepare": prepare
        and prepare.model_copy(
            update={
                "framework": _resolved(prepare.framework),
                "max_runtime_minutes": min(prepare.max_runtime_minutes, most),
            }
        ),
    }
    if "triggers" not in job.model_fields_set:
        found = list(job.model_copy(update=filled).sources)
        filled["triggers"] = [Upload(upload=found)] if found else []
    return job.model_copy(update=filled)


N = TypeVar("N", Framework, Algorithm)


def _resolved(named: N) -> N:
    """With its full version."""
    return named.model_copy(update={"version": images.resolve(named.name, named.version)})


def _spot(spot: Spot, runtime: int) -> Spot:
    wait = spot.max_wait_minutes or min(2 * runtime, MAX_RUNTIME_MINUTES)
    return spot.model_copy(update={"max_wait_minutes": max(wait, runtime)})


def _transform(name: str, transform: Transform) -> Transform:
    filled = {"accept": transform.accept or transform.content_type}
    if transform.prepared is None:
        filled["input"] = transform.input or f"{name}/batch/"
    return transform.model_copy(update=filled)


def _placed(jumpstart: JumpStart, region: str) -> JumpStart:
    """With the region in its addresses."""
    training = jumpstart.training
    return jumpstart.model_copy(
        update={
            "artifact": jumpstart.artifact.replace(REGION, region),
            "framework": jumpstart.framework and _resolved(jumpstart.framework),
            "training": training
            and training.model_copy(
                update={key: getattr(training, key).replace(REGION, region) for key in ("artifact", "script")}
            ),
        }
    )
