"""Checks of what a job trains: that it says so once, and that the script, image or model is there."""

from __future__ import annotations

import re
from pathlib import Path

from atelier.spec import images
from atelier.spec.checks.finding import Context, Finding, Findings
from atelier.spec.document import Steps
from atelier.spec.jobs import Job, Prepare
from atelier.spec.problems import choose, nearest
from atelier.spec.sources import JumpStart

WAYS = "a script and its framework, an algorithm, an image, or jumpstart"
BRINGS = {
    "algorithm": "an algorithm",
    "image": "an image",
    "jumpstart": "a pretrained model",
}
"""What takes the place of a script and framework."""
NEEDS_TRAINING = (
    "channels",
    "checkpoints",
    "distribution",
    "gate",
    "hyperparameters",
    "metrics",
    "prepare",
    "spot",
    "tuning",
)
"""The keys that say nothing of a model which is registered as it is."""


def check(context: Context, at: Steps, job: Job) -> Findings:
    """A job has exactly one source, and it exists."""
    named = [key for key in BRINGS if getattr(job, key) is not None]
    if job.script is not None or job.framework is not None:
        for key in named:
            reason = f"{BRINGS[key]} brings its own script and framework"
            yield Finding((*at, key), reason, f"name a script and its framework, or {BRINGS[key]}, not both")
        yield from _check_pair(at, job)
    elif not named:
        yield Finding(at, "does not say what to train", _meant(context, at) or f"name {WAYS}", in_key=True)
    for key in named[1:]:
        yield Finding((*at, key), f"the job has {BRINGS[named[0]]} already", "keep one of the two")
    for key in ("framework", "algorithm"):
        one = getattr(job, key)
        if one is not None:
            yield from _check_version((*at, key, "version"), one)
    if job.script is not None:
        yield from _check_folder((*at, "script"), context.scripts, job.script, "train.py")
    if job.image is not None:
        known = context.file.images
        if job.image.name not in known:
            remedy = choose(job.image.name, known, nothing=f"declare it:  images: {{{job.image.name}: {{}}}}")
            yield Finding((*at, "image"), "no image is declared under this name", remedy)
        if job.image.digest is not None and "tag" in job.image.model_fields_set:
            yield Finding((*at, "image", "tag"), "the digest says which image", "keep one of the two")
    if job.jumpstart is not None:
        yield from _check_jumpstart((*at, "jumpstart"), job, job.jumpstart)
    yield from _check_prepare(context, at, job, job.prepare)


def _meant(context: Context, at: Steps) -> str | None:
    """The job that an override meant to change, where the name that it adds resembles one."""
    name = str(at[-1])
    near = (
        nearest(name, set(context.file.jobs) - {name}) if "override" in context.root.find(at).path else None
    )
    return f"did you mean {near}?" if near else None


def _check_pair(at: Steps, job: Job) -> Findings:
    if job.framework is None:
        yield Finding((*at, "script"), "a script needs the framework that runs it", "add  framework: sklearn")
    elif job.script is None:
        yield Finding((*at, "framework"), "a framework needs a script to run", "add  script: <folder>")


def _check_version(at: Steps, named: images.Managed) -> Findings:
    try:
        images.resolve(named.name, named.version)
    except images.ImageError as error:
        yield Finding(at, error.reason, error.remedy)


def _check_folder(at: Steps, scripts: Path, script: str, program: str) -> Findings:
    known = [path.parent.name for path in scripts.glob(f"*/{program}")]
    if script in known:
        return
    folder = f"{scripts.name}/{script}"
    if re.fullmatch(r"[\w-]+", script) and (scripts / script).is_dir():
        yield Finding(at, f"{folder} holds no {program}", f"add the file {program}")
    else:
        remedy = choose(script, known, nothing=f"add {scripts.name}/<script>/{program}")
        yield Finding(at, f"there is no folder {folder}", remedy)


def _check_prepare(context: Context, at: Steps, job: Job, prepare: Prepare | None) -> Findings:
    if prepare is None:
        if job.prepare_script is not None:
            reason = "the job has no preparation to run from it"
            yield Finding((*at, "prepare_script"), reason, "add  prepare: {}", in_key=True)
        return
    if job.script is not None and job.prepare_script is not None:
        reason = "the preparation lies in the folder of the job's script"
        yield Finding((*at, "prepare_script"), reason, "remove it", in_key=True)
    elif job.folder is None:
        reason = "nothing says where the preparation's program is"
        yield Finding((*at, "prepare"), reason, "add  prepare_script: <folder>  to the job", in_key=True)
    elif job.prepare_script is not None:
        yield from _check_folder(
            (*at, "prepare_script"), context.scripts, job.prepare_script, prepare.program
        )
    elif (context.scripts / job.folder).is_dir() and not (
        context.scripts / job.folder / prepare.program
    ).is_file():
        reason = f"{context.scripts.name}/{job.folder} holds no {prepare.program}"
        yield Finding((*at, "prepare"), reason, f"add the file {prepare.program}", in_key=True)
    yield from _check_version((*at, "prepare", "framework", "version"), prepare.framework)


def _check_jumpstart(at: Steps, job: Job, jumpstart: JumpStart) -> Findings:
    if jumpstart.accept_licence is False:
        reason = "a model whose licence is not accepted cannot be used"
        yield Finding((*at, "accept_licence"), reason, "read it on the model's card, then write true")
    if jumpstart.framework is not None:
        yield from _check_version((*at, "framework", "version"), jumpstart.framework)
    elif jumpstart.image is None:
        reason = "does not say which image serves the model"
        yield Finding(at, reason, "add  framework: …  or  image: …, see the model's card", in_key=True)
    elif jumpstart.training is not None and jumpstart.training.image is None:
        reason = "does not say which image trains the model"
        yield Finding((*at, "training"), reason, "add  image: …, or  framework: …  to jumpstart", in_key=True)
    if jumpstart.training is None:
        for key in NEEDS_TRAINING:
            if key in job.model_fields_set:
                reason = "belongs to a training; this model is registered as it is"
                yield Finding(
                    (*at[:-1], key), reason, "add  training: …  to jumpstart, or remove it", in_key=True
                )
