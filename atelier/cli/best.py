"""Which model of several runs is the best, and what to type that it is served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from atelier.cli.target import Target


@dataclass(frozen=True)
class Model:
    """A registered model, by its job and the version of its package, with what its run measured."""

    job: str
    version: str
    metrics: dict[str, float]
    waits: bool = True
    """Whether it waits for approval."""


def proposals(target: Target, models: Iterable[Model]) -> Iterator[str]:
    """A line for each job whose gate says which of its models is the best, if that waits for approval."""
    of_job: dict[str, list[Model]] = {}
    for model in models:
        of_job.setdefault(model.job, []).append(model)
    for job, found in of_job.items():
        gate = target.spec.jobs[job].gate
        judged = [model for model in found if gate and gate.metric in model.metrics]
        if gate is None or not judged:
            continue
        choose = min if gate.at_most is not None else max
        best = choose(judged, key=lambda model: model.metrics[gate.metric])
        if best.waits:
            value = f"{best.metrics[gate.metric]:.6g}"
            approve = target.proposal(f"approve {job}/{best.version}")
            yield f"the best by {gate.metric} is {job}/{best.version} with {value}: {approve}"
