"""`atelier teams`: what the team files describe, at a glance."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from atelier.cli.tables import new_table, show
from atelier.cli.target import TEAMS
from atelier.spec import TeamEnvironment, load_teams


@dataclass(frozen=True)
class Listed:
    """One environment of one team; `monthly_usd` is None where no budget is declared."""

    team: str
    environment: str
    account: str
    region: str
    users: list[str]
    jobs: list[str]
    endpoints: list[str]
    notebooks: list[str]
    monthly_usd: int | None


def teams(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """List the teams and their environments: where, who, what, and the monthly budget."""
    found = [_listed(environment) for environment in load_teams(TEAMS)]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        _show(found)


def _listed(spec: TeamEnvironment) -> Listed:
    return Listed(
        team=spec.team,
        environment=spec.name,
        account=spec.account,
        region=spec.region,
        users=list(spec.studio.users) if spec.studio else [],
        jobs=list(spec.jobs),
        endpoints=list(spec.endpoints),
        notebooks=list(spec.notebooks),
        monthly_usd=spec.budget.monthly_usd if spec.budget else None,
    )


def _show(found: list[Listed]) -> None:
    table = new_table()
    table.show_footer = True
    total = sum(one.monthly_usd or 0 for one in found)
    for column in ("team", "environment", "account", "region"):
        table.add_column(column)
    for column in ("users", "jobs", "endpoints", "notebooks"):
        table.add_column(column, justify="right")
    table.add_column("budget a month", justify="right", footer=_dollars(total))
    for one in found:
        counts = (one.users, one.jobs, one.endpoints, one.notebooks)
        table.add_row(
            *(one.team, one.environment, one.account, one.region),
            *(str(len(names)) for names in counts),
            "none" if one.monthly_usd is None else _dollars(one.monthly_usd),
        )
    show(table)


def _dollars(amount: int) -> str:
    return f"${amount:,}"
