"""Checks of how a job runs: its triggers, channels, instances, preparation and transform."""

from __future__ import annotations

from itertools import combinations

from atelier.spec import defaults, instances, launch, schedule
from atelier.spec.checks import hyperparameters, metrics, sources
from atelier.spec.checks.endpoints import check_inference_script, serves
from atelier.spec.checks.finding import Context, Finding, Findings, twice
from atelier.spec.checks.types import check_instance
from atelier.spec.document import Steps
from atelier.spec.jobs import MAX_CHANNELS, Job, Schedule, Spot, Transform
from atelier.spec.problems import choose
from atelier.spec.sources import PRETRAINED

BLAZINGTEXT_WAIT = 60
"""The minutes on spare capacity of an algorithm that writes no checkpoints."""


def check(context: Context) -> Findings:
    """What is wrong with the jobs."""
    for name, job in context.file.jobs.items():
        at: Steps = ("jobs", name)
        yield from sources.check(context, at, job)
        yield from _check_triggers(at, name, job)
        yield from metrics.check(at, job)
        yield from hyperparameters.check(context, at, job)
        yield from _check_channels(at, job)
        yield from _check_prefixes(at, name, job)
        yield from _check_instances(context, at, job)
        if job.spot is not None:
            yield from _check_spot((*at, "spot"), job, job.spot)
        if job.transform is not None:
            yield from _check_transform(context, (*at, "transform"), job, job.transform)


def _check_triggers(at: Steps, name: str, job: Job) -> Findings:
    known = defaults.sources(name, job)
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
                yield Finding(
                    (*here, "upload", position),
                    "nothing is uploaded to a channel or input of this name",
                    remedy,
                )


def _check_channels(at: Steps, job: Job) -> Findings:
    for name in job.prepare.inputs if job.prepare else ():
        channel = job.channels.get(name)
        if channel is not None and channel.prefix is not None:
            reason = "a channel of this name is uploaded too"
            yield Finding((*at, "prepare", "inputs", name), reason, "rename one of the two", in_key=True)
    if job.jumpstart is None or job.jumpstart.training is None:
        return
    if PRETRAINED in job.channels:
        reason = "the fine-tuning gets the pretrained model on the channel of this name"
        yield Finding((*at, "channels", PRETRAINED), reason, "choose another name", in_key=True)
    most = MAX_CHANNELS - 1
    if len(job.channels) > most:
        reason = f"has {len(job.channels)} channels; {most} have room beside the pretrained model's own"
        yield Finding((*at, "channels"), reason, f"keep {most}", in_key=True)


def _check_prefixes(at: Steps, name: str, job: Job) -> Findings:
    """What is uploaded for one channel or input must not come with the data of another."""
    prefixes = defaults.sources(name, job)
    for first, second in combinations(prefixes, 2):
        wider, other = (second, first) if len(prefixes[second]) <= len(prefixes[first]) else (first, second)
        if not prefixes[other].startswith(prefixes[wider]):
            continue
        own = f"{name}/{wider}/"
        rest = [prefix for source, prefix in prefixes.items() if source != wider]
        is_free = not any(own.startswith(one) or one.startswith(own) for one in rest)
        place = ("prepare", "inputs", wider) if wider not in job.channels else ("channels", wider, "prefix")
        reason = f"holds the data of {other} too, which lie in {prefixes[other]}"
        yield Finding((*at, *place), reason, f"write  {own}" if is_free else "give each a folder of its own")


def _check_instances(context: Context, at: Steps, job: Job) -> Findings:
    jumpstart = job.jumpstart.framework if job.jumpstart and job.jumpstart.training else None
    managed = job.framework or job.algorithm or jumpstart
    yield from twice((*at, "instances"), job.instances, "instance type")
    for index, instance_type in enumerate(job.instances):
        yield from check_instance(context, (*at, "instances", index), instance_type, "training", managed)
    if job.prepare is not None:
        here, framework = (*at, "prepare", "instance"), job.prepare.framework
        yield from check_instance(context, here, job.prepare.instance, "processing", framework)
    if job.distribution is None:
        return
    here = (*at, "distribution")
    able = launch.FRAMEWORKS[job.distribution]
    if job.framework is None or job.framework.name not in able:
        reason = f"only the containers of {', '.join(able)} start scripts so"
        yield Finding(here, reason, "remove it, or choose another framework")
    elif job.instance_count == 1 and not any(map(instances.gpus, job.instances)):
        reason = "there is nothing to distribute to: one instance, and no GPU"
        yield Finding(here, reason, "raise instance_count, or name an instance type with GPUs")


def _check_spot(at: Steps, job: Job, spot: Spot) -> Findings:
    wait = spot.max_wait_minutes
    if wait is not None and wait < job.max_runtime_minutes:
        reason = f"is less than max_runtime_minutes, {job.max_runtime_minutes}: waiting counts too"
        yield Finding((*at, "max_wait_minutes"), reason, "raise it, or lower the other")
    if job.algorithm is not None and job.algorithm.name == "blazingtext":
        most = max(wait or 2 * job.max_runtime_minutes, job.max_runtime_minutes)
        if most > BLAZINGTEXT_WAIT:
            reason = f"BlazingText writes no checkpoints: AWS lets it take {BLAZINGTEXT_WAIT} minutes in all"
            remedy = f"write  max_runtime_minutes: 60  and  spot: {{max_wait_minutes: {BLAZINGTEXT_WAIT}}}"
            yield Finding(at, reason, remedy, in_key=True)


def _check_transform(context: Context, at: Steps, job: Job, transform: Transform) -> Findings:
    if transform.input is not None and transform.prepared is not None:
        reason = "the preparation's output is predicted for"
        yield Finding((*at, "input"), reason, "keep input or prepared", in_key=True)
    if transform.prepared is not None and job.prepare is None:
        reason = "the job has no preparation that could write it"
        yield Finding((*at, "prepared"), reason, "write  input: <prefix>/", in_key=True)
    managed = serves(job) or job.algorithm
    yield from check_instance(context, (*at, "instance"), transform.instance, "transform", managed)
    if job.framework is not None:
        yield from check_inference_script(context, at, job.framework, job.script)
