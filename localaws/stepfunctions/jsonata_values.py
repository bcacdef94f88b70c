"""JSON values as the JSONata library holds them, there and back."""

from __future__ import annotations

import math
from typing import Any

from jsonata.utils import Utils


def bindable(value: Any) -> Any:
    """A copy of a JSON value in which null is what the library takes for null (None is undefined to it)."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: bindable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [bindable(inner) for inner in value]
    return value


def plain(value: Any) -> Any:
    """The JSON value that the library's result stands for; ValueError or TypeError when it is none."""
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON number")
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list):
        # By index: the library's lazy ranges iterate one short.
        return [plain(value[index]) for index in range(len(value))]
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    raise TypeError("a function is not a JSON value")
