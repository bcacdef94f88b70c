"""Turns pydantic's errors into problems for people: the place in the file, the reason, the remedy."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from atelier.spec import retired
from atelier.spec.base import ACCOUNT, FORMS
from atelier.spec.document import SHOWN, Node, Steps, dotted
from atelier.spec.model import TeamFile
from atelier.spec.problems import Problem, choose, nearest

KEY_STEP = "[key]"
"""What pydantic adds to the path when a mapping's key, not its value, is wrong."""


def problems(file: Path, root: Node, error: ValidationError) -> Iterable[Problem]:
    """One problem for each thing that pydantic found wrong in `root`, the merged content of `file`."""
    for details in error.errors(include_url=False):
        yield _problem(file, root, details)


def _problem(file: Path, root: Node, details: ErrorDetails) -> Problem:
    steps: Steps = details["loc"]
    kind = details["type"]
    node = root.find(steps)
    wrong_key = kind == "extra_forbidden" or steps[-1:] == (KEY_STEP,)
    line, column = (node.line, node.column)
    if (wrong_key or kind == "missing") and node.key_line:
        line, column = node.key_line, node.key_column
    reason, remedy = _EXPLANATIONS.get(kind, _unforeseen)(_Wrong(root, steps, node, details))
    return Problem(
        file,
        line,
        column,
        dotted((*node.path, steps[-1]) if kind == "missing" else node.path),
        str(node.path[-1]) if wrong_key else "" if kind == "missing" else node.shown(),
        reason,
        remedy,
    )


class _Wrong:
    """One of pydantic's errors, with what the explanations ask of it."""

    def __init__(self, root: Node, steps: Steps, node: Node, details: ErrorDetails) -> None:
        self.root = root
        self.steps = steps
        self.node = node
        self.message = details["msg"]
        self.context: Mapping[str, Any] = details.get("ctx", {})

    @property
    def key(self) -> str:
        """The key that a person would write before the value; of a list's item, the list's key."""
        return next((step for step in reversed(self.node.path) if isinstance(step, str)), "")

    @property
    def length(self) -> int:
        """How long what is wrong is, the key or the value: characters, items or keys."""
        wrong = self.node.path[-1] if self.steps[-1:] == (KEY_STEP,) else self.node.value
        return len(wrong) if isinstance(wrong, (str, list, dict)) else 0


_Explanation: TypeAlias = "Callable[[_Wrong], tuple[str, str]]"


def _unforeseen(wrong: _Wrong) -> tuple[str, str]:
    return wrong.message[:1].lower() + wrong.message[1:], "see the schema: atelier schema"


def _unknown_key(wrong: _Wrong) -> tuple[str, str]:
    key = str(wrong.steps[-1])
    known = _fields_at(wrong.steps[:-1])
    remedy = choose(key, known, nothing="remove it")
    return retired.replacement(key) or ("is no key that may stand here", remedy)


def _missing(wrong: _Wrong) -> tuple[str, str]:
    key = str(wrong.steps[-1])
    reason = f"the key {key} is required"
    meant = _meant(wrong)
    if meant:
        return reason, f"did you mean {meant}?"
    return reason, f"add  {key}: {_example(wrong, key, _fields_at(wrong.steps[:-1]).get(key))}"


def _meant(wrong: _Wrong) -> str | None:
    """What an override that names something new meant to change, if a name in the file resembles it."""
    above = wrong.steps[:-1]
    if len(above) != 2 or "override" not in wrong.node.path:  # noqa: PLR2004 -- a section and a name in it
        return None
    section, name = above
    return nearest(str(name), set(wrong.root.find((section,)).value) - {name})


REFERENCES: dict[str, Steps] = {"job": ("jobs",), "owner": ("studio", "users"), "image": ("images",)}
"""Keys whose value is one of the names that the file declares elsewhere."""


def _example(wrong: _Wrong, key: str, info: FieldInfo | None) -> str:
    """A value for a key that is not there: where it is a name of the file's own, one that exists."""
    if key in REFERENCES:
        declared = wrong.root.find(REFERENCES[key])
        is_there = declared.path == REFERENCES[key] and isinstance(declared.value, dict)
        named = list(declared.value) if is_there else []
        return nearest(wrong.key, named) or " or ".join(named[:SHOWN]) or "…"
    return json.dumps(info.examples[0], ensure_ascii=False) if info and info.examples else "…"


def _mapping(wrong: _Wrong) -> tuple[str, str]:
    """A value that should be one of the schema's mappings: what it needs, which may be nothing."""
    fields = _fields_at(wrong.steps)
    needed = {key: _example(wrong, key, info) for key, info in fields.items() if info.is_required()}
    return _wanted("a mapping", "{" + ", ".join(f"{key}: {value}" for key, value in needed.items()) + "}")(
        wrong
    )


