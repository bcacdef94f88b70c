"""Checks of hyperparameters, of a preparation's arguments and of tuning, against what is declared."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from atelier.spec import hyperparameters, launch, names
from atelier.spec.checks import metrics
from atelier.spec.checks.finding import SCRIPTS, Context, Finding, Findings
from atelier.spec.document import Steps
from atelier.spec.hyperparameters import Declaration, DeclarationError
from atelier.spec.jobs import Job, Range, Tuning
from atelier.spec.problems import choose

MAX_HYPERPARAMETERS = 100
MAX_KEY = 256
MAX_VALUE = 2500
MAX_TUNING_NAME = 32
SUFFIX = len("-01234567-1")
"""What a tuning job's name adds to team, environment and job."""

RESERVED_PREFIX = "sagemaker_"
RESERVED = (f"{RESERVED_PREFIX}program", f"{RESERVED_PREFIX}submit_directory")
"""The hyperparameters that script mode adds to a job's own."""


def check(context: Context, at: Steps, job: Job) -> Findings:
    """What is wrong with the values that a job gives, or lets tuning find."""
    declared: Mapping[str, Declaration] | None = None
    try:
        declared = hyperparameters.declared(context.project, job)
        if job.prepare is not None and job.folder is not None:
            known = hyperparameters.of_folder(context.scripts / job.folder, hyperparameters.ARGUMENTS)
            arguments = (*at, "prepare", "arguments")
            yield from _check_values(arguments, job.prepare.arguments, known, hyperparameters.ARGUMENTS)
            yield from _check_missing((*at, "prepare"), job.prepare.arguments, known)
    except DeclarationError as error:
        folder, key = (SCRIPTS, "script") if job.image is None else (hyperparameters.CONTAINERS, "image")
        place = f"{folder}/{job.image.name if job.image else job.folder}"
        yield Finding((*at, key), f"{place}: {error}", f"mend {place}")
    here = (*at, "hyperparameters")
    yield from _check_keys(here, job)
    where = job.algorithm.name if job.algorithm else hyperparameters.HYPERPARAMETERS
    yield from _check_values(here, job.hyperparameters, declared, where)
    searched = job.tuning.ranges if job.tuning else {}
    yield from _check_missing(at, {*job.hyperparameters, *searched}, declared)
    if job.tuning is not None:
        yield from _check_tuning(context, at, job, job.tuning, declared)


def _check_keys(at: Steps, job: Job) -> Findings:
    own = (*RESERVED, *("_" for _ in range(launch.MOST if job.distribution else 0))) if job.script else ()
    excess = len(job.hyperparameters) - (MAX_HYPERPARAMETERS - len(own))
    if excess > 0:
        needs = f", of which Atelier needs {len(own)}" if own else ""
        yield Finding(
            at, f"SageMaker takes {MAX_HYPERPARAMETERS}{needs}", f"remove {excess} of them", in_key=True
        )
    for key, value in job.hyperparameters.items():
        here = (*at, key)
        if key.startswith(RESERVED_PREFIX):
            reason = f"names that begin with {RESERVED_PREFIX} belong to SageMaker"
            yield Finding(here, reason, "rename it, in train.py too", in_key=True)
        if not 0 < len(key) <= MAX_KEY:
            reason = f"a hyperparameter's name has 1 to {MAX_KEY} characters"
            yield Finding(here, reason, "rename it, in train.py too", in_key=True)
        length = len(json.dumps(value))
        if length > MAX_VALUE:
            reason = f"has {length} characters as JSON; SageMaker takes {MAX_VALUE}"
            yield Finding(here, reason, "put it into a file of the script's folder")


def _check_values(
    at: Steps,
    values: Mapping[str, hyperparameters.Value],
    declared: Mapping[str, Declaration] | None,
    where: str,
) -> Findings:
    if declared is None:
        return
    for key, value in values.items():
        if key not in declared:
            # Names of SageMaker's have been found already.
            if not key.startswith(RESERVED_PREFIX) and key:
                remedy = choose(key, declared, nothing="remove it")
                yield Finding((*at, key), f"{where} declares no such name", remedy, in_key=True)
        elif wrong := declared[key].wrong(value):
            yield Finding((*at, key), *wrong)
        elif misplaced := declared[key].misplaced(values):
            yield Finding((*at, key), *misplaced, in_key=True)


