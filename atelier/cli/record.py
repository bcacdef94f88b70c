"""`atelier record`: what a deployed environment can never change again."""

from __future__ import annotations

from typing import Annotated

import typer

from atelier.cli.errors import CliError
from atelier.cli.target import TEAMS
from atelier.spec import load_team, record
from atelier.spec.load import SUFFIX


def record_team(
    team: Annotated[str, typer.Argument(help="The team.")],
    env: Annotated[str | None, typer.Argument(help="The environment; all of the team's, if omitted.")] = None,
) -> None:
    """Write down what in a deployed environment must not change, so that a change is refused; commit it."""
    path = TEAMS / f"{team}{SUFFIX}"
    environments = load_team(path).environments
    if env is not None and env not in environments:
        raise CliError(f"team {team} has no environment {env}: {', '.join(sorted(environments))}")
    written = record.write(
        path,
        {
            name: record.fixed(name, one.network, one.studio, notebooks=bool(one.notebooks))
            for name, one in environments.items()
            if env in {None, name}
        },
    )
    typer.echo(f"{written}: written; commit it with {path.name}")
