"""`atelier new-team`: a team file to begin with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from atelier.cli.errors import CliError
from atelier.cli.target import TEAMS
from atelier.spec import Problem, SpecError, load_team
from atelier.spec.base import ACCOUNT, EMAIL, STAGE_NAME

TEMPLATE = Path(__file__).parent / "new_team.yaml"
PLAIN = re.compile(r"[\w.+-]+(@[\w.-]+)?", re.ASCII)
"""What needs no quotes in YAML."""


def new_team(
    name: Annotated[str, typer.Argument(help="The team's name: lower-case letters and digits.")],
    account: Annotated[
        str | None,
        typer.Option(help="The AWS account of its first environment.", show_default=ACCOUNT.example),
    ] = None,
    region: Annotated[str, typer.Option(help="The AWS region of its first environment.")] = "eu-west-1",
    owner: Annotated[
        str | None,
        typer.Option(help="Who answers for the team: an e-mail address.", show_default=EMAIL.example),
    ] = None,
) -> None:
    """Write teams/NAME.yaml, with comments that say what else it may hold."""
    if not re.fullmatch(STAGE_NAME.pattern, name):  # before it becomes a part of a path
        raise CliError(f"{name!r} is no name for a team: it {STAGE_NAME.says}, such as {STAGE_NAME.example}")
    path = TEAMS / f"{name}.yaml"
    values = {
        "account": account or ACCOUNT.example,
        "region": region,
        "owner": owner or EMAIL.example,
    }
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        team=name, **{key: _quoted(value) for key, value in values.items()}
    )
    TEAMS.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CliError(f"{path} is there already: edit it, or choose another name") from None
    try:
        load_team(path)
    except SpecError as error:
        path.unlink()
        raise CliError("\n".join(map(_told, error.problems))) from error
    typer.echo(f"{path} is written. Edit it, then:  atelier check {path}")
    given = {"account": account, "owner": owner}
    examples = [f"{key} {values[key]}" for key, value in given.items() if value is None]
    if examples:
        typer.echo(f"It holds an example's {' and '.join(examples)}: put in your own.")


def _quoted(value: str) -> str:
    return value if PLAIN.fullmatch(value) else json.dumps(value)


def _told(problem: Problem) -> str:
    """The problem with an option, whose place in a file that is gone again says nothing."""
    return f"{problem.value}: {problem.reason}; {problem.remedy}"
