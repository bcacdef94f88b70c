"""`atelier doctor`: what an environment needs of its account, and what to ask for where it lacks."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from atelier.cli.doctor.account import bootstrap, credentials, key, permissions, region, sign_in
from atelier.cli.doctor.cost import budget, cost_allocation_tags
from atelier.cli.doctor.finding import Check, Finding, run
from atelier.cli.doctor.images import images, managed_images
from atelier.cli.doctor.network import network
from atelier.cli.doctor.quotas import quotas
from atelier.cli.tables import new_table, show
from atelier.cli.target import Target, choose_target

CHECKS: tuple[Check, ...] = (
    region,
    bootstrap,
    permissions,
    key,
    sign_in,
    network,
    images,
    managed_images,
    quotas,
    budget,
    cost_allocation_tags,
)
STYLES = {"ok": "green", "missing": "red", "cannot tell": "yellow"}


def doctor(
    team: Annotated[str | None, typer.Argument(help="A team of teams/; the only one, if omitted.")] = None,
    env: Annotated[str | None, typer.Argument(help="One of its environments.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Say what an environment needs of its account and does not have; nothing is changed."""
    findings = examine(choose_target(team, env))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in findings], indent=2))
    else:
        _show(findings)
    if any(one.state == "missing" for one in findings):
        raise typer.Exit(1)


def examine(target: Target) -> list[Finding]:
    """Everything that the checks find, in their order; with another account's credentials, only that."""
    first = run(credentials, target)
    if any(one.state == "missing" for one in first):
        return first
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        return [
            *first,
            *(one for found in pool.map(lambda check: run(check, target), CHECKS) for one in found),
        ]


def _show(findings: list[Finding]) -> None:
    table = new_table()
    table.add_column("", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("is", overflow="fold")
    for one in findings:
        table.add_row(Text(one.state, STYLES[one.state]), one.what, Text(one.says))
    show(table)
    asks = [one for one in findings if one.ask]
    if asks:
        typer.echo("\nWhat to do:")
    for one in asks:
        # Outside the table: a command that is broken over lines cannot be copied.
        typer.echo(f"  {one.what}\n    {one.ask}")
    count = sum(one.state == "missing" for one in findings)
    typer.echo(f"\n{count} missing" if count else "\nnothing is missing")
