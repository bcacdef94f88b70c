"""Checks of jobs and endpoints: that their parts fit each other, the scripts and the images that AWS has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from atelier.spec import defaults, images, instances, schedule
from atelier.spec.checks.finding import SCRIPTS, Context, Finding, Findings
from atelier.spec.checks.types import check_type
from atelier.spec.disks import has_local_disks
from atelier.spec.document import Steps
from atelier.spec.model import Endpoint, Framework, Job, Schedule, TeamEnvironment
from atelier.spec.problems import choose

MAX_HYPERPARAMETERS = 100
MAX_HYPERPARAMETER_KEY = 256
MAX_HYPERPARAMETER_VALUE = 2500
DOCUMENTED_HYPERPARAMETER_VALUE = 256
"""SageMaker's interface takes more; its documentation does not promise it."""
MAX_METRIC_NAME = 255
MAX_METRIC_REGEX = 500

RESERVED_PREFIX = "sagemaker_"
RESERVED = (f"{RESERVED_PREFIX}program", f"{RESERVED_PREFIX}submit_directory")
"""The hyperparameters that script mode adds to a job's own."""

NEEDS_MODEL_FN = {"sklearn", "xgboost"}
"""The frameworks whose containers cannot load a model without a `model_fn` of the team's."""

NOT_YET = "use a script and framework for now; the image's repository under `images` is made already"


def check(context: Context) -> Findings:
    """What is wrong with the jobs and endpoints."""
    for name, job in context.file.jobs.items():
        at: Steps = ("jobs", name)
        yield from _check_source(context, at, job)
        yield from _check_triggers(at, name, job)
        yield from _check_metrics(at, job)
        yield from _check_hyperparameters(at, job)
        for index, instance_type in enumerate(job.instances):
            here = (*at, "instances", index)
            yield from _check_instance(context, here, instance_type, "training", job.framework)
    for name, endpoint in context.file.endpoints.items():
        yield from _check_endpoint(context, ("endpoints", name), endpoint)


def warnings(environment: TeamEnvironment, project: Path) -> list[str]:
    """What is allowed and still worth a word, one line each."""
    said: list[str] = []
    if environment.network.mode == "created" and environment.network.internet == "none":
        said += [
            f"{what}, which a network without internet cannot reach"
            for what in _fetched(environment, project)
        ]
    said += _without_effect(environment)
    for name, job in environment.jobs.items():
        if job.framework is None:
            continue
        framework, version = job.framework.name, images.resolve(job.framework.name, job.framework.version)
        if images.PATCHED_UNTIL.get((framework, "training", version)) == images.ENDED:
            said.append(f"jobs.{name}: {images.NO_SUCCESSOR[framework, 'training']}")
    for name, endpoint in environment.endpoints.items():
        job = environment.jobs[endpoint.job]
        if job.framework is None:
            continue
        trained = images.resolve(job.framework.name, job.framework.version)
        served = images.serving_version(job.framework.name, job.framework.version)
        if trained != served:
            why = images.NO_SUCCESSOR.get((job.framework.name, "inference"), "AWS makes no newer one yet")
            said.append(
                f"endpoints.{name}: trained with {job.framework.name} {trained}, "
                f"served by the image of {served}; {why}"
            )
    return said


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


def _fetched(environment: TeamEnvironment, project: Path) -> Iterator[str]:
    """What the environment wants from the internet."""
    for name, job in environment.jobs.items():
        if job.script and (project / SCRIPTS / job.script / "requirements.txt").is_file():
            yield f"jobs.{name}: {SCRIPTS}/{job.script}/requirements.txt is installed from a package index"
    studio = environment.studio
    if studio is not None and studio.internet == "vpc_only":
        if studio.packages is not None:
            yield f"studio.packages: {studio.packages} is installed from a package index"
        if studio.repositories:
            yield f"studio.repositories: are cloned from {urlsplit(studio.repositories[0]).hostname}"


def _check_source(context: Context, at: Steps, job: Job) -> Findings:
    """A job is a script with a framework, or an image."""
    both = "name a script and its framework, or an image, not both"
    if job.image is not None:
        if job.script is not None or job.framework is not None:
            yield Finding((*at, "image"), "an image brings its own script and framework", both)
        yield Finding((*at, "image"), "jobs from images of your own are not provisioned yet", NOT_YET)
        if job.image not in context.file.images:
            remedy = choose(
                job.image, context.file.images, nothing=f"declare it:  images: {{{job.image}: {{}}}}"
            )
            yield Finding((*at, "image"), "no image is declared under this name", remedy)
    elif job.script is None and job.framework is None:
        yield Finding(at, "does not say what to train", both, in_key=True)
    elif job.framework is None:
        yield Finding((*at, "script"), "a script needs the framework that runs it", "add  framework: sklearn")
    elif job.script is None:
        yield Finding((*at, "framework"), "a framework needs a script to run", "add  script: <folder>")
    if job.framework is not None:
        yield from _check_version((*at, "framework", "version"), job.framework)
    if job.script is not None:
        yield from _check_script((*at, "script"), context.scripts, job.script)


def _check_version(at: Steps, framework: Framework) -> Findings:
    try:
        images.resolve(framework.name, framework.version)
    except images.ImageError as error:
        yield Finding(at, error.reason, error.remedy)


def _check_script(at: Steps, scripts: Path, script: str) -> Findings:
    known = [path.parent.name for path in scripts.glob("*/train.py")]
    if script in known:
        return
    folder = f"{scripts.name}/{script}"
    if re.fullmatch(r"[\w-]+", script) and (scripts / script).is_dir():
        yield Finding(at, f"{folder} holds no train.py", "add the file train.py")
    else:
        remedy = choose(script, known, nothing=f"add {scripts.name}/<script>/train.py")
        yield Finding(at, f"there is no folder {folder}", remedy)


