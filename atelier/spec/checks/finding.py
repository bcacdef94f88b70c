"""What a check looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from atelier.spec.document import Node, Steps, dotted
from atelier.spec.hyperparameters import SCRIPTS
from atelier.spec.model import Environment, TeamFile

__all__ = ["SCRIPTS", "Context", "Finding", "Findings", "alike", "twice"]


@dataclass(frozen=True)
class Finding:
    """Something wrong at `path`, in the value that stands there or in its key."""

    path: Steps
    reason: str
    remedy: str
    in_key: bool = False


Findings: TypeAlias = Iterator[Finding]


@dataclass(frozen=True)
class Context:
    """What the checks of one environment look at."""

    path: Path
    """The team file."""
    root: Node
    """The merged content, which knows where everything is written."""
    file: TeamFile
    environment: str
    project: Path
    """The project's folder; nothing else on disk is looked at."""

    @property
    def declared(self) -> Environment:
        """The environment as the file declares it."""
        return self.file.environments[self.environment]

    @property
    def scripts(self) -> Path:
        """The folder of the training scripts."""
        return self.project / SCRIPTS

    def place(self, path: Steps) -> str:
        """How an error about another place mentions this one: `guardrails.require_vpc (line 12)`."""
        node = self.root.find(path)
        is_written = node.path[-len(path) :] == path
        return f"{dotted(node.path)} (line {node.key_line or node.line})" if is_written else dotted(path)


def twice(at: Steps, values: Sequence[str], what: str) -> Findings:
    """The values of a list that it holds already."""
    for index, value in enumerate(values):
        if value in values[:index]:
            yield Finding((*at, index), f"the list names this {what} twice", "remove one of the two")


def alike(at: Steps, names: Iterable[str], what: str) -> Findings:
    """The keys of a mapping that differ from another in upper and lower case alone."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            reason = f"the {what} {other} is there already, and case alone makes no difference"
            yield Finding((*at, name), reason, "remove or rename one of the two", in_key=True)
