"""Event patterns of EventBridge: which events a rule matches.

A pattern is compiled once into nested functions. What matches is as the user guide and AWS's own matcher
(github.com/aws/event-ruler) have it: an array in the event matches when one of its elements does, and a
field that is an object is no value.
"""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

Event: TypeAlias = "Mapping[str, Any]"
Matcher: TypeAlias = "Callable[[Event], bool]"
_Test: TypeAlias = "Callable[[Any], bool]"  # of one scalar in the event

_MAX_LENGTH = 4096
_SCALARS = (str, int, float, bool, type(None))


class InvalidPattern(ValueError):
    """The pattern is none; the message is the reason that AWS gives."""


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Matcher:
    """The test that the pattern (JSON text) stands for; raises InvalidPattern."""
    if len(text) > _MAX_LENGTH:
        raise InvalidPattern(f"Event pattern is longer than {_MAX_LENGTH} characters")
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise InvalidPattern(f"Invalid JSON: {error}") from error
    if not isinstance(pattern, dict):
        raise InvalidPattern("Filter is not an object")
    return _object(pattern)


def _object(pattern: Mapping[str, Any]) -> Matcher:
    if not pattern:
        raise InvalidPattern("Empty objects are not allowed")
    tests = [_alternatives(value) if key == "$or" else _field(key, value) for key, value in pattern.items()]
    return lambda event: all(test(event) for test in tests)


def _alternatives(patterns: Any) -> Matcher:
    if not isinstance(patterns, list) or not patterns or not all(isinstance(one, dict) for one in patterns):
        raise InvalidPattern("'$or' must be an array of objects")
    tests = [_object(one) for one in patterns]
    return lambda event: any(test(event) for test in tests)


def _field(key: str, value: Any) -> Matcher:
    if isinstance(value, dict):
        nested = _object(value)
        return lambda event: any(nested(child) for child in _objects_in(event.get(key)))
    if not isinstance(value, list):
        raise InvalidPattern(f'"{key}" must be an object or an array')
    if not value:
        raise InvalidPattern("Empty arrays are not allowed")
    tests = [_values_test(one) for one in value]
    return lambda event: any(test(_scalars_in(event, key)) for test in tests)


def _objects_in(value: Any) -> list[Event]:
    """The objects that a nested pattern may match: the field, or each of an array, or an empty one."""
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [found for element in value for found in _objects_in(element)] or [{}]
    return [{}]


def _scalars_in(event: Event, key: str) -> list[Any]:
    """The values of a field: one, those of an array, or none."""

    def walk(value: Any) -> list[Any]:
        if isinstance(value, list):
            return [found for element in value for found in walk(element)]
        return [value] if isinstance(value, _SCALARS) else []

    return walk(event[key]) if key in event else []


def _values_test(condition: Any) -> Callable[[list[Any]], bool]:
    """One element of a pattern's array, as a test of all values of the field."""
    if isinstance(condition, dict) and "exists" in condition:
        wanted = condition["exists"]
        if not isinstance(wanted, bool) or len(condition) != 1:
            raise InvalidPattern("exists match pattern must be either true or false.")
        return lambda values: bool(values) == wanted
    test = _value_test(condition)
    return lambda values: any(test(value) for value in values)


def _value_test(condition: Any) -> _Test:
    if isinstance(condition, list):
        raise InvalidPattern("Match value must be String, number, true, false, or null")
    if not isinstance(condition, dict):
        return lambda value: _same(value, condition)
    if len(condition) != 1:
        raise InvalidPattern("Only one key allowed in match expression")
    ((name, argument),) = condition.items()
    if name not in _CONDITIONS:
        raise InvalidPattern(f"Unrecognized match type {name}")
    return _CONDITIONS[name](argument)


def _same(value: Any, wanted: Any) -> bool:
    # To Python, True equals 1; to JSON it does not.
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _text(argument: Any, name: str) -> str:
    if not isinstance(argument, str):
        raise InvalidPattern(f"{name} match pattern must be a string")
    return argument


