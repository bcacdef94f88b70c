"""Checks of a job's metrics and gate."""

from __future__ import annotations

import json
import re

from atelier.spec import defaults
from atelier.spec.checks.finding import Finding, Findings
from atelier.spec.document import Steps
from atelier.spec.jobs import NUMBER, Job
from atelier.spec.problems import choose

MAX_METRIC_NAME = 255
MAX_METRIC_REGEX = 500


def check(at: Steps, job: Job) -> Findings:
    """Every metric can be read from a log, and the gate has one of them and one bound."""
    algorithm = defaults.algorithm_of(job)
    if algorithm and job.metrics:
        reason = (
            f"AWS itself reads the metrics of {algorithm} from its log, and takes no others for its image"
        )
        yield Finding((*at, "metrics"), reason, "remove this; a gate may name one of AWS's", in_key=True)
    for index, (name, pattern) in enumerate(job.patterns.items()):
        is_listed = isinstance(job.metrics, list)
        here = (*at, "metrics", index if is_listed else name)
        if not 0 < len(name) <= MAX_METRIC_NAME:
            reason = f"a metric's name has 1 to {MAX_METRIC_NAME} characters"
            yield Finding(here, reason, "rename it", in_key=not is_listed)
        yield from _check_regex(here, name, pattern)
        longer = next((other for other in job.patterns if other != name and other.endswith(name)), None)
        if longer is not None and is_listed:
            reason = f"{name}=… would also be found in the line {longer}=…"
            yield Finding(here, reason, "rename one of the two, such as  train:" + name)
    if job.gate is None:
        return
    yield from check_known((*at, "gate", "metric"), job, job.gate.metric)
    if (job.gate.at_most is None) == (job.gate.at_least is None):
        reason = "a gate has exactly one bound"
        yield Finding((*at, "gate"), reason, "write at_most or at_least", in_key=True)


def check_known(at: Steps, job: Job, metric: str) -> Findings:
    """A gate or objective names one of the job's metrics."""
    known = defaults.metrics(job)
    if metric not in known:
        nothing = f"declare it:  metrics: [{json.dumps(metric)}], and print {metric}=… in the script"
        yield Finding(at, "the job declares no such metric", choose(metric, known, nothing=nothing))


def _check_regex(at: Steps, name: str, pattern: str) -> Findings:
    example = f"such as  '{name}={NUMBER}'"
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
