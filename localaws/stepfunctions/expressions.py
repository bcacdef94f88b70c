"""The expressions of a state, looked at before it ever runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localaws.stepfunctions import comparisons, jsonata, templates
from localaws.stepfunctions.language import JSONATA
from localaws.stepfunctions.paths import parse_path

Problems = Iterator[tuple[str, str]]

# Fields that hold machines and states of their own, or nothing to evaluate.
_OPAQUE = frozenset({"Type", "Comment", "Branches", "ItemProcessor", "Iterator", "Resource", "Next", "Retry"})
_TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign")
_PATHS = (
    "InputPath",
    "OutputPath",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ErrorPath",
    "CausePath",
)
# The types whose work gives a result.
_WITH_RESULT = frozenset({"Task", "Parallel", "Map"})
_RESULT = re.compile(r"\$states\.(result|errorOutput)\b")
_NULLABLE = frozenset({"InputPath", "OutputPath", "ResultPath"})
_ONE_OF: Mapping[str, tuple[str, ...]] = {"Wait": ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")}


def problems_in(kind: str, fields: Mapping[str, Any], language: str) -> Problems:
    """What is wrong in the expressions of a state: pairs of place in the state and reason."""
    wanted = _ONE_OF.get(kind, ())
    if wanted and sum(name in fields for name in wanted) != 1:
        yield "", f"A {kind} state must have exactly one of {', '.join(wanted)}"
    choices = fields.get("Choices", [])
    if kind == "Choice" and not choices:
        yield "Choices", "'Choices' must have at least one rule"
    yield from (_in_jsonata(kind, fields, choices) if language == JSONATA else _in_jsonpath(fields, choices))


def _in_jsonata(kind: str, fields: Mapping[str, Any], choices: list[Any]) -> Problems:
    for index, rule in enumerate(choices):
        if "Condition" not in rule:
            yield f"Choices[{index}]", "a choice rule in JSONata must have a 'Condition'"
        else:
            for name in rule.keys() - {"Condition", "Next", "Assign", "Output", "Comment"}:
                yield (
                    f"Choices[{index}]/{name}",
                    f"Field '{name}' is not supported in a choice rule in JSONata",
                )
    for name, value in fields.items():
        if name not in _OPAQUE:
            yield from _syntax(value, name, _results_of(kind, name))


def _results_of(kind: str, name: str) -> frozenset[str]:
    """Which of `$states.result` and `$states.errorOutput` a field of a state may look at."""
    if name == "Catch":
        return frozenset({"errorOutput"})
    return frozenset({"result"} if kind in _WITH_RESULT and name in ("Output", "Assign") else ())


def _syntax(template: Any, place: str, results: frozenset[str]) -> Problems:
    if isinstance(template, dict):
        for key, inner in template.items():
            yield from _syntax(inner, f"{place}/{key}", results)
    elif isinstance(template, list):
        for index, inner in enumerate(template):
            yield from _syntax(inner, f"{place}[{index}]", results)
    elif isinstance(template, str):
        expression = jsonata.expression_in(template)
        if expression is not None:
            reason = jsonata.syntax_error(expression)
            if reason:
                yield place, f"The JSONata expression '{expression}' is not valid: {reason}"
            for name in sorted(set(_RESULT.findall(expression)) - results):
                yield place, f"$states.{name} has no value in this field"


def _in_jsonpath(fields: Mapping[str, Any], choices: list[Any]) -> Problems:
    for index, rule in enumerate(choices):
        yield from comparisons.problems_in(rule, f"Choices[{index}]")
    for name in _TEMPLATES:
        yield from templates.problems_in(fields.get(name), name)
    for name in _PATHS:
        yield from _path(fields, name, templates.problem_with)
    yield from _path(fields, "ResultPath", _reference_problem)
    for index, catcher in enumerate(fields.get("Catch", ())):
        yield from _path(catcher, "ResultPath", _reference_problem, f"Catch[{index}]/")


def _path(
    fields: Mapping[str, Any], name: str, problem_with: Callable[[str], str | None], place: str = ""
) -> Problems:
    if name not in fields or (fields[name] is None and name in _NULLABLE):
        return
    if not isinstance(fields[name], str):
        yield f"{place}{name}", f"'{name}' must be a path"
        return
    reason = problem_with(fields[name])
    if reason:
        yield f"{place}{name}", reason


def _reference_problem(text: str) -> str | None:
    """A ResultPath must name one place of the input."""
    try:
        path = parse_path(text)
    except ValueError as error:
        return str(error)
    if not path.definite or path.root != "$":
        return f"{text!r} must be a reference path: one place of the state's input"
    return None
