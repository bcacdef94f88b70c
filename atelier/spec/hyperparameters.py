"""The declared hyperparameters of a script or a built-in algorithm: types, bounds, and what may be tuned.

A script's folder holds hyperparameters.json, and prepare.json for the arguments of its preparation; those
of the built-in algorithms lie in data/algorithms/. All have one form:

    {"epochs": {"type": "integer", "default": 20, "minimum": 1, "tunable": true, "help": "…"}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from atelier.spec.jobs import Job
from atelier.spec.problems import choose

SCRIPTS = "training_scripts"
CONTAINERS = "containers"
"""The folders of scripts and of own images, within the project's."""
HYPERPARAMETERS = "hyperparameters.json"
ARGUMENTS = "prepare.json"
ALGORITHMS = Path(__file__).parent / "data/algorithms"

Value: TypeAlias = "str | int | float | bool"
Type: TypeAlias = Literal["integer", "number", "string", "boolean"]

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "string": ((str,), "text"),
    "boolean": ((bool,), "true or false"),
}


class DeclarationError(Exception):
    """A file of declarations is not of the form above; the message names the file and the entry."""


@dataclass(frozen=True)
class Declaration:
    """One hyperparameter."""

    type: Type
    default: Value | None = None
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    """A bound that a value must exceed."""
    choices: tuple[Value, ...] | None = None
    scale: Literal["linear", "logarithmic"] | None = None
    tunable: bool = False
    required: bool = False
    """Whether a job must name it."""
    only: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    """Other hyperparameters, each with the values beside which this one is taken."""
    help: str = ""

    def wrong(self, value: Value) -> tuple[str, str] | None:
        """The reason and the remedy when `value` cannot be this hyperparameter's."""
        allowed, says = _TYPES[self.type]
        if not isinstance(value, allowed) or (isinstance(value, bool) and self.type != "boolean"):
            return f"must be {says}", self._example()
        if self.choices is not None and value not in self.choices:
            names = [str(one) for one in self.choices]
            return f"must be one of {', '.join(names)}", choose(str(value), names, nothing="")
        for bound, says, is_beyond in (
            (self.minimum, "least", self._compare(value, self.minimum) < 0),
            (self.maximum, "most", self._compare(value, self.maximum) > 0),
        ):
            if is_beyond:
                return (
                    f"must be at {says} {bound}",
                    f"write {bound} or {'more' if says == 'least' else 'less'}",
                )
        if self.above is not None and self._compare(value, self.above) <= 0:
            return f"must be above {self.above}", f"write more than {self.above}"
        return None

    def misplaced(self, given: Mapping[str, Value]) -> tuple[str, str] | None:
        """The reason and the remedy when this hyperparameter means nothing beside the others `given`."""
        for name, values in self.only.items():
            if name in given and given[name] not in values:
                kinds = " or ".join(map(str, values))
                return f"is not taken with {name} {given[name]}", f"remove it; it belongs to {name} {kinds}"
        return None

    @staticmethod
    def _compare(value: Value, bound: float | None) -> int:
        if bound is None or isinstance(value, str):
            return 0
        return (value > bound) - (value < bound)

    def _example(self) -> str:
        about = f" ({self.help})" if self.help else ""
        return f"such as {json.dumps(self.default)}{about}" if self.default is not None else self.help


def of_folder(folder: Path, file: str = HYPERPARAMETERS) -> dict[str, Declaration] | None:
    """What a script's folder declares, or None where it declares nothing.

    Raises:
        DeclarationError: the file is no JSON of this form.
    """
    path = folder / file
    return _read(path, path.stat().st_mtime_ns)[0] if path.is_file() else None


@dataclass(frozen=True)
class BuiltIn:
    """What AWS documents of a built-in algorithm."""

    hyperparameters: Mapping[str, Declaration]
    metrics: tuple[str, ...]
    """The names of the metrics that SageMaker itself reads from its log; a job can define no others."""
    content_types: tuple[str, ...]
    """What its endpoints take."""


@cache
def of_algorithm(name: str) -> BuiltIn:
    """The built-in algorithm called `name`."""
    declared, document = _read(ALGORITHMS / f"{name}.json")
    return BuiltIn(declared, tuple(document["metrics"]), tuple(document["content_types"]))


@cache
def _read(path: Path, _written: int = 0) -> tuple[dict[str, Declaration], dict[str, Any]]:
    """The declarations of a file and the rest of it; asked again when it is written again."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DeclarationError(f"{path.name} is no JSON: {error}") from error
    is_built_in = path.parent == ALGORITHMS
    entries = document["hyperparameters"] if is_built_in else document
    if not isinstance(entries, dict):
        raise DeclarationError(f"{path.name} must map names to declarations")
    declared = {
        name: _declaration(f"{path.name}: {name}", entry, is_built_in=is_built_in)
        for name, entry in entries.items()
    }
    return declared, document


def _declaration(where: str, entry: Any, *, is_built_in: bool) -> Declaration:
    known = {one.name for one in fields(Declaration)} - (set() if is_built_in else {"above", "only"})
    if not isinstance(entry, dict) or entry.get("type") not in _TYPES:
        raise DeclarationError(f"{where} needs a type: one of {', '.join(_TYPES)}")
    unknown = sorted(set(entry) - known)
    if unknown:
        raise DeclarationError(
            f"{where}: {unknown[0]} means nothing; {choose(unknown[0], known, nothing='')}"
        )
    for bound in ("minimum", "maximum"):
        if not isinstance(entry.get(bound, 0), (int, float)):
            raise DeclarationError(f"{where}: its {bound} must be a number")
    choices = entry.get("choices")
    if not isinstance(choices, (list, type(None))):
        raise DeclarationError(f"{where}: its choices must be a list")
    # A script's own is required unless it has a default; AWS says of its algorithms' which are.
    required = entry.get("required", not is_built_in and "default" not in entry)
    found = {"choices": None if choices is None else tuple(choices), "required": required}
    declaration = Declaration(**{**entry, **found})
    wrong = declaration.wrong(declaration.default) if declaration.default is not None else None
    if wrong:
        raise DeclarationError(f"{where}: its default {wrong[0]}")
    return declaration


def encoded(value: Value) -> str:
    """A hyperparameter for the framework containers, as the SageMaker SDK writes it: JSON."""
    return json.dumps(value)


def plain(value: Value) -> str:
    """A hyperparameter for every other container, as the SageMaker SDK writes it: text as it is."""
    return str(value)


def declared(project: Path, job: Job) -> dict[str, Declaration] | None:
    """What the job's script, algorithm or own image declares, or None where that is not known.

    Raises:
        DeclarationError: the file is not of the form above.
    """
    if job.algorithm is not None:
        return dict(of_algorithm(job.algorithm.name).hyperparameters)
    if job.image is not None:
        return of_folder(project / CONTAINERS / job.image.name)
    return of_folder(project / SCRIPTS / job.script) if job.script else None