def _wanted(what: str, example: str) -> _Explanation:
    """A value of the wrong type; `example` is one of the right type."""

    def explain(wrong: _Wrong) -> tuple[str, str]:
        is_scalar = wrong.node.value is not None and not isinstance(wrong.node.value, (dict, list))
        if what == "text" and is_scalar:
            return "must be text", f'put it in quotes: "{wrong.node.written}"'
        if wrong.node.value is None:
            return f"must be {what}, and nothing is written here", "write a value, or remove the key"
        return f"must be {what}, not {_type_of(wrong.node)}", f"such as  {wrong.key}: {example}"

    return explain


def _type_of(node: Node) -> str:
    names: dict[type, str] = {
        dict: "a mapping",
        list: "a list",
        bool: "true or false",
        int: "a number",
        float: "a decimal number",
    }
    return names.get(type(node.value), "text")


def _pattern(wrong: _Wrong) -> tuple[str, str]:
    form = FORMS.get(wrong.context.get("pattern", ""))
    return (form.says, f"such as  {form.example}") if form else _unforeseen(wrong)


def _one_of(wrong: _Wrong) -> tuple[str, str]:
    reason = f"must be {wrong.context['expected']}"
    known = [word.strip("'") for word in wrong.context["expected"].replace(" or ", ", ").split(", ")]
    word = str(wrong.node.value)
    return retired.replacement(word) or (reason, choose(word, known, nothing=""))


def _bound(says: str) -> _Explanation:
    """A number or a size out of bounds; `says` may use the limit and the length."""

    def explain(wrong: _Wrong) -> tuple[str, str]:
        limit = next(value for key, value in wrong.context.items() if key in _LIMITS)
        excess = wrong.length - limit if isinstance(limit, int) else 0
        return says.format(limit=limit, length=wrong.length), (
            f"remove {excess} of them"
            if excess > 0 and "characters" not in says
            else f"shorten it by {excess} character{'' if excess == 1 else 's'}"
            if excess > 0
            else f"write {limit} or {'more' if 'least' in says else 'less'}"
        )

    return explain


_LIMITS = {"ge", "le", "gt", "lt", "max_length", "min_length"}

_EXPLANATIONS: dict[str, _Explanation] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "string_type": _wanted("text", '"…"'),
    "int_type": _wanted("a whole number", "10"),
    "int_from_float": _wanted("a whole number", "10"),
    "float_type": _wanted("a number", "0.5"),
    "finite_number": lambda wrong: ("must be a finite number", f"such as  {wrong.key}: 0.5"),
    "number": lambda wrong: (wrong.message, f"such as  {wrong.key}: 0.5"),
    "account": lambda wrong: (wrong.message, f"such as  {ACCOUNT.example}"),
    "bool_type": _wanted("true or false", "true"),
    "list_type": _wanted("a list", "[first, second]"),
    "dict_type": _wanted("a mapping", "{key: value}"),
    "model_type": _mapping,
    "scalar": _wanted("text, a finite number, true or false", "0.5"),
    "trigger": lambda wrong: (wrong.message, "such as  - upload: [train]  or  - schedule: rate(1 day)"),
    "string_pattern_mismatch": _pattern,
    "literal_error": _one_of,
    "greater_than_equal": _bound("must be at least {limit}"),
    "less_than_equal": _bound("must be at most {limit}"),
    "string_too_long": _bound("has {length} characters; {limit} are allowed"),
    "too_long": _bound("holds {length} entries; {limit} are allowed"),
    "too_short": _bound("must hold at least {limit}"),
}


def _fields_at(steps: Steps) -> dict[str, FieldInfo]:
    """The fields of the models that may stand at `steps` of a team file."""
    places: list[Any] = [TeamFile]
    for step in steps:
        below = [inner for place in places for inner in _step(place, step)]
        places = below or places  # a step that is no key names a member of a union
    return {name: info for place in places for name, info in _models(place)}


def _models(place: Any) -> Iterable[tuple[str, FieldInfo]]:
    return place.model_fields.items() if _is_model(place) else ()


def _is_model(place: Any) -> bool:
    return isinstance(place, type) and issubclass(place, BaseModel)


def _step(place: Any, step: str | int) -> list[Any]:
    """The types of what stands one step below a value of type `place`."""
    if _is_model(place):
        info = place.model_fields.get(step)
        return _members(info.annotation) if info else []
    steps_by: dict[Any, type] = {dict: str, list: int}
    kind = steps_by.get(get_origin(place))
    return _members(get_args(place)[-1]) if kind and isinstance(step, kind) else []


def _members(annotation: Any) -> list[Any]:
    """A type without its annotations; of a union, each member."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return [inner for member in get_args(annotation) for inner in _members(member)]
    return [annotation]
