"""The comparisons of a Choice rule in JSONPath, such as `NumericGreaterThan` or `IsPresent`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from localaws.stepfunctions.errors import RUNTIME, StateError
from localaws.stepfunctions.paths import PathNotFound, find, parse_path

Roots = Mapping[str, Any]

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def timestamp(value: Any) -> datetime | None:
    """The moment that an RFC 3339 string names, or None."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# How the two sides of a comparison must look, and what is compared of them.
_KINDS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any], Any]]] = {
    "String": (lambda value: isinstance(value, str), str),
    "Numeric": (_is_number, lambda value: value),
    "Boolean": (lambda value: isinstance(value, bool), bool),
    "Timestamp": (lambda value: timestamp(value) is not None, timestamp),
}
_RELATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_TYPE_TESTS: Mapping[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": _is_number,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: timestamp(value) is not None,
}
_COMPARISONS = {
    f"{kind}{relation}": (kind, relation)
    for kind in _KINDS
    for relation in _RELATIONS
    if kind != "Boolean" or relation == "Equals"
}
OPERATORS = frozenset(
    {*_COMPARISONS, *(f"{name}Path" for name in _COMPARISONS), *_TYPE_TESTS, "IsPresent", "StringMatches"}
)


def problems_in(rule: Any, place: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a rule before it runs: pairs of place and reason."""
    if not isinstance(rule, dict):
        yield place, "a choice rule must be an object"
        return
    for name in ("And", "Or"):
        if name in rule:
            if not isinstance(rule[name], list) or not rule[name]:
                yield f"{place}/{name}", f"'{name}' must be an array with at least one rule"
                return
            for index, inner in enumerate(rule[name]):
                yield from problems_in(inner, f"{place}/{name}[{index}]")
            return
    if "Not" in rule:
        yield from problems_in(rule["Not"], f"{place}/Not")
        return
    operators = [name for name in rule if name not in ("Variable", "Next", "Comment", "Assign")]
    if len(operators) != 1 or operators[0] not in OPERATORS:
        known = ", ".join(sorted(OPERATORS))
        yield place, f"must have exactly one comparison, but has {operators}; there are {known}"
        return
    if not _comparable(operators[0], rule[operators[0]]):
        yield f"{place}/{operators[0]}", f"cannot be compared with {rule[operators[0]]!r}"
    for name in ("Variable", *(name for name in operators if name.endswith("Path"))):
        try:
            parse_path(str(rule.get(name, "")))
        except ValueError as error:
            yield f"{place}/{name}", str(error)


def _comparable(name: str, expected: Any) -> bool:
    """Whether the operator takes this value."""
    if name.endswith("Path") or name == "StringMatches":
        return isinstance(expected, str)
    if name in _COMPARISONS:
        fits, _ = _KINDS[_COMPARISONS[name][0]]
        return fits(expected)
    return isinstance(expected, bool)


def met(rule: Mapping[str, Any], roots: Roots) -> bool:
    """Whether a rule holds; `StateError` States.Runtime when a path it needs leads nowhere."""
    if "And" in rule:
        return all(met(inner, roots) for inner in rule["And"])
    if "Or" in rule:
        return any(met(inner, roots) for inner in rule["Or"])
    if "Not" in rule:
        return not met(rule["Not"], roots)
    name = next(key for key in rule if key in OPERATORS)
    expected = rule[name]
    if name == "IsPresent":
        return _present(rule["Variable"], roots) is bool(expected)
    value = _value_of(rule["Variable"], roots)
    if name in _TYPE_TESTS:
        return _TYPE_TESTS[name](value) is bool(expected)
    if name == "StringMatches":
        return isinstance(value, str) and _wildcard(expected).fullmatch(value) is not None
    if name.endswith("Path"):
        name, expected = name.removesuffix("Path"), _value_of(expected, roots)
    kind, relation = _COMPARISONS[name]
    fits, convert = _KINDS[kind]
    return fits(value) and fits(expected) and _RELATIONS[relation](convert(value), convert(expected))


def _present(path: str, roots: Roots) -> bool:
    try:
        find(parse_path(path), roots)
    except PathNotFound:
        return False
    return True


def _value_of(path: str, roots: Roots) -> Any:
    try:
        return find(parse_path(path), roots)
    except PathNotFound as error:
        raise StateError(
            RUNTIME, f"Invalid path '{path}': The choice state's condition path references an invalid value."
        ) from error


def _wildcard(pattern: str) -> re.Pattern[str]:
    r"""`*` stands for anything, `\*` for itself."""
    parts = re.split(r"(\\.|\*)", pattern)
    return re.compile(
        "".join(".*" if part == "*" else re.escape(part[1:] if part[:1] == "\\" else part) for part in parts),
        re.DOTALL,
    )
