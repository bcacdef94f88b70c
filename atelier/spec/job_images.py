"""The images that a job trains and serves with, whatever trains it."""

from __future__ import annotations

from collections.abc import Iterator

from atelier.spec import images, instances, names
from atelier.spec.jobs import Job
from atelier.spec.model import TeamEnvironment
from atelier.spec.sources import OwnImage


def own_image(spec: TeamEnvironment, image: OwnImage) -> str:
    """The address of one of the team's own images in the environment's registry."""
    registry = f"{spec.account}.dkr.ecr.{spec.region}.{instances.domain(spec.region)}"
    version = f"@{image.digest}" if image.digest else f":{image.tag}"
    return f"{registry}/{names.repository(spec.team, spec.name, image.name)}{version}"


def training_image(spec: TeamEnvironment, job: Job, instance_type: str) -> str:
    """The address of the image that trains `job` on `instance_type`.

    Raises:
        ImageError: there is none for the version, region or kind of processor.
    """
    if job.image is not None:
        return own_image(spec, job.image)
    if job.jumpstart is not None and job.jumpstart.training and job.jumpstart.training.image:
        return job.jumpstart.training.image
    return images.training_image(_managed(job), spec.region, instance_type)


def serving_image(spec: TeamEnvironment, job: Job, instance_type: str) -> str:
    """The address of the image that serves the models of `job` on `instance_type`.

    Raises:
        ImageError: there is none for the version, region or kind of processor.
    """
    if job.image is not None:
        return own_image(spec, job.image)
    if job.jumpstart is not None and job.jumpstart.image:
        return job.jumpstart.image
    return images.inference_image(_managed(job), spec.region, instance_type)


def managed(spec: TeamEnvironment) -> Iterator[tuple[str, str, images.Scope, str]]:
    """AWS's images in use: where in the team file, the framework, what for, and the full version."""
    for name, job in spec.jobs.items():
        preparation = job.prepare.framework if job.prepare else None
        fine_tuning = job.jumpstart and job.jumpstart.training
        own = job.jumpstart is not None and (fine_tuning is None or fine_tuning.image is not None)
        for found in (preparation, None if own else _framework(job)):
            if found is not None:
                yield f"jobs.{name}", found.name, "training", images.resolve(found.name, found.version)
        if job.transform is not None:
            yield from _serving(f"jobs.{name}.transform", job)
    for name, endpoint in spec.endpoints.items():
        for job_name in endpoint.served.values():
            yield from _serving(f"endpoints.{name}", spec.jobs[job_name])


def _serving(place: str, job: Job) -> Iterator[tuple[str, str, images.Scope, str]]:
    found = _framework(job)
    if found is not None and not (job.jumpstart and job.jumpstart.image):
        yield place, found.name, "inference", images.serving_version(found.name, found.version)


def _framework(job: Job) -> images.Managed | None:
    return job.framework or job.algorithm or (job.jumpstart.framework if job.jumpstart else None)


def _managed(job: Job) -> images.Managed:
    """The framework or algorithm, which the checks have made sure of."""
    found = _framework(job)
    if found is None:
        raise ValueError("a job without a framework, algorithm or image passed the checks")
    return found
