"""`atelier compare`: the runs of a job or an experiment side by side, and a chart of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.text import Text

from atelier.cli import errors
from atelier.cli.best import Model, proposals
from atelier.cli.chart import Value, draw
from atelier.cli.errors import CliError
from atelier.cli.runs import FAILED_STYLE, READERS, STYLES, WAITING, Run, list_runs
from atelier.cli.tables import new_table, show
from atelier.cli.target import EnvOption, Target, TeamOption, choose_target
from atelier.spec.jobs import UNASSIGNED
from atelier.spec.problems import choose

PICTURE = Path("build/compare.png")
OF_SAGEMAKER = ("sagemaker_", "_")
"""How the hyperparameters begin that SageMaker adds to a job's own."""


@dataclass(frozen=True)
class Compared:
    """A run with all its hyperparameters, those of the team file too."""

    run: Run
    parameters: Mapping[str, Value]


def compare(
    what: Annotated[str, typer.Argument(help=f"A job, or an experiment; {UNASSIGNED} for runs of none.")],
    team: TeamOption = None,
    env: EnvOption = None,
    metric: Annotated[
        str | None, typer.Option(help="The metric of the chart; the gate's, if omitted.")
    ] = None,
    parameter: Annotated[
        str | None, typer.Option(help="The hyperparameter of the chart; the first that differs, if omitted.")
    ] = None,
    picture: Annotated[Path, typer.Option(help="Where the chart is written.")] = PICTURE,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many runs of each job.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs; no chart.")] = False,
) -> None:
    """Show the runs of a job or an experiment with their hyperparameters and metrics, and chart them."""
    target = choose_target(team, env)
    found = _compared(target, _runs_of(target, what, limit))
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found], indent=2))
        return
    _show(found)
    models = [
        Model(one.run.job, one.run.version, one.run.metrics, waits=one.run.approval == WAITING)
        for one in found
        if one.run.approval
    ]
    for proposal in proposals(target, models):
        typer.echo(proposal)
    charted = chart(target, found, what, metric, parameter, picture)
    if charted:
        typer.echo(charted)


def _runs_of(target: Target, what: str, limit: int) -> list[Run]:
    """The runs of the job called so, else those of the experiment, newest first."""
    jobs = list(target.spec.jobs)
    runs = list_runs(target, [what] if what in jobs else jobs, limit)
    found = runs if what in jobs else [run for run in runs if run.experiment == what]
    if not found:
        if what in jobs:
            raise CliError(f"no run of {what} in {target.label} yet: atelier train {what}")
        known = {*jobs, *(run.experiment for run in runs)}
        raise CliError(f"{target.label} has no job or experiment {what!r}: {choose(what, known, nothing='')}")
    return found


def _compared(target: Target, runs: Sequence[Run]) -> list[Compared]:
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda run: Compared(run, _parameters(target, run)), runs))


def _parameters(target: Target, run: Run) -> dict[str, Value]:
    """All that the training job was told; what the run was asked for alone, where it came to no job."""
    told: Mapping[str, str] = run.hyperparameters
    if run.training_job:
        try:
            described = target.client("sagemaker").describe_training_job(TrainingJobName=run.training_job)
            told = described.get("HyperParameters", {})
        except ClientError as error:
            if errors.code(error) not in {"ValidationException", "ResourceNotFound"}:
                raise
    return {name: _value(text) for name, text in told.items() if not name.startswith(OF_SAGEMAKER)}


def _value(text: str) -> Value:
    """A hyperparameter as a number where it is one; as text without the quotes that the SDK writes."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int | float | str) else text


def _differing(found: Sequence[Compared]) -> list[str]:
    """The parameters whose values are not the same in all runs, by name."""
    names = sorted({name for one in found for name in one.parameters})
    return [name for name in names if len({one.parameters.get(name) for one in found}) > 1]


def _show(found: Sequence[Compared]) -> None:
    differing = _differing(found)
    measured = sorted({name for one in found for name in one.run.metrics})
    table = new_table()
    for column in ("run", "status", "experiment", *differing, *measured):
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(
            one.run.run,
            Text(one.run.status.lower(), STYLES.get(one.run.status, FAILED_STYLE)),
            one.run.experiment,
            *(_written(one.parameters.get(name, "")) for name in differing),
            *(_written(one.run.metrics.get(name, "")) for name in measured),
        )
    show(table)
    same = {name: value for name, value in found[0].parameters.items() if name not in differing}
    if same:
        listed = ", ".join(f"{name} {_written(value)}" for name, value in sorted(same.items()))
        typer.echo(f"the same in all: {listed}")


def _written(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def chart(
    target: Target,
    found: Sequence[Compared],
    title: str,
    metric: str | None,
    parameter: str | None,
    picture: Path,
) -> str:
    """Chart a metric against a parameter, if there is something to see; says what was written.

    Raises:
        CliError: no run has the metric or parameter that was asked for.
    """
    measured = {name for one in found for name in one.run.metrics}
    named = {name for one in found for name in one.parameters}
    for asked, known, what in ((metric, measured, "metric"), (parameter, named, "hyperparameter")):
        if asked is not None and asked not in known:
            raise CliError(f"no run has a {what} {asked!r}: {choose(asked, known, nothing='none has any')}")
    gates = (target.spec.jobs[one.run.job].gate for one in found)
    judged = (gate.metric for gate in gates if gate and gate.metric in measured)
    metric = metric or next(judged, None) or min(measured, default=None)
    parameter = parameter or next(iter(_differing(found)), None)
    points = [
        (one.parameters[parameter], one.run.metrics[metric])
        for one in found
        if parameter in one.parameters and metric in one.run.metrics
    ] if parameter and metric else []  # fmt: skip
    if len({x for x, _ in points}) < 2 or parameter is None or metric is None:  # noqa: PLR2004 -- a line has two ends
        return ""
    draw(picture, points, parameter, metric, title)
    return f"{metric} against {parameter}: {picture}"


def _as_json(one: Compared) -> dict[str, Any]:
    run = one.run
    return {
        "run": run.run,
        "job": run.job,
        "experiment": run.experiment,
        "status": run.status,
        "started": run.started,
        "training_job": run.training_job,
        "parameters": dict(one.parameters),
        "metrics": run.metrics,
    }
