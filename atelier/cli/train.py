"""`atelier train`: start a run and follow it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text

from atelier.cli import errors
from atelier.cli.best import Model, proposals
from atelier.cli.errors import CliError
from atelier.cli.follow import Finished, JobStarted, LogLine, StateEntered, follow
from atelier.cli.sweep import combinations, start_all, wait_for_all
from atelier.cli.target import EnvOption, Target, TeamOption, choose_target
from atelier.spec import names
from atelier.spec.hyperparameters import DeclarationError
from atelier.spec.hyperparameters import declared as declarations
from atelier.spec.problems import choose

FUNCTION = "start_training"
PROJECT = Path()
REQUEST_ID_LENGTH = 12
POLL_SECONDS = 0.5


def train(
    job: Annotated[str, typer.Argument(help="A job of the team.")],
    team: TeamOption = None,
    env: EnvOption = None,
    hyperparameters: Annotated[
        list[str] | None,
        typer.Option("--hyperparameter", "-p", metavar="NAME=VALUE", help="For this run alone; repeatable."),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=V1,V2", help="One run for each value, at the same time; repeatable."),
    ] = None,
    experiment: Annotated[
        str | None, typer.Option(help="The experiment that it belongs to; the job's own, if omitted.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Follow the run to its end.")] = True,
) -> None:
    """Start a run of a job and follow it to its end; with --sweep several, side by side.

    Exits with 1 when a run fails.
    """
    target = choose_target(team, env)
    target.check_job(job)
    told, swept = _parsed(hyperparameters or []), _swept(sweep or [])
    for name in told.keys() & swept.keys():
        raise CliError(f"{name} is in --sweep and in --hyperparameter (-p): leave it out of one")
    asked = [{**told, **one} for one in combinations(swept)]
    _check(target, job, asked)
    console = Console(highlight=False)
    if sweep:
        _sweep(console, target, job, asked, experiment, wait=wait)
        return
    started = _start(target, job, asked[0], experiment)
    console.print(f"run {started['run']}", style="bold", soft_wrap=True)
    if wait:
        try:
            _show(console, target, job, started["execution"])
        except KeyboardInterrupt:
            console.print(
                f"the run goes on: {target.proposal(f'runs {job}')} shows how it ends", soft_wrap=True
            )
            raise typer.Exit(130) from None


def _parsed(pairs: list[str]) -> dict[str, Any]:
    """Names and values; a value is JSON where it can be (10, 0.5, true), else text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not name or not equals:
            raise CliError(f"--hyperparameter {pair!r} is no name=value: such as units=20")
        found[name] = _value(text)
    return found


def _swept(pairs: list[str]) -> dict[str, list[Any]]:
    """Names, each with its values."""
    found: dict[str, list[Any]] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not name or not equals or "" in text.split(","):
            raise CliError(f"--sweep {pair!r} is no name=value,value: such as learning_rate=0.1,0.01")
        found[name] = [_value(one) for one in dict.fromkeys(text.split(","))]
    return found


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str | int | float | bool) else text


def _check(target: Target, job: str, asked: Sequence[Mapping[str, Any]]) -> None:
    """Refuse values that the job's script or algorithm would refuse, before anything is started."""
    try:
        declared = declarations(PROJECT, target.spec.jobs[job])
    except DeclarationError as error:
        raise CliError(str(error)) from error
    if declared is None:
        return
    for one in asked:
        together = {**target.spec.jobs[job].hyperparameters, **one}
        for name, value in together.items():
            if name not in declared:
                raise CliError(f"{job} has no hyperparameter {name!r}: {choose(name, declared, nothing='')}")
            wrong = declared[name].wrong(value) or declared[name].misplaced(together)
            if wrong:
                raise CliError(f"hyperparameter {name}={value}: {wrong[0]}; {wrong[1]}")


