"""Checks environments against each other, across team files: the networks of one account must not overlap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import TypeAlias

from atelier.spec import document, names
from atelier.spec.document import dotted
from atelier.spec.model import TeamEnvironment
from atelier.spec.problems import Problem

OFFERED = [IPv4Network(f"10.{second}.0.0/16") for second in range(256)]
"""The ranges that a remedy proposes."""

_Network: TypeAlias = tuple[IPv4Network, Path, TeamEnvironment]


def overlaps(environments: Iterable[tuple[Path, TeamEnvironment]]) -> list[Problem]:
    """Created networks of one account and region whose addresses overlap; each environment with its file.

    Networks that overlap can never be connected, neither with each other nor with a third.
    """
    neighbours: dict[tuple[str, str], list[_Network]] = defaultdict(list)
    for path, spec in environments:
        if spec.network.mode == "created":
            neighbours[spec.account, spec.region].append((IPv4Network(spec.network.cidr), path, spec))
    return [problem for networks in neighbours.values() for problem in _overlapping(networks)]


def _overlapping(networks: list[_Network]) -> Iterator[Problem]:
    """The networks that lie in another, which in the order of addresses is the last one that lies in none."""
    free = [one for one in OFFERED if not any(one.overlaps(cidr) for cidr, _, _ in networks)]
    outer: _Network | None = None
    for network in sorted(networks, key=lambda one: (one[0], one[2].team, one[2].name)):
        cidr, path, spec = network
        if outer is None or not cidr.overlaps(outer[0]):
            outer = network
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
