"""Checks of endpoints: that they serve a job's models, on an instance that its image runs on."""

from __future__ import annotations

import json

from atelier.spec.checks.finding import Context, Finding, Findings
from atelier.spec.checks.types import check_instance
from atelier.spec.disks import has_local_disks
from atelier.spec.document import Steps
from atelier.spec.jobs import Job
from atelier.spec.model import OWN_VARIANT, Endpoint, Sample
from atelier.spec.problems import choose
from atelier.spec.sources import Framework

NEEDS_MODEL_FN = {"sklearn", "xgboost"}
"""The frameworks whose containers cannot load a model without a `model_fn` of the team's."""


def check(context: Context) -> Findings:
    """What is wrong with the endpoints."""
    for name, endpoint in context.file.endpoints.items():
        yield from _check_endpoint(context, ("endpoints", name), endpoint)


def _check_endpoint(context: Context, at: Steps, endpoint: Endpoint) -> Findings:
    scaling = endpoint.scaling
    if scaling and scaling.min_instances > scaling.max_instances:
        here = (*at, "scaling", "max_instances")
        yield Finding(
            here, f"is less than min_instances, {scaling.min_instances}", "raise it, or lower the other"
        )
    if endpoint.sample is not None:
        yield from _check_sample((*at, "sample", "body"), endpoint.sample)
    yield from _check_model(context, at, endpoint.job, endpoint.instance)
    others = {endpoint.job: "the endpoint itself"}
    for name, variant in endpoint.variants.items():
        here = (*at, "variants", name)
        yield from _check_model(context, here, variant.job, variant.instance or endpoint.instance)
        if name == OWN_VARIANT:
            yield Finding(here, "is the name of the endpoint's own variant", "choose another", in_key=True)
        if variant.job in others:
            reason = f"{others[variant.job]} serves the models of this job already"
            yield Finding((*here, "job"), reason, "name another job, or take the variant out")
        others.setdefault(variant.job, f"variant {name}")
        if variant.instance and has_local_disks(variant.instance) != has_local_disks(endpoint.instance):
            reason = "one of it and the endpoint's own type encrypts disks of its own, and takes no key"
            yield Finding((*here, "instance"), reason, "choose both with such disks, or both without")


def _check_sample(at: Steps, sample: Sample) -> Findings:
    """What says that it is JSON is: otherwise each deployment would be rolled back."""
    if sample.content_type.partition(";")[0].strip().lower() != "application/json":
        return
    try:
        json.loads(sample.body)
    except ValueError as error:
        yield Finding(at, f"is no JSON: {error}", "mend it, or say with content_type what it is")


def _check_model(context: Context, at: Steps, name: str, instance: str) -> Findings:
    job = context.file.jobs.get(name)
    if job is None:
        remedy = choose(name, context.file.jobs, nothing="declare the job that trains its model")
        yield Finding((*at, "job"), "there is no such job", remedy)
    elif job.framework is not None:
        yield from check_inference_script(context, (*at, "job"), job.framework, job.script)
    yield from check_instance(context, (*at, "instance"), instance, "hosting", serves(job) if job else None)


def serves(job: Job) -> Framework | None:
    """The framework whose inference image serves the job's models, where one does."""
    if job.jumpstart is not None:
        return job.jumpstart.framework if job.jumpstart.image is None else None
    return job.framework


def check_inference_script(context: Context, at: Steps, framework: Framework, script: str | None) -> Findings:
    """The script says how to load a model where the framework's container cannot know."""
    folder = context.scripts / (script or "")
    training = folder / "train.py"
    if framework.name not in NEEDS_MODEL_FN or not training.is_file() or (folder / "inference.py").is_file():
        return
    # Without an inference.py the container looks for the functions in train.py.
    if "def model_fn" not in training.read_text(encoding="utf-8", errors="replace"):
        code = f"{folder.parent.name}/{script}"
        reason = f"{framework.name} cannot load a model by itself, and {code} does not say how"
        yield Finding(at, reason, "add inference.py with a function model_fn(model_dir)")