def _edge(name: str, has: Callable[[str, str], bool]) -> Callable[[Any], _Test]:
    """The conditions `prefix` and `suffix`, both also with {"equals-ignore-case": …}."""

    def build(argument: Any) -> _Test:
        if isinstance(argument, dict) and list(argument) == ["equals-ignore-case"]:
            folded = _text(argument["equals-ignore-case"], name).lower()
            return lambda value: isinstance(value, str) and has(value.lower(), folded)
        wanted = _text(argument, name)
        return lambda value: isinstance(value, str) and has(value, wanted)

    return build


def _ignore_case(argument: Any) -> _Test:
    wanted = _text(argument, "equals-ignore-case").lower()
    return lambda value: isinstance(value, str) and value.lower() == wanted


def _wildcard(argument: Any) -> _Test:
    text = _text(argument, "wildcard")
    if re.search(r"(?<!\\)(?:\\\\)*\*\*", text):
        raise InvalidPattern("Consecutive wildcard characters are not allowed")
    if re.search(r"(?<!\\)(?:\\\\)*\\(?![*\\])", text):
        raise InvalidPattern("Invalid escape character in wildcard pattern")
    parts = re.findall(r"\\.|\*|[^\\*]+", text, re.DOTALL)
    expression = re.compile(
        "".join(".*" if part == "*" else re.escape(part.removeprefix("\\")) for part in parts), re.DOTALL
    )
    return lambda value: isinstance(value, str) and expression.fullmatch(value) is not None


_COMPARISONS: Mapping[Any, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numeric(argument: Any) -> _Test:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise InvalidPattern("Value of numeric must be an array of one or two comparisons")
    pairs = list(zip(argument[::2], argument[1::2], strict=True))
    for name, bound in pairs:
        if not isinstance(name, str) or name not in _COMPARISONS:
            raise InvalidPattern(f"Unrecognized numeric range operator: {name}")
        if not _is_number(bound):
            raise InvalidPattern(f"Value of {name} must be numeric")
    if len(pairs) > 1 and not (pairs[0][0].startswith(">") and pairs[1][0].startswith("<")):
        raise InvalidPattern("A numeric range is a lower bound (> or >=) and then an upper one (< or <=)")
    if len(pairs) > 1 and pairs[0][1] >= pairs[1][1]:
        raise InvalidPattern("Bottom must be less than top")
    return lambda value: _is_number(value) and all(_COMPARISONS[name](value, bound) for name, bound in pairs)


def _cidr(argument: Any) -> _Test:
    try:
        network = ipaddress.ip_network(_text(argument, "cidr"), strict=False)
    except ValueError as error:
        raise InvalidPattern(f"Malformed CIDR: {error}") from error

    def test(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return test


def _anything_but(argument: Any) -> _Test:
    """Not this value, none of these, or not {"prefix": …} and its like, with one text or several."""
    if isinstance(argument, dict):
        ((name, inner),) = argument.items() if len(argument) == 1 else ((None, None),)
        if name not in ("prefix", "suffix", "wildcard", "equals-ignore-case"):
            raise InvalidPattern(f"Unsupported anything-but pattern: {json.dumps(argument)}")
        tests = [_CONDITIONS[name](one) for one in (inner if isinstance(inner, list) else [inner])]
    else:
        values = argument if isinstance(argument, list) else [argument]
        if not all(isinstance(one, str) or _is_number(one) for one in values):
            raise InvalidPattern("Inside anything but list, must be strings or numbers")
        tests = [_value_test(one) for one in values]
    if not tests:
        raise InvalidPattern("Empty arrays are not allowed")
    return lambda value: not any(test(value) for test in tests)


_CONDITIONS: Mapping[Any, Callable[[Any], _Test]] = {
    "prefix": _edge("prefix", str.startswith),
    "suffix": _edge("suffix", str.endswith),
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}