def _check_missing(at: Steps, given: Collection[str], declared: Mapping[str, Declaration] | None) -> Findings:
    for key, declaration in (declared or {}).items():
        if declaration.required and key not in given:
            about = f" ({declaration.help})" if declaration.help else ""
            yield Finding(at, f"needs a value for {key}{about}", f"add  {key}: …", in_key=True)


def _check_tuning(
    context: Context, at: Steps, job: Job, tuning: Tuning, declared: Mapping[str, Declaration] | None
) -> Findings:
    at = (*at, "tuning")
    yield from _check_name(context, at)
    yield from metrics.check_known((*at, "objective", "metric"), job, tuning.objective.metric)
    if tuning.strategy == "hyperband" and tuning.early_stopping:
        reason = "Hyperband stops trainings by its own rules"
        yield Finding((*at, "early_stopping"), reason, "remove it", in_key=True)
    if tuning.parallel > tuning.max_jobs:
        reason = f"is more than all {tuning.max_jobs} trainings"
        yield Finding((*at, "parallel"), reason, "lower it, or raise max_jobs")
    for name, values in tuning.ranges.items():
        here = (*at, "ranges", name)
        if name in job.hyperparameters:
            reason = "has a value under hyperparameters already"
            yield Finding(here, reason, "remove one of the two", in_key=True)
        if tuning.strategy == "grid" and isinstance(values, Range):
            reason = "a grid tries lists of values alone"
            yield Finding(here, reason, "such as  [0.1, 0.01]; or another strategy")
        if isinstance(values, Range):
            yield from _check_range(here, values)
        if declared is not None:
            yield from _check_declared(here, name, values, declared, job.hyperparameters)


def _check_name(context: Context, at: Steps) -> Findings:
    job = str(at[1])
    name = f"{names.stage(context.file.team, context.environment)}-{job}"
    excess = len(name) + SUFFIX - MAX_TUNING_NAME
    if excess > 0:
        reason = (
            f"its tuning jobs would be named {name}-…; SageMaker takes {MAX_TUNING_NAME} characters in all"
        )
        yield Finding(at, reason, f"shorten team, environment and job by {excess} together", in_key=True)


def _check_range(at: Steps, values: Range) -> Findings:
    if values.min >= values.max:
        yield Finding((*at, "max"), f"is not more than min, {values.min}", "raise it, or lower min")
    if values.scale == "logarithmic" and values.min <= 0:
        yield Finding((*at, "min"), "a logarithmic scale begins above 0", "such as  0.0001")
    if values.scale == "reverse_logarithmic" and not 0 <= values.min < values.max < 1:
        yield Finding(at, "a reverse logarithmic scale lies between 0 and 1", "use another scale")


def _check_declared(
    at: Steps,
    name: str,
    values: Range | list[hyperparameters.Value],
    declared: Mapping[str, Declaration],
    given: Mapping[str, hyperparameters.Value],
) -> Findings:
    if name not in declared:
        tunable = [key for key, one in declared.items() if one.tunable]
        yield Finding(
            at, "no such hyperparameter is declared", choose(name, tunable, nothing="remove it"), in_key=True
        )
        return
    declaration = declared[name]
    if misplaced := declaration.misplaced(given):
        yield Finding(at, *misplaced, in_key=True)
    elif not declaration.tunable:
        tunable = [key for key, one in declared.items() if one.tunable]
        listed = f"; those that are: {', '.join(tunable)}" if tunable else ""
        yield Finding(at, f"is not declared as tunable{listed}", "remove it", in_key=True)
    elif isinstance(values, list):
        for index, value in enumerate(values):
            if wrong := declaration.wrong(value):
                yield Finding((*at, index), *wrong)
    elif declaration.type not in {"integer", "number"}:
        yield Finding(at, f"is of type {declaration.type}, which has no bounds", "list the values to try")
    else:
        for key in ("min", "max"):
            if wrong := declaration.wrong(getattr(values, key)):
                yield Finding((*at, key), *wrong)
