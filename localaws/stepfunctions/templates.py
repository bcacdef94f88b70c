"""JSONPath templates: objects in which a key `name.$` holds a path or an intrinsic function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from localaws.stepfunctions.errors import PARAMETER_PATH_FAILURE, StateError
from localaws.stepfunctions.intrinsics import parse_intrinsic
from localaws.stepfunctions.jsontext import dumps
from localaws.stepfunctions.paths import PathNotFound, find, parse_path

_DYNAMIC = ".$"


def problems_in(template: Any, place: str) -> Iterator[tuple[str, str]]:
    """What is wrong in a template before it runs: pairs of place and reason."""
    if isinstance(template, list):
        for index, inner in enumerate(template):
            yield from problems_in(inner, f"{place}[{index}]")
    if not isinstance(template, dict):
        return
    for key, inner in template.items():
        if not key.endswith(_DYNAMIC):
            yield from problems_in(inner, f"{place}/{key}")
        elif not isinstance(inner, str):
            yield f"{place}/{key}", f"must be a path or an intrinsic function, but is {dumps(inner)}"
        else:
            reason = problem_with(inner)
            if reason:
                yield f"{place}/{key}", reason


def problem_with(text: str) -> str | None:
    """What is wrong with a path or a call of an intrinsic function, or None."""
    try:
        parse_intrinsic(text) if text.startswith("States.") else parse_path(text)
    except ValueError as error:
        return str(error)
    return None


def evaluate(text: str, roots: Mapping[str, Any], place: str) -> Any:
    """The value of a path or a call; `StateError` when it leads nowhere or fails."""
    if text.startswith("States."):
        return parse_intrinsic(text).evaluate(roots)
    try:
        return find(parse_path(text), roots)
    except PathNotFound as error:
        cause = (
            f"The JSONPath '{text}' specified for the field '{place}' could not be found in the input "
            f"'{dumps(roots['$'])}'"
        )
        raise StateError(PARAMETER_PATH_FAILURE, cause) from error


def render(template: Any, roots: Mapping[str, Any], place: str = "") -> Any:
    """`template` with every `name.$` replaced by `name` and its value."""
    if isinstance(template, dict):
        return {
            key.removesuffix(_DYNAMIC): evaluate(inner, roots, key)
            if key.endswith(_DYNAMIC)
            else render(inner, roots, key)
            for key, inner in template.items()
        }
    if isinstance(template, list):
        return [render(inner, roots, place) for inner in template]
    return template
