"""What two teams in one account may do to their own things and to each other's, as a table."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atelier.policies import Environments, Role
from atelier.spec import load_teams
from atelier.spec.model import TeamEnvironment
from stacks.app import PROJECT, new_app
from stacks.build import build
from tools.isolation.cases import KINDS, Environment, Thing, requests
from tools.isolation.simulator import Answer, simulate

TEAM, ENV, TWIN = "research", "dev", "rivals"
COLUMNS = {
    "data scientist": "-data-scientist",
    "reviewer": "-reviewer",
    "admin": "-admin",
    "automation": "-automation",
}
"""The personas by the ends of their roles' names; other roles are told by their boundary."""
BOUNDARIES = {
    "Boundaryworkplaces": "Studio, notebooks",
    "Boundaryjobs": "jobs, endpoints",
    "Boundaryworkflows": "workflows",
    "Boundaryfunctions": "functions",
    "Boundaryremoval": "removal",
    "Boundarybudgets": "budgets",
    "Boundarybuilds": "builds",
}


@dataclass
class Cell:
    """What one kind of role may do with one kind of thing."""

    own: set[str] = field(default_factory=set)
    """The actions that are allowed on the team's own."""
    refused: int = 0
    """How many requests to the neighbour's are refused."""
    reached: list[str] = field(default_factory=list)
    """Those that are not."""

    def __str__(self) -> str:
        if not self.refused and not self.reached:
            return ""
        return f"{len(self.own)} · {len(self.reached)}/{self.refused + len(self.reached)}"


@dataclass(frozen=True)
class Matrix:
    """A cell for each kind of thing and of role; `idle` are the actions that work on nothing of theirs."""

    cells: dict[tuple[str, str], Cell]
    idle: set[tuple[str, str]]

    def markdown(self) -> str:
        """The table, and how many requests it is made of."""
        columns = [*COLUMNS, *BOUNDARIES.values()]
        lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
        lines += [
            f"| {kind} | {' | '.join(str(self.cells.get((kind, column), '')) for column in columns)} |"
            for kind in KINDS
        ]
        asked = sum(cell.refused + len(cell.reached) for cell in self.cells.values())
        reached = sum(len(cell.reached) for cell in self.cells.values())
        return "\n".join([*lines, "", f"{asked:,} requests to the neighbour, {reached} of them allowed."])


def twins() -> list[TeamEnvironment]:
    """The example with everything switched on, and the same again under another name."""
    [spec] = load_teams(PROJECT / "teams", TEAM, ENV, root=PROJECT)
    return [spec, spec.model_copy(update={"team": TWIN})]


def synthesized(specs: Sequence[TeamEnvironment], folder: Path) -> Environments:
    """These environments, synthesized into `folder`."""
    app = new_app(outdir=str(folder))
    build(app, specs)
    app.synth()
    return Environments(folder)


def matrix() -> Matrix:
    """What the twins may do, by the simulator.

    Raises:
        RuntimeError: the simulator cannot run, or a policy is one that IAM would not store.
    """
    with tempfile.TemporaryDirectory() as folder:
        environments = synthesized(twins(), Path(folder))
        return compare(*(Environment(environments, f"{team}-{ENV}") for team in (TEAM, TWIN)))


def compare(one: Environment, other: Environment) -> Matrix:
    """What the roles of one may do with its own things, and with the other's."""
    own, across = requests(one, one), requests(one, other)
    answers = simulate([case for _, case in [*own, *across]], {**one.policies, **other.policies})
    things = {thing.arn: thing for thing, _ in [*own, *across]}
    cells: dict[tuple[str, str], Cell] = {}
    works: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        _count(answer, things[answer.case.resource], one, cells, works)
    idle = {key for key, count in works.items() if not count}
    return Matrix(cells, idle)


def _count(
    answer: Answer,
    thing: Thing,
    one: Environment,
    cells: dict[tuple[str, str], Cell],
    works: Counter[tuple[str, str]],
) -> None:
    role = answer.case.role
    cell = cells.setdefault((thing.kind, _column(role)), Cell())
    if thing in one.things:
        works[role.name, answer.case.action] += answer.allowed
        if answer.allowed:
            cell.own.add(answer.action)
    elif answer.allowed:
        cell.reached.append(f"{role.name} {answer.action} {thing.arn}")
    else:
        cell.refused += 1


def _column(role: Role) -> str:
    for column, ending in COLUMNS.items():
        if role.resource.stack.endswith("-people") and role.name.endswith(ending):
            return column
    boundary = role.boundary.name if role.boundary else ""
    return next(column for begins, column in BOUNDARIES.items() if boundary.startswith(begins))
