"""Checks that an instance type exists for what it is to do."""

from __future__ import annotations

from atelier.spec import images, instances
from atelier.spec.checks.finding import Context, Finding, Findings
from atelier.spec.document import Steps
from atelier.spec.problems import choose


def check_type(at: Steps, instance_type: str, use: instances.Use) -> Findings:
    """An instance type must exist for its use, and not be retired."""
    successor = _successor(instance_type)
    known = instances.types(use)
    if successor:
        yield Finding(at, "AWS has retired this family", f"use {successor}")
    elif instance_type not in known:
        family = instance_type.rpartition(".")[0] + "."
        siblings = [one for one in known if one.startswith(family)]
        remedy = choose(instance_type, siblings or known, nothing="")
        yield Finding(at, f"SageMaker has no such instance type for {use}", remedy)


def check_pattern(at: Steps, pattern: str, use: instances.Use) -> Findings:
    """A family must exist for its use; a type as above."""
    if not pattern.endswith(".*"):
        yield from check_type(at, pattern, use)
    elif _successor(pattern):
        yield Finding(at, "AWS has retired this family", f"use {_successor(pattern)}")
    elif pattern not in instances.families(use):
        remedy = choose(pattern, instances.families(use), nothing="")
        yield Finding(at, f"SageMaker has no such family of instance types for {use}", remedy)


def _successor(pattern: str) -> str | None:
    return instances.RETIRED.get(pattern.split(".")[1])


def check_instance(
    context: Context, at: Steps, instance_type: str, use: instances.Use, managed: images.Managed | None
) -> Findings:
    """An instance type must exist, and the framework or algorithm must have an image for it there."""
    wrong = list(check_type(at, instance_type, use))
    yield from wrong
    region = context.declared.region
    if not wrong and managed and _is_known(managed) and region in instances.regions():
        image = images.training_image if use in {"training", "processing"} else images.inference_image
        try:
            image(managed, region, instance_type)
        except images.ImageError as error:
            yield Finding(at, error.reason, error.remedy)


def _is_known(managed: images.Managed) -> bool:
    try:
        images.resolve(managed.name, managed.version)
    except images.ImageError:
        return False
    return True
