"""The intrinsic functions of JSONPath templates: `States.Format('{}', $.name)` and its kin."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from localaws.stepfunctions.errors import INTRINSIC_FAILURE, StateError
from localaws.stepfunctions.jsontext import dumps
from localaws.stepfunctions.paths import Path, PathNotFound, find, parse_path

_TOKEN = re.compile(
    r"""\s*(?: (?P<name>States\.[A-Za-z0-9]+)\s*\( | (?P<string>'(?:[^'\\]|\\.)*')
        | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?) | (?P<word>true|false|null)
        | (?P<path>\$(?:[^,()'"\s\[\]]|\[[^\]]*\])*) | (?P<mark>[,)]) )\s*""",
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "null": None}
_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_MAX_ARRAY = 1_000


@dataclass(frozen=True)
class Intrinsic:
    """A parsed call; its arguments are values, paths and further calls."""

    name: str
    arguments: tuple[Any, ...]

    def evaluate(self, roots: Mapping[str, Any]) -> Any:
        """The function's value; `StateError` States.IntrinsicFailure when it has none."""
        try:
            values = [self._argument(argument, roots) for argument in self.arguments]
            return _FUNCTIONS[self.name](*values)
        except StateError:
            raise
        except PathNotFound as error:
            raise StateError(INTRINSIC_FAILURE, f"{self.name}: found nothing at {error}") from error
        except Exception as error:
            cause = f"{self.name} cannot be applied: {type(error).__name__}: {error}"
            raise StateError(INTRINSIC_FAILURE, cause) from error

    @staticmethod
    def _argument(argument: Any, roots: Mapping[str, Any]) -> Any:
        if isinstance(argument, Intrinsic):
            return argument.evaluate(roots)
        return find(argument, roots) if isinstance(argument, Path) else argument


@lru_cache(maxsize=4096)
def parse_intrinsic(text: str) -> Intrinsic:
    """Parse `States.Name(…)`; ValueError names an unknown function or what is not understood."""
    call, at = _parse_argument(text, 0)
    if not isinstance(call, Intrinsic) or at != len(text):
        raise ValueError(f"{text!r} is not a call of an intrinsic function")
    return call


def _parse_argument(text: str, at: int) -> tuple[Any, int]:
    token = _TOKEN.match(text, at)
    if token is None or token["mark"]:
        raise ValueError(f"the intrinsic function {text!r} is not understood from {text[at:]!r} on")
    if token["name"]:
        return _parse_call(text, token["name"], token.end())
    if token["string"]:
        return re.sub(r"\\(.)", _unescaped, token["string"][1:-1]), token.end()
    if token["number"]:
        return json.loads(token["number"]), token.end()
    if token["path"]:
        return parse_path(token["path"]), token.end()
    return _WORDS[token["word"]], token.end()


def _unescaped(match: re.Match[str]) -> str:
    # Escaped braces keep their backslash: `States.Format` tells them from its own.
    return match.group() if match[1] in "{}" else match[1]


def _parse_call(text: str, name: str, at: int) -> tuple[Intrinsic, int]:
    if name not in _FUNCTIONS:
        raise ValueError(f"there is no intrinsic function {name}; there are {', '.join(_FUNCTIONS)}")
    arguments: list[Any] = []
    while True:
        mark = _TOKEN.match(text, at)
        if mark and mark["mark"] == ")" and not arguments:
            return Intrinsic(name, ()), mark.end()
        argument, at = _parse_argument(text, at)
        arguments.append(argument)
        mark = _TOKEN.match(text, at)
        if mark is None or not mark["mark"]:
            raise ValueError(f"the intrinsic function {text!r} lacks a ')' at {text[at:]!r}")
        at = mark.end()
        if mark["mark"] == ")":
            return Intrinsic(name, tuple(arguments)), at


def _format(template: str, *values: Any) -> str:
    left = iter(values)

    def place(match: re.Match[str]) -> str:
        if match.group() != "{}":
            return match.group()[1]
        value = next(left)
        return value if isinstance(value, str) else dumps(value)

    text = re.sub(r"\\[{}]|\{\}", place, template)
    if next(left, left) is not left:
        raise ValueError("there are more arguments than {} in the template")
    return text


def _range(first: int, last: int, step: int) -> list[int]:
    values = range(first, last + (1 if step > 0 else -1), step)
    if len(values) > _MAX_ARRAY:
        raise ValueError(f"the range has {len(values)} values; the most is {_MAX_ARRAY}")
    return list(values)


def _partition(values: list[Any], size: int) -> list[list[Any]]:
    if size < 1:
        raise ValueError("the size of a chunk must be at least 1")
    return [values[start : start + size] for start in range(0, len(values), size)]


def _unique(values: list[Any]) -> list[Any]:
    return list({dumps(value): value for value in values}.values())


def _hash(data: Any, algorithm: str) -> str:
    text = data if isinstance(data, str) else dumps(data)
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def _merge(first: dict[str, Any], second: dict[str, Any], deep: bool) -> dict[str, Any]:  # noqa: FBT001 -- positional in the States Language
    if deep:
        raise ValueError("only a shallow merge is supported: the third argument must be false")
    return {**first, **second}


def _random(start: int, end: int, seed: int | None = None) -> int:
    return random.Random(seed).randrange(start, end)  # noqa: S311 -- no secret


def _split(text: str, separators: str) -> list[str]:
    return re.split("[" + re.escape(separators) + "]", text)


def _contains(values: Sequence[Any], wanted: Any) -> bool:
    return dumps(wanted) in map(dumps, values)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "States.Format": _format,
    "States.StringToJson": json.loads,
    "States.JsonToString": dumps,
    "States.JsonMerge": _merge,
    "States.Array": lambda *values: list(values),
    "States.ArrayPartition": _partition,
    "States.ArrayContains": _contains,
    "States.ArrayRange": _range,
    "States.ArrayGetItem": lambda values, index: values[index],
    "States.ArrayLength": len,
    "States.ArrayUnique": _unique,
    "States.Base64Encode": lambda text: base64.b64encode(text.encode()).decode(),
    "States.Base64Decode": lambda text: base64.b64decode(text, validate=True).decode(),
    "States.Hash": _hash,
    "States.MathRandom": _random,
    "States.MathAdd": lambda first, second: first + second,
    "States.StringSplit": _split,
    "States.UUID": lambda: str(uuid.uuid4()),
}
