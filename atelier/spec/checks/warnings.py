"""What is allowed in a team file and still worth a word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from atelier.spec import images
from atelier.spec.checks.finding import SCRIPTS
from atelier.spec.disks import has_local_disks
from atelier.spec.model import TeamEnvironment
from atelier.spec.vpc_endpoints import services_of

DOCUMENTED_HYPERPARAMETER_VALUE = 256
"""SageMaker's interface takes more; its documentation does not promise it."""

PACKAGE = re.compile(r"^ *([a-z0-9._-]+)", re.MULTILINE)
"""The packages that a file of requirements names."""
BRINGS = {
    "torch": ("pytorch", "huggingface"),
    "tensorflow": ("tensorflow",),
    "tensorflow-cpu": ("tensorflow",),
    "mxnet": ("mxnet",),
}
"""Packages that are frameworks, each with those whose images hold it."""


def warnings(environment: TeamEnvironment, project: Path) -> list[str]:
    """What is allowed and still worth a word, one line each."""
    said: list[str] = []
    if environment.network.mode == "created" and environment.network.internet == "none":
        said += [
            f"{what}, which a network without internet cannot reach"
            for what in _fetched(environment, project)
        ]
    said += _unconnected(environment)
    said += _untold(environment)
    said += _without_effect(environment)
    said += _brought_by_another(environment, project)
    for name, endpoint in environment.endpoints.items():
        job = environment.jobs[endpoint.job]
        if job.framework is None:
            continue
        trained = images.resolve(job.framework.name, job.framework.version)
        served = images.serving_version(job.framework.name, job.framework.version)
        if trained != served:
            said.append(
                f"endpoints.{name}: trained with {job.framework.name} {trained}, "
                f"served by the image of {served}; AWS makes none of that version"
            )
    return said


def _unconnected(environment: TeamEnvironment) -> Iterator[str]:
    """A network from which nothing is reached until a person connects it."""
    network = environment.network
    closed = network.mode == "created" and network.internet == "none" and network.endpoints == "shared"
    if closed and services_of(environment):
        yield (
            f"environments.{environment.name}.network: reaches none of the shared endpoints until somebody"
            " connects it with theirs (a transit gateway or VPC peering, with routes both ways) and"
            " associates the private hosted zones of their names with its VPC"
        )


def _untold(environment: TeamEnvironment) -> Iterator[str]:
    """What costs go on, or stop, and nobody hears of it."""
    at, budget = f"environments.{environment.name}", environment.budget
    if budget is not None and not environment.notify:
        stop = " and its stop" if budget.stop_at_limit else ""
        yield f"{at}.budget: nobody is told of its alerts{stop}, since notify is empty"
    if environment.unused.model_fields_set and not (environment.endpoints or environment.notebooks):
        yield f"{at}.unused: has no effect, since there is neither an endpoint nor a notebook instance"
    for name, space in environment.studio.spaces.items() if environment.studio else ():
        if space.shared and space.app == "code_editor":
            yield (
                f"studio.spaces.{name}: SageMaker has no idle time for Code Editor in a shared space, so it"
                " is paid until somebody stops it;  app: jupyterlab  stops by itself"
            )


def _without_effect(environment: TeamEnvironment) -> Iterator[str]:
    """What jobs ask for and may not get."""
    for name, job in environment.jobs.items():
        own = [one for one in job.instances if has_local_disks(one)]
        if own and "volume_gb" in job.model_fields_set:
            yield f"jobs.{name}.volume_gb: {', '.join(own)} brings disks of its own, whose size is fixed"
        for key, value in job.hyperparameters.items():
            if len(json.dumps(value)) > DOCUMENTED_HYPERPARAMETER_VALUE:
                yield (
                    f"jobs.{name}.hyperparameters.{key}: is longer than the"
                    f" {DOCUMENTED_HYPERPARAMETER_VALUE} characters that SageMaker's documentation names"
                )


def _brought_by_another(environment: TeamEnvironment, project: Path) -> Iterator[str]:
    """The frameworks that a script installs into the image of another: perhaps the wrong one is named."""
    for name, job in environment.jobs.items():
        requirements = project / SCRIPTS / (job.script or "") / "requirements.txt"
        if job.script is None or job.framework is None or not requirements.is_file():
            continue
        installed = set(PACKAGE.findall(requirements.read_text(encoding="utf-8", errors="replace").lower()))
        for package in sorted(installed & set(BRINGS)):
            if job.framework.name not in BRINGS[package]:
                yield (
                    f"jobs.{name}: {SCRIPTS}/{job.script} installs {package} into the image of"
                    f" {job.framework.name}; framework: {' or '.join(BRINGS[package])} brings it"
                )


def _fetched(environment: TeamEnvironment, project: Path) -> Iterator[str]:
    """What the environment wants from the internet."""
    for name, job in environment.jobs.items():
        wanted = {"requirements.txt": job.script, "requirements-prepare.txt": job.prepare and job.folder}
        for file, folder in wanted.items():
            if folder and (project / SCRIPTS / folder / file).is_file():
                yield f"jobs.{name}: {SCRIPTS}/{folder}/{file} is installed from a package index"
    studio = environment.studio
    if studio is not None and studio.internet == "vpc_only":
        if studio.packages is not None:
            yield f"studio.packages: {studio.packages} is installed from a package index"
        if studio.repositories:
            yield f"studio.repositories: are cloned from {urlsplit(studio.repositories[0]).hostname}"
