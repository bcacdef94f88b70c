"""Jobs of other kinds than the main one, as `make demo JOB=…` runs them: those with small environments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from atelier import embedded
from atelier.cli.follow import Finished, follow
from atelier.demo.cdk import Cdk
from atelier.demo.example import code_of, write_example
from atelier.demo.journey import Journey
from atelier.demo.selection import select


@dataclass(frozen=True)
class Light:
    """A job that takes seconds, and what comes of its example."""

    name: str
    metric: str
    at_least: float
    answers: tuple[str, ...]
    """What the answer to each request contains."""


JOBS = [
    Light("iris", "validation:accuracy", 0.95, ("setosa", '"species":"setosa"')),
    Light(
        "topics-blazingtext",
        "validation:accuracy",
        0.97,
        ("__label__Film", "__label__Plant", "__label__Athlete"),
    ),
]
"""A container of one's own, and a built-in algorithm with a preparation."""


@pytest.mark.parametrize("job", JOBS, ids=[job.name for job in JOBS])
def test_the_example_of_a_job_is_trained_and_answered(
    cdk: Cdk, client: Callable[[str], Any], tmp_path: Path, job: Light
) -> None:
    """Its data, uploaded, become a model as good as told, whose endpoint answers the example's requests."""
    selected = select(embedded.ROOT, tmp_path / "teams", job.name, team=None, env="dev")
    spec = selected.spec
    deployed = replace(cdk, logs=tmp_path, team=spec.team, teams=selected.teams)
    deployed.finish("synth", deployed.synth())
    deployed.deploy()
    journey = Journey(spec, selected.job, selected.endpoint, client)

    described = spec.jobs[selected.job]
    example = write_example(code_of(embedded.ROOT, described), tmp_path / "data")
    began = journey.upload_files(example.uploads(described))
    run = _succeeded(client, journey.training_run(began))
    assert run["metrics"][job.metric] >= job.at_least
    _succeeded(client, journey.deployment(began))
    answers = [journey.ask(request.content_type, request.body) for request in example.requests]
    assert all(said in answer for answer, said in zip(answers, job.answers, strict=True)), answers


def _succeeded(client: Callable[[str], Any], execution: str) -> dict[str, Any]:
    """An execution's output, once it has ended well."""
    for event in follow(client, execution, poll_seconds=0.1):
        if isinstance(event, Finished):
            assert event.status == "SUCCEEDED", event.cause
            return event.output
    raise AssertionError(f"{execution} did not end")
