"""Checks what a schema cannot say: that the parts of a team file fit each other, the project and AWS."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path

from atelier.spec.checks import endpoints, guardrails, jobs, network, record, size, studio, team
from atelier.spec.checks.finding import Context, Finding
from atelier.spec.checks.team import FIXED_BY_FILE
from atelier.spec.checks.together import may_overlap, may_share_account, overlaps
from atelier.spec.checks.warnings import warnings
from atelier.spec.document import Node, dotted
from atelier.spec.model import TeamFile
from atelier.spec.problems import Problem

__all__ = ["FIXED_BY_FILE", "check", "may_overlap", "may_share_account", "overlaps", "warnings"]


_JOBS = {"images", "jobs", "endpoints"}
_PLACES = {"images", "studio", "notebooks"}
PARTS = (
    (team, {"images"}),
    (jobs, _JOBS),
    (endpoints, _JOBS),
    (network, set[str]()),
    (studio, _PLACES),
    (guardrails, {"guardrails", *_JOBS, *_PLACES}),
    (record, _PLACES),
    (size, {*_JOBS, *_PLACES}),
)
"""The checks, each with the sections that it looks at beside those that every file has."""


def check(
    path: Path, root: Node, file: TeamFile, environment: str, project: Path, wrong: AbstractSet[str]
) -> list[Problem]:
    """The problems of `file` as `environment` sees it; `root` says where each value stands in `path`.

    Sections in `wrong` are missing from `file`: nothing that looks at them is checked.
    """
    context = Context(path, root, file, environment, project)
    found = [finding for part, sections in PARTS if not sections & wrong for finding in part.check(context)]
    return [_problem(path, root, finding) for finding in found]


def _problem(path: Path, root: Node, finding: Finding) -> Problem:
    node = root.find(finding.path)
    at_key = finding.in_key and node.key_line
    return Problem(
        path,
        node.key_line if at_key else node.line,
        node.key_column if at_key else node.column,
        dotted(node.path),
        str(node.path[-1]) if finding.in_key else node.shown(),
        finding.reason,
        finding.remedy,
    )