def _check_triggers(at: Steps, name: str, job: Job) -> Findings:
    known = defaults.channels(name, job)
    for index, trigger in enumerate(job.triggers):
        here = (*at, "triggers", index)
        if isinstance(trigger, Schedule):
            wrong = schedule.wrong(trigger.schedule)
            if wrong:
                yield Finding((*here, "schedule"), *wrong)
            continue
        for position, channel in enumerate(trigger.upload):
            if channel not in known:
                remedy = choose(channel, known, nothing="")
                yield Finding((*here, "upload", position), "the job has no such channel", remedy)


def _check_metrics(at: Steps, job: Job) -> Findings:
    for name, pattern in job.metrics.items():
        here = (*at, "metrics", name)
        if not 0 < len(name) <= MAX_METRIC_NAME:
            yield Finding(
                here, f"a metric's name has 1 to {MAX_METRIC_NAME} characters", "rename it", in_key=True
            )
        yield from _check_regex(here, name, pattern)
    if job.gate is None:
        return
    here = (*at, "gate")
    if job.gate.metric not in job.metrics:
        nothing = f"declare it:  metrics: {{{json.dumps(job.gate.metric)}: '…=([0-9.]+)'}}"
        remedy = choose(job.gate.metric, job.metrics, nothing=nothing)
        yield Finding((*here, "metric"), "the job declares no such metric", remedy)
    if (job.gate.at_most is None) == (job.gate.at_least is None):
        yield Finding(here, "a gate has exactly one bound", "write at_most or at_least", in_key=True)


def _check_regex(at: Steps, name: str, pattern: str) -> Findings:
    example = f"such as  '{name}=([0-9.]+)'"
    if len(pattern) > MAX_METRIC_REGEX:
        yield Finding(at, f"a metric's expression has at most {MAX_METRIC_REGEX} characters", example)
    try:
        groups = re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError) as error:
        yield Finding(at, f"is no regular expression: {error}", example)
        return
    if groups != 1:
        reason = f"the value is taken from the one group in parentheses; this has {groups}"
        yield Finding(at, reason, f"{example}; write (?:…) for a group that holds no value")


def _check_hyperparameters(at: Steps, job: Job) -> Findings:
    at = (*at, "hyperparameters")
    most = MAX_HYPERPARAMETERS - len(RESERVED)
    excess = len(job.hyperparameters) - most
    if excess > 0:
        reason = f"SageMaker takes {MAX_HYPERPARAMETERS}, of which Atelier needs {len(RESERVED)}"
        yield Finding(at, reason, f"remove {excess} of them", in_key=True)
    for key, value in job.hyperparameters.items():
        here = (*at, key)
        if key.startswith(RESERVED_PREFIX):
            reason = f"names that begin with {RESERVED_PREFIX} belong to SageMaker"
            yield Finding(here, reason, "rename it, in train.py too", in_key=True)
        if not 0 < len(key) <= MAX_HYPERPARAMETER_KEY:
            reason = f"a hyperparameter's name has 1 to {MAX_HYPERPARAMETER_KEY} characters"
            yield Finding(here, reason, "rename it, in train.py too", in_key=True)
        length = len(json.dumps(value))
        if length > MAX_HYPERPARAMETER_VALUE:
            reason = f"has {length} characters as JSON; SageMaker takes {MAX_HYPERPARAMETER_VALUE}"
            yield Finding(here, reason, "put it into a file of the script's folder")


def _check_instance(
    context: Context, at: Steps, instance_type: str, use: instances.Use, framework: Framework | None
) -> Findings:
    """An instance type must exist, and the framework must have an image for it there."""
    wrong = list(check_type(at, instance_type, use))
    yield from wrong
    region = context.declared.region
    if not wrong and framework and _is_known(framework) and region in instances.regions():
        image = images.training_image if use == "training" else images.inference_image
        try:
            image(framework, region, instance_type)
        except images.ImageError as error:
            yield Finding(at, error.reason, error.remedy)


def _is_known(framework: Framework) -> bool:
    try:
        images.resolve(framework.name, framework.version)
    except images.ImageError:
        return False
    return True


def _check_endpoint(context: Context, at: Steps, endpoint: Endpoint) -> Findings:
    scaling = endpoint.scaling
    if scaling and scaling.min_instances > scaling.max_instances:
        here = (*at, "scaling", "max_instances")
        yield Finding(
            here, f"is less than min_instances, {scaling.min_instances}", "raise it, or lower the other"
        )
    job = context.file.jobs.get(endpoint.job)
    if job is None:
        remedy = choose(endpoint.job, context.file.jobs, nothing="declare the job that trains its model")
        yield Finding((*at, "job"), "there is no such job", remedy)
    elif job.framework is not None:
        yield from _check_inference_script(context, (*at, "job"), job.framework, job.script)
    framework = job.framework if job else None
    yield from _check_instance(context, (*at, "instance"), endpoint.instance, "hosting", framework)


def _check_inference_script(
    context: Context, at: Steps, framework: Framework, script: str | None
) -> Findings:
    folder = context.scripts / (script or "")
    training = folder / "train.py"
    if framework.name not in NEEDS_MODEL_FN or not training.is_file() or (folder / "inference.py").is_file():
        return
    # Without an inference.py the container looks for the functions in train.py.
    if "def model_fn" not in training.read_text(encoding="utf-8", errors="replace"):
        code = f"{folder.parent.name}/{script}"
        reason = f"{framework.name} cannot load a model by itself, and {code} does not say how"
        yield Finding(at, reason, "add inference.py with a function model_fn(model_dir)")
