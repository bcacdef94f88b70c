"""`atelier images` lists what AWS has; `atelier image` builds and pushes the team's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from atelier.cli.errors import CliError
from atelier.cli.tables import new_table, show
from atelier.spec import images as table
from atelier.spec import instances
from atelier.spec.problems import choose

DEFAULT_REGION = "us-east-1"
EXAMPLES = ("ml.m5.large", "ml.g5.xlarge")
"""A type without a GPU and one with: each has an image of its own where a framework has both."""


@dataclass(frozen=True)
class Listed:
    """One managed image; `patched_until` is a month, or empty where AWS has said nothing."""

    framework: str
    version: str
    use: table.Scope
    processor: str
    patched_until: str
    address: str


def images(
    framework: Annotated[
        str | None, typer.Argument(help="A framework or algorithm; all, if omitted.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="One version, such as 2.10.")] = None,
    region: Annotated[str, typer.Option(envvar="AWS_REGION", help="Where it is to run.")] = DEFAULT_REGION,
    every: Annotated[bool, typer.Option("--all", help="Every version, not the newest alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List the managed images of AWS: versions, addresses in a region, until when each is patched.

    Warns of a version that is patched no more; names the nearest of one that does not exist.
    """
    known = table.names()
    if framework is not None and framework not in known:
        raise CliError(
            f"AWS has no managed image called {framework!r}: {choose(framework, known, nothing='')}"
        )
    if region not in instances.regions():
        nearest = choose(region, instances.regions(), nothing="")
        raise CliError(f"SageMaker has no region {region!r}: {nearest}")
    if version is not None and framework is None:
        raise CliError("--version needs a framework: such as  atelier images pytorch --version 2.10")
    found = [
        one
        for name in ([framework] if framework else known)
        for one in listed(name, region, version=version, every=every)
    ]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    shown = new_table()
    for column in ("framework", "version", "for", "on", "patched until", "address"):
        shown.add_column(column, overflow="fold", no_wrap=column != "address")
    for one in found:
        shown.add_row(*map(str, asdict(one).values()))
    show(shown)
    for warning in past(found, f"{datetime.now(UTC):%Y-%m}"):
        typer.echo(f"warning: {warning}", err=True)


def listed(
    framework: str, region: str, *, version: str | None = None, every: bool = False
) -> Iterator[Listed]:
    """The images of a framework in a region: the newest version, `version`, or every one.

    Raises:
        CliError: there is no such version; names the nearest.
    """
    for scope in table.SCOPES:
        try:
            full = table.resolve(framework, version, scope)
        except table.ImageError as error:
            # What serves may lag behind what trains.
            if scope == "training":
                raise CliError(f"{error.reason}: {error.remedy}") from error
            continue
        for one in table.versions(framework, scope) if every else [full]:
            yield from _addresses(framework, one, scope, region)


def _addresses(framework: str, version: str, scope: table.Scope, region: str) -> Iterator[Listed]:
    """One entry for each kind of processor that has an image of its own."""
    seen = set()
    for instance_type in EXAMPLES:
        try:
            address = table.address(framework, version, scope, region, instance_type)
        except table.ImageError:
            continue
        if address not in seen:
            seen.add(address)
            end = table.patched_until(framework, scope, version)
            yield Listed(framework, version, scope, instances.processor(instance_type), end, address)


def past(found: list[Listed], month: str) -> list[str]:
    """What to say of those that AWS patches no more in `month`, such as 2027-06."""
    uses = dict.fromkeys((one.framework, one.use, one.version) for one in found)
    return [said for use in uses if (said := table.out_of_date(*use, month))]
