"""`atelier check` and `atelier schema`: what may stand in a team file, and whether it does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.errors import CliError
from atelier.cli.target import TEAMS
from atelier.spec import Problem, SpecError, Team, check_together, images, job_images, load_team, team_files
from atelier.spec.schema import schema_text


def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Team files; all of teams/, if omitted.")] = None,
) -> None:
    """Say whether team files are right, and where they are not."""
    paths = files or team_files(TEAMS)
    if not paths:
        raise CliError(f"no team file is in {TEAMS}/: write {TEAMS}/<team>.yaml")
    problems: list[Problem] = []
    teams: dict[Path, Team] = {}
    for path in paths:
        try:
            teams[path] = load_team(path)
            _tell(path, teams[path])
        except SpecError as error:
            problems += error.problems
    try:
        check_together(
            (path, environment) for path, team in teams.items() for environment in team.environments.values()
        )
    except SpecError as error:
        problems += error.problems
    if problems:
        typer.echo(f"{SpecError(problems)}\n\n{_count(len(problems), 'problem')}", err=True)
        raise typer.Exit(1)


def schema() -> None:
    """Print the JSON Schema of a team file, for editors."""
    typer.echo(schema_text(), nl=False)


def _tell(path: Path, team: Team) -> None:
    environments = list(team.environments.values())
    jobs = {job for environment in environments for job in environment.jobs}
    endpoints = {endpoint for environment in environments for endpoint in environment.endpoints}
    counts = [
        _count(len(environments), "environment"),
        _count(len(jobs), "job"),
        _count(len(endpoints), "endpoint"),
    ]
    typer.echo(f"{path}: right ({', '.join(counts)})")
    for warning in [*team.warnings, *_out_of_date(team, datetime.now(UTC).strftime("%Y-%m"))]:
        typer.echo(f"  warning: {warning}", err=True)


def _out_of_date(team: Team, month: str) -> list[str]:
    """The images that AWS patches no more in `month`, such as 2027-06."""
    used = {use for environment in team.environments.values() for use in job_images.managed(environment)}
    return [
        f"{place}: {said}"
        for place, framework, scope, version in sorted(used)
        if (said := images.out_of_date(framework, scope, version, month))
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
