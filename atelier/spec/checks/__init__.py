"""Checks what a schema cannot say: that the parts of a team file fit each other, the project and AWS."""

from __future__ import annotations

from pathlib import Path

from atelier.spec import record as records
from atelier.spec.checks import endpoints, guardrails, jobs, network, record, studio, team
from atelier.spec.checks.finding import Context, Finding
from atelier.spec.checks.team import FIXED_BY_FILE
from atelier.spec.checks.together import overlaps
from atelier.spec.checks.warnings import warnings
from atelier.spec.document import Node, dotted
from atelier.spec.model import TeamFile
from atelier.spec.problems import Problem

__all__ = ["FIXED_BY_FILE", "check", "overlaps", "warnings"]


def check(path: Path, root: Node, file: TeamFile, environment: str, project: Path) -> list[Problem]:
    """The problems of `file` as `environment` sees it; `root` says where each value stands in `path`."""
    context = Context(path.stem, root, file, environment, project)
    parts = (team, jobs, endpoints, network, studio, guardrails)
    found = [finding for part in parts for finding in part.check(context)]
    found += record.check(context, records.read(path).get(environment, {}))
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