def _sweep(
    console: Console,
    target: Target,
    job: str,
    asked: Sequence[dict[str, Any]],
    experiment: str | None,
    *,
    wait: bool,
) -> None:
    """Start all runs, then show how each ends; their models wait for a person, who chooses among them.

    Raises:
        CliError: some of them failed.
    """
    answers = start_all(lambda one: _start(target, job, one, experiment, approval="manual"), asked)
    labels = [", ".join(f"{name}={value}" for name, value in one.items()) for one in asked]
    for label, answer in zip(labels, answers, strict=True):
        console.print(Text(f"run {answer['run']}", "bold").append(f"  {label}", ""), soft_wrap=True)
    compare = target.proposal(f"compare {shlex.quote(experiment or job)}")
    outputs: list[dict[str, Any]] = []
    try:
        if wait:
            outputs = wait_for_all(console, target, list(zip(labels, answers, strict=True)))
    except KeyboardInterrupt:
        console.print(f"the runs go on: {compare} shows how they end", soft_wrap=True)
        raise typer.Exit(130) from None
    console.print(f"side by side: {compare}", soft_wrap=True)
    if not wait:
        return
    models = [Model(job, one["modelPackage"].rpartition("/")[2], one["metrics"]) for one in outputs]
    for proposal in proposals(target, models):
        console.print(proposal, soft_wrap=True)
    if models and target.spec.jobs[job].gate is None:
        console.print(f"to deploy one: {target.proposal(f'approve {job}/<version>')}", soft_wrap=True)
    if len(outputs) < len(asked):
        raise CliError(f"{len(asked) - len(outputs)} of {len(asked)} runs failed")


def _start(
    target: Target,
    job: str,
    hyperparameters: dict[str, Any],
    experiment: str | None,
    approval: str | None = None,
) -> dict[str, str]:
    """Ask the environment's function for a run; its answer for this job.

    With the approval "manual" its model waits for a person, even where the environment approves at once.
    """
    name = names.function(target.spec.team, target.spec.name, FUNCTION)
    # With an id of our own a call that is repeated, for its answer was lost, is the same run.
    request = {
        "job": job,
        "hyperparameters": hyperparameters,
        "id": uuid4().hex[:REQUEST_ID_LENGTH],
        **({"experiment": experiment} if experiment else {}),
        **({"approval": approval} if approval else {}),
    }
    try:
        answer = target.client("lambda").invoke(FunctionName=name, Payload=json.dumps(request))
    except ClientError as error:
        if errors.code(error) == "ResourceNotFoundException":
            raise target.not_deployed(f"function {name}") from error
        raise
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CliError(f"{name} failed: {payload.get('errorMessage', payload)}")
    started: dict[str, str] = payload["runs"][0]
    if started["status"] == "waiting":
        raise CliError(_no_data(target, job, started["channel"]))
    return started


def _no_data(target: Target, job: str, channel: str) -> str:
    spec = target.spec
    bucket = names.bucket(spec.team, spec.name, "data", spec.account, spec.region)
    prefix = spec.jobs[job].sources.get(channel, "")
    return f"channel {channel} of {job} holds no data: upload some to s3://{bucket}/{prefix}"


def _show(console: Console, target: Target, job: str, execution: str) -> None:
    """Print what happens, line by line; raises a CliError with the cause when the run fails."""
    for event in follow(target.client, execution, poll_seconds=POLL_SECONDS):
        match event:
            case StateEntered(name):
                console.print(Text(name, "bold cyan"), soft_wrap=True)
            case JobStarted(kind, name, instance_type):
                console.print(Text(f"  {kind} job {name} on {instance_type}"), soft_wrap=True)
            case LogLine(_, text):
                console.print(Text(f"  │ {text}", "dim"), soft_wrap=True)
            case Finished("SUCCEEDED", output):
                _show_result(console, target, job, output)
            case Finished(status, _, error, cause):
                # Cause and remedy come first; the log that follows them has just been shown.
                said = "\n".join(cause.splitlines()[:2])
                raise CliError(f"run {execution.rpartition(':')[2]} {status.lower()}: {error}: {said}")


def _show_result(console: Console, target: Target, job: str, output: dict[str, Any]) -> None:
    for name, value in output.get("metrics", {}).items():
        console.print(Text(f"{name} = {value:.6g}", "bold green"), soft_wrap=True)
    package = output.get("modelPackage")
    if package:
        status = output.get("status", "")
        console.print(Text(f"model package {package} {status}", "green"), soft_wrap=True)
        version = f"{job}/{package.rpartition('/')[2]}"
        console.print(Text(_next_step(target, job, version, approved=status == "approved")), soft_wrap=True)


def _next_step(target: Target, job: str, version: str, *, approved: bool) -> str:
    """What follows on a registered model, or what to type that it does."""
    endpoints = ", ".join(name for name, spec in target.spec.endpoints.items() if job in spec.served.values())
    if not endpoints:
        return f"no endpoint serves job {job}: nothing is deployed"
    if approved:
        return f"its deployment to {endpoints} follows: {target.proposal(f'runs {job}')} shows how it ends"
    return f"to deploy it to {endpoints}: {target.proposal(f'approve {version}')}"
