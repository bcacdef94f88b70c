"""Checks environments against each other, across team files: the networks of one account must not overlap."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from ipaddress import IPv4Network
from pathlib import Path
from typing import TypeAlias

from atelier.spec import document, names
from atelier.spec.document import dotted
from atelier.spec.model import TeamEnvironment
from atelier.spec.network import Network
from atelier.spec.problems import Problem

OFFERED = [IPv4Network(f"10.{second}.0.0/16") for second in range(256)]
"""The ranges that a remedy proposes."""

WRITTEN = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}")
"""A range of addresses anywhere in a text."""

_Place: TypeAlias = tuple[Path, TeamEnvironment]
_Network: TypeAlias = tuple[IPv4Network, Path, TeamEnvironment]


def overlaps(environments: Iterable[_Place], others: Iterable[_Place] = ()) -> list[Problem]:
    """Created networks of one account and region whose addresses overlap; each environment with its file.

    Networks that overlap can never be connected, neither with each other nor with a third. How `others`
    overlap each other is left out.
    """
    asked = list(environments)
    about = {path for path, _ in asked}
    neighbours: dict[tuple[str, str], list[_Network]] = defaultdict(list)
    for path, spec in [*asked, *others]:
        if spec.network.mode == "created":
            neighbours[spec.account, spec.region].append((IPv4Network(spec.network.cidr), path, spec))
    return [problem for networks in neighbours.values() for problem in _overlapping(networks, about)]


def may_share_account(text: str, spec: TeamEnvironment) -> bool:
    """Whether a team file of this text may have a created network in the account of `spec`."""
    return spec.account in text and "created" in text


def may_overlap(text: str, spec: TeamEnvironment) -> bool:
    """Whether a team file of this text may have a network that overlaps that of `spec`.

    To parse a file costs a hundred times as much as to look for ranges in its text.
    """
    if not may_share_account(text, spec):
        return False
    default = Network.model_fields["cidr"].default
    return any(_overlap(spec.network.cidr, one) for one in {default, *WRITTEN.findall(text)})


def _overlap(cidr: str, written: str) -> bool:
    try:
        return IPv4Network(cidr).overlaps(IPv4Network(written, strict=False))
    except ValueError:
        return False


def _overlapping(networks: list[_Network], about: AbstractSet[Path]) -> Iterator[Problem]:
    """The networks that lie in another, which in the order of addresses is the last one that lies in none.

    Where neither is of a file that it is about, nothing is said.
    """
    free = [one for one in OFFERED if not any(one.overlaps(cidr) for cidr, _, _ in networks)]
    outer: _Network | None = None
    for network in sorted(networks, key=lambda one: (one[0], one[2].team, one[2].name)):
        cidr, path, spec = network
        if outer is None or not cidr.overlaps(outer[0]):
            outer = network
            continue
        if about.isdisjoint({path, outer[1]}):
            continue
        other = names.stage(outer[2].team, outer[2].name)
        node = document.read(path).find(("environments", spec.name, "network", "cidr"))
        yield Problem(
            path,
            node.line,
            node.column,
            dotted(node.path),
            node.shown(),
            f"{cidr} overlaps {outer[0]} of {other}, in the same account and region",
            f"write  cidr: {free.pop(0) if free else 'another range'}",
        )
