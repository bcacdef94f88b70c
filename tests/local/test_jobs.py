"""Jobs of other kinds than the main one, as `make demo JOB=…` runs them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from atelier import embedded
from atelier.cli.follow import Finished, follow
from atelier.demo.cdk import Cdk
from atelier.demo.example import code_of, started_by, write_example
from atelier.demo.journey import Journey
from atelier.demo.selection import select


@dataclass(frozen=True)
class Example:
    """A job, and what comes of its example."""

    job: str
    answers: tuple[str, ...] = ()
    """What matches the answer to each request; none where the job has no endpoint."""


NUMBERS = r"\[2\d\d\.\d+, [23]\d\d\.\d+, -8\d\d\.\d+\]"
"""The curve at 100, 200 and -3000: y = x, with noise of mean 150, and y = -x - 4000 below -2000."""
DIGITS = ".*".join(f'"class": {digit},' for digit in (2, 9, 8, 4, 6))

LIGHT = [
    Example("iris", ("setosa", '"species":"setosa"')),
    Example("topics-blazingtext", ("__label__Film", "__label__Plant", "__label__Athlete")),
]
"""A container of one's own, and a built-in algorithm with a preparation."""
HEAVY = [
    Example("curve-pytorch", (NUMBERS, NUMBERS)),
    Example("curve-tensorflow", (NUMBERS, NUMBERS)),
    Example("images-pytorch", (DIGITS,)),
    Example("sentiment-xgboost", (r"^0\.[89]", r"^0\.[012]")),
    Example("sentiment-tensorflow", ('"praise".*"blame"', '"praise"')),
    Example("text-huggingface", ('"praise".*"blame"', '"praise"')),
    Example("text-mxnet", ('"praise".*"blame"',)),
    Example("iris-tuned"),
]
"""Those whose environments take gigabytes; the last is deployed over others, whose endpoint goes with it."""
EXAMPLES = [
    *(pytest.param(one, id=one.job) for one in LIGHT),
    *(pytest.param(one, id=one.job, marks=pytest.mark.heavy) for one in HEAVY),
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_of_a_job_is_trained_and_answered(
    cdk: Cdk, client: Callable[[str], Any], tmp_path: Path, example: Example
) -> None:
    """Its data, uploaded, become a model that passes its gate; the endpoint answers what the example asks."""
    selected = select(embedded.ROOT, tmp_path / "teams", example.job, team=None, env="dev")
    spec = selected.spec
    deployed = replace(cdk, logs=tmp_path, team=spec.team, teams=selected.teams)
    deployed.finish("synth", deployed.synth())
    deployed.deploy()
    journey = Journey(spec, selected.job, selected.endpoint, client)

    job = spec.jobs[selected.job]
    written = write_example(code_of(embedded.ROOT, job), tmp_path / "data")
    began = journey.upload_files(written.uploads(job))
    if not started_by(job):
        journey.start()
    run = _succeeded(client, journey.training_run(began))
    assert run["modelPackage"]
    if job.transform is not None:
        [predictions] = journey.download(run["transform"], tmp_path / "transformed")
        assert len(predictions.read_text().splitlines()) > 100
    if selected.endpoint is None:
        return
    _succeeded(client, journey.deployment(began))
    answers = [journey.ask(request.content_type, request.body) for request in written.requests]
    for answer, form in zip(answers, example.answers, strict=True):
        assert re.search(form, answer), answer


def _succeeded(client: Callable[[str], Any], execution: str) -> dict[str, Any]:
    """An execution's output, once it has ended well."""
    for event in follow(client, execution, poll_seconds=0.1):
        if isinstance(event, Finished):
            assert event.status == "SUCCEEDED", event.cause
            return event.output
    raise AssertionError(f"{execution} did not end")
