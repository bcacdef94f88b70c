"""`atelier runs`: what has been trained, with metrics, and why what failed has failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from textwrap import shorten
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.text import Text

from atelier.cli import errors
from atelier.cli.deployments import Deployment, Deployments, approval
from atelier.cli.follow import training_jobs
from atelier.cli.tables import new_table, show
from atelier.cli.target import EnvOption, Target, TeamOption, choose_target
from atelier.spec import names
from atelier.spec.jobs import UNASSIGNED

READERS = 8
STYLES = {"SUCCEEDED": "green", "RUNNING": "cyan"}
FAILED_STYLE = "red"
LONGEST_CAUSE = 240
WAITING = "PendingManualApproval"
_APPROVALS = {
    "Approved": "{model} approved",
    "Rejected": "{model} rejected",
    WAITING: "{model} waits for approval",
}


@dataclass(frozen=True)
class Run:
    """One run of a job; `seconds` is how long it took, or has taken so far."""

    run: str
    job: str
    status: str
    trigger: str
    experiment: str
    started: str
    seconds: float
    training_job: str
    hyperparameters: dict[str, str]
    metrics: dict[str, float]
    model_package: str
    approval: str
    """SageMaker's ModelApprovalStatus of its model package; empty where there is none."""
    deployments: list[Deployment]
    error: str
    cause: str

    @property
    def version(self) -> str:
        """The version of its model package."""
        return self.model_package.rpartition("/")[2]


def runs(
    job: Annotated[str | None, typer.Argument(help="A job of the team; all, if omitted.")] = None,
    team: TeamOption = None,
    env: EnvOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List the runs of a team's jobs, newest first."""
    target = choose_target(team, env)
    if job is not None:
        target.check_job(job)
    found = list_runs(target, [job] if job else list(target.spec.jobs), limit)
    if as_json:
        typer.echo(json.dumps([asdict(run) for run in found], indent=2))
    elif found:
        _show(target, found)
    else:
        typer.echo(f"no run of {job or 'any job'} in {target.label} yet: atelier train {job or '<job>'}")


def list_runs(target: Target, jobs: list[str], limit: int) -> list[Run]:
    """The newest `limit` runs of these jobs, newest first."""
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda job: _executions(target, job, limit), jobs))
        # A job that is new in the team file hides the runs of no other.
        if jobs and all(executions is None for executions in found):
            raise target.not_deployed(f"job {jobs[0]}")
        listed = [one for executions in found for one in executions or []]
        listed.sort(key=lambda one: one[1]["startDate"], reverse=True)
        deployments = {job: Deployments(target, job) for job in jobs}
        return list(pool.map(lambda one: _run(target, deployments[one[0]], *one), listed[:limit]))


def _executions(target: Target, job: str, limit: int) -> list[tuple[str, dict[str, Any]]] | None:
    """The newest executions of a job, each with the job's name; None when the job is not deployed."""
    machine = names.training_machine(target.spec.team, target.spec.name, job)
    pages = target.client("stepfunctions").get_paginator("list_executions")
    try:
        executions = _items(pages.paginate(stateMachineArn=target.arn("states", f"stateMachine:{machine}")))
        return [(job, execution) for execution in islice(executions, limit)]
    except ClientError as error:
        if errors.code(error) == "StateMachineDoesNotExist":
            return None
        raise


def _items(pages: Any) -> Iterator[dict[str, Any]]:
    for page in pages:
        yield from page["executions"]


def _run(target: Target, deployments: Deployments, job: str, execution: dict[str, Any]) -> Run:
    states = target.client("stepfunctions")
    described = states.describe_execution(executionArn=execution["executionArn"])
    asked = json.loads(described.get("input") or "{}")
    output = json.loads(described.get("output") or "{}")
    started = described["startDate"]
    ended = described.get("stopDate") or datetime.now(UTC)
    # The output of a run that came to its end says it all; of another, the history names its training job.
    training_job = output.get("trainingJob") or _last_training_job(states, execution["executionArn"])
    package = output.get("modelPackage", "")
    return Run(
        run=described["name"],
        job=job,
        status=described["status"],
        trigger=asked.get("trigger", "console"),
        experiment=_experiment(target, job, asked, output),
        started=started.astimezone(UTC).isoformat(timespec="seconds"),
        seconds=round((ended - started).total_seconds(), 1),
        training_job=training_job,
        hyperparameters=asked.get("hyperparameters", {}),
        metrics=output["metrics"] if "metrics" in output else _metrics(target, training_job),
        model_package=package,
        approval=approval(target, package) if package else "",
        deployments=deployments.of(package.rpartition("/")[2]) if package else [],
        error=described.get("error", ""),
        cause=described.get("cause", ""),
    )


def _experiment(target: Target, job: str, asked: dict[str, Any], output: dict[str, Any]) -> str:
    """The experiment that a run says it belonged to; of one that says nothing, the job's own."""
    said = output.get("experiment") or asked.get("experiment")
    return said or target.spec.jobs[job].experiment or UNASSIGNED


def _last_training_job(states: Any, execution: str) -> str:
    return next((started.job for started in reversed(list(training_jobs(states, execution)))), "")


def _metrics(target: Target, training_job: str) -> dict[str, float]:
    """The metrics that a training job has reported so far; none when it was never created."""
    if not training_job:
        return {}
    try:
        described = target.client("sagemaker").describe_training_job(TrainingJobName=training_job)
    except ClientError as error:
        if errors.code(error) in {"ValidationException", "ResourceNotFound"}:
            return {}
        raise
    return {one["MetricName"]: one["Value"] for one in described.get("FinalMetricDataList", [])}


def _show(target: Target, found: list[Run]) -> None:
    table = new_table()
    for column in ("run", "job", "status", "started (UTC)", "took", "result"):
        table.add_column(column, overflow="fold", no_wrap=column in {"job", "status", "took"})
    for run in found:
        style = STYLES.get(run.status, FAILED_STYLE)
        table.add_row(
            run.run,
            run.job,
            Text(run.status.lower(), style),
            run.started[:19].replace("T", " "),
            str(timedelta(seconds=round(run.seconds))),
            _result(target, run),
        )
    show(table)


def _result(target: Target, run: Run) -> Text:
    """Metrics, or why the run failed; below, what became of its model."""
    reason = _reason(run.error, run.cause)
    # The reason of a gate says the value itself.
    told = {name: value for name, value in run.metrics.items() if not reason.startswith(f"{name} is ")}
    metrics = ", ".join(f"{name} {value:.6g}" for name, value in told.items())
    first = "; ".join(filter(None, [metrics, reason]))
    style = STYLES.get(run.status, FAILED_STYLE) if run.cause or run.error else ""
    lines = [Text(first, style)] if first else []
    if run.approval:
        lines.append(Text(_APPROVALS[run.approval].format(model=f"{run.job}/{run.version}")))
    if run.approval == WAITING:
        lines[-1].append(f": {target.proposal(f'approve {run.job}/{run.version}')}")
    for one in run.deployments:
        said = ": ".join(
            filter(None, [f"endpoint {one.endpoint}: {one.state}", _reason(one.error, one.cause)])
        )
        lines.append(Text(said, FAILED_STYLE if one.error else ""))
    return Text("\n").join(lines)


def _reason(error: str, cause: str) -> str:
    # Remedy and log follow in the next lines of the cause; they are for --json.
    return shorten(next(iter(cause.splitlines()), error), LONGEST_CAUSE, placeholder=" …")
