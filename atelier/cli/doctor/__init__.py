"""`atelier doctor`: what an environment needs of its account, and what to ask for where it lacks."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from atelier.cli.doctor import account, cost, images, network, quotas
from atelier.cli.doctor.finding import Check, Finding, run
from atelier.cli.tables import new_table
from atelier.cli.tables import show as show_table
from atelier.cli.target import Target, choose_target

CHECKS: tuple[Check, ...] = (
    account.region,
    account.bootstrap,
    account.permissions,
    account.key,
    account.sign_in,
    network.zones,
    network.network,
    network.connection,
    images.images,
    images.managed_images,
    quotas.quotas,
    cost.budget,
    cost.cost_allocation_tags,
)
STYLES = {"ok": "green", "missing": "red", "cannot tell": "yellow"}


def doctor(
    team: Annotated[str | None, typer.Argument(help="A team of teams/; the only one, if omitted.")] = None,
    env: Annotated[str | None, typer.Argument(help="One of its environments.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Say what an environment needs of its account and does not have; nothing is changed."""
    findings = examine(choose_target(team, env, by_option=False))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in findings], indent=2))
    else:
        show(findings)
    if any(one.state == "missing" for one in findings):
        raise typer.Exit(1)


def examine(target: Target) -> list[Finding]:
    """Everything that the checks find, in their order; with another account's credentials, only that."""
    first = run(account.credentials, target)
    if any(one.state == "missing" for one in first):
        return first
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        return [
            *first,
            *(one for found in pool.map(lambda check: run(check, target), CHECKS) for one in found),
        ]


def show(findings: list[Finding]) -> None:
    """Print a table of what was found, and below it what to do."""
    table = new_table()
    table.add_column("", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("is", overflow="fold")
    for one in findings:
        table.add_row(Text(one.state, STYLES[one.state]), one.what, Text(one.says))
    show_table(table)
    asks = [one for one in findings if one.ask]
    if asks:
        typer.echo("\nWhat to do:")
    for one in asks:
        # Outside the table: a command that is broken over lines cannot be copied.
        typer.echo("\n    ".join([f"  {one.what}", *one.ask.splitlines()]))
    count = sum(one.state == "missing" for one in findings)
    typer.echo(f"\n{count} missing" if count else "\nnothing is missing")
