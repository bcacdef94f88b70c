"""The images that a job trains and serves with, whatever trains it."""

from __future__ import annotations

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


def _managed(job: Job) -> images.Managed:
    """The framework or algorithm, which the checks have made sure of."""
    jumpstart = job.jumpstart.framework if job.jumpstart else None
    found = job.framework or job.algorithm or jumpstart
    if found is None:
        raise ValueError("a job without a framework, algorithm or image passed the checks")
    return found
