"""The functions that Step Functions adds to JSONata, and `$eval`, which it takes away."""

from __future__ import annotations

import hashlib
import json
import math
import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from localaws.stepfunctions.jsonata_values import bindable

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_MAX_RANGE = 100_000


def _partition(values: Any, size: float) -> list[list[Any]] | None:
    width = math.trunc(size)
    if not isinstance(values, list):
        values = [values]
    if width < 1 or not values:
        return None
    # By index: the library's lazy ranges do not slice.
    every = [values[index] for index in range(len(values))]
    return [every[start : start + width] for start in range(0, len(every), width)]


def _range(start: float, end: float, step: float) -> list[int] | None:
    first, last, width = math.trunc(start), math.trunc(end), math.trunc(step)
    if width == 0:
        return None
    values = range(first, last + (1 if width > 0 else -1), width)
    if len(values) > _MAX_RANGE:
        raise ValueError(f"$range gives {len(values)} values; the most is {_MAX_RANGE}")
    return list(values) or None


def _hash(data: str, algorithm: str) -> str:
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"$hash knows {', '.join(_ALGORITHMS)}, not {algorithm!r}")
    return hashlib.new(_ALGORITHMS[algorithm], data.encode(), usedforsecurity=False).hexdigest()


def _random(seed: float | None = None) -> float:
    return random.Random(seed).random()  # noqa: S311 -- JSONata's $random is no secret


def _uuid() -> str:
    return str(uuid.uuid4())


def _parse(text: str) -> Any:
    return bindable(json.loads(text))


def _no_eval(*_arguments: Any) -> Any:
    raise ValueError("$eval is not available in Step Functions: use $parse")


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": _random,
    "uuid": _uuid,
    "parse": _parse,
    "eval": _no_eval,
}
