"""JSONPath as the States Language uses it: `$.a['b'][0]`, `[*]`, `[1:3]`, `..name`; filters are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_ROOT = re.compile(r"\$\$?(?P<variable>(?<!\$\$)[A-Za-z_][A-Za-z0-9_]*)?")
_STEP = re.compile(
    r"""\.\.(?P<descend>[^\s.\[\]()*'",]+)
      | \.(?P<name>[^\s.\[\]()*'",]+)
      | \[\s*(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*\]
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*(?P<start>-?\d*)\s*:\s*(?P<stop>-?\d*)\s*\]
      | (?P<every>\.\*|\[\s*\*\s*\])""",
    re.VERBOSE,
)


class PathNotFound(LookupError):
    """The path leads nowhere in this input."""


@dataclass(frozen=True)
class Path:
    """A parsed path; `root` is `$` (the input), `$$` (the context object) or a variable's name."""

    text: str
    root: str
    steps: tuple[tuple[str, Any], ...]

    @property
    def definite(self) -> bool:
        """Whether it names at most one place (a reference path)."""
        return all(kind in ("key", "index") for kind, _ in self.steps)


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """Parse a path; ValueError names what it does not understand."""
    root = _ROOT.match(text)
    if root is None:
        raise ValueError(f"the path {text!r} must begin with $")
    steps: list[tuple[str, Any]] = []
    at = root.end()
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise ValueError(f"the path {text!r} is not understood from {text[at:]!r} on")
        steps.append(_step_of(step))
        at = step.end()
    return Path(text, root["variable"] or root.group(), tuple(steps))


def _step_of(step: re.Match[str]) -> tuple[str, Any]:
    groups = step.groupdict()
    if groups["name"] is not None:
        return "key", groups["name"]
    if groups["quoted"] is not None:
        return "key", re.sub(r"\\(.)", r"\1", groups["quoted"][1:-1])
    if groups["index"] is not None:
        return "index", int(groups["index"])
    if groups["descend"] is not None:
        return "descend", groups["descend"]
    if groups["every"] is not None:
        return "every", None
    start, stop = (int(bound) if bound else None for bound in (groups["start"], groups["stop"]))
    return "slice", slice(start, stop)


def find(path: Path, roots: Mapping[str, Any]) -> Any:
    """What the path leads to: one value where it is definite, else the list of all it matches.

    `roots` maps `$`, `$$` and the names of variables to their values. Raises PathNotFound.
    """
    if path.root not in roots:
        raise PathNotFound(f"the variable ${path.root} is not assigned")
    found = [roots[path.root]]
    for kind, argument in path.steps:
        found = [inner for value in found for inner in _follow(value, kind, argument)]
    if not path.definite:
        return found
    if not found:
        raise PathNotFound(path.text)
    return found[0]


def _follow(value: Any, kind: str, argument: Any) -> Iterator[Any]:
    if (kind == "key" and isinstance(value, dict) and argument in value) or (
        kind == "index" and isinstance(value, list) and -len(value) <= argument < len(value)
    ):
        yield value[argument]
    elif kind == "slice" and isinstance(value, list):
        yield from value[argument]
    elif kind == "every" and isinstance(value, dict | list):
        yield from _inside(value)
    elif kind == "descend":
        yield from _descend(value, argument)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _descend(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, dict) and name in value:
        yield value[name]
    for inner in _inside(value):
        yield from _descend(inner, name)


def put(path: Path, document: Any, value: Any) -> Any:
    """A copy of `document` with `value` where the (definite) path leads, objects made on the way.

    Raises PathNotFound when something in the way is no object, or an index is beyond its array.
    """
    if not path.steps:
        return value
    top = _own(document, path)
    here = top
    for (kind, argument), following in zip(path.steps, [*path.steps[1:], None], strict=True):
        if kind == "key" and isinstance(here, dict):
            default: Any = {}
        elif kind == "index" and isinstance(here, list) and -len(here) <= argument < len(here):
            default = None
        else:
            raise PathNotFound(path.text)
        if following is None:
            here[argument] = value
        else:
            inner = here.get(argument, default) if isinstance(here, dict) else here[argument]
            here[argument] = here = _own(inner, path)
    return top


def _own(value: Any, path: Path) -> Any:
    """A copy of one level, so that the document itself stays as it was."""
    if isinstance(value, dict | list):
        return value.copy()
    raise PathNotFound(path.text)
