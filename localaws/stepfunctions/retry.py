"""`Retry`: which errors are tried again, how often, after how long."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localaws.stepfunctions.errors import ALL, matches
from localaws.stepfunctions.language import JSONATA, JSONPATH

_RETRY_FIELDS = frozenset(
    {
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
        "Comment",
    }
)
_CATCH_FIELDS = frozenset({"ErrorEquals", "Next", "Assign", "Comment"})
_CATCH_RESULT = {JSONPATH: frozenset({"ResultPath"}), JSONATA: frozenset({"Output"})}
# The numbers of a retrier: the least, the most, whether a fraction is one.
_NUMBERS: Mapping[str, tuple[float, float, bool]] = {
    "IntervalSeconds": (1, 99_999_999, False),
    "MaxAttempts": (0, 99_999_999, False),
    "BackoffRate": (1.0, float("inf"), True),
    "MaxDelaySeconds": (1, 31_622_400, False),
}


class Retries:
    """The retriers of one visit to a state; each counts its own attempts."""

    def __init__(self, retriers: Sequence[Mapping[str, Any]]) -> None:
        self._retriers = retriers
        self._made = [0] * len(retriers)

    def delay_after(self, error: str) -> float | None:
        """The seconds to wait before the next attempt, or None when there is none."""
        for index, retrier in enumerate(self._retriers):
            if not matches(error, retrier["ErrorEquals"]):
                continue
            if self._made[index] >= retrier.get("MaxAttempts", 3):
                return None
            delay = _delay(retrier, self._made[index])
            self._made[index] += 1
            return delay
        return None


def _delay(retrier: Mapping[str, Any], made: int) -> float:
    try:
        delay = float(retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** made)
    except OverflowError:
        delay = math.inf
    delay = min(delay, retrier.get("MaxDelaySeconds", math.inf))
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay  # noqa: S311 -- no secret


def catcher_of(catchers: Sequence[Mapping[str, Any]], error: str) -> tuple[int, Mapping[str, Any]] | None:
    """The first catcher that takes an error, with its index."""
    return next(
        (
            (index, catcher)
            for index, catcher in enumerate(catchers)
            if matches(error, catcher["ErrorEquals"])
        ),
        None,
    )


def problems_in_handlers(fields: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    """What is wrong in a state's Retry and Catch: pairs of place in the state and reason."""
    catch_fields = _CATCH_FIELDS | _CATCH_RESULT.get(language, frozenset())
    for name, allowed in (("Retry", _RETRY_FIELDS), ("Catch", catch_fields)):
        entries = fields.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            yield name, f"'{name}' must be an array of objects"
            continue
        for index, entry in enumerate(entries):
            place = f"{name}[{index}]"
            for unknown in entry.keys() - allowed:
                yield f"{place}/{unknown}", f"Field '{unknown}' is not supported in a {language} {name}"
            reason = _errors_problem(entry.get("ErrorEquals"), last=index == len(entries) - 1)
            if reason:
                yield f"{place}/ErrorEquals", reason
            yield from _number_problems(entry, place)


def _errors_problem(names: Any, *, last: bool) -> str | None:
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return "'ErrorEquals' must be an array with at least one error name"
    if ALL in names and (len(names) > 1 or not last):
        return f"{ALL} must stand alone, and in the last entry"
    return None


def _number_problems(entry: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    for name, (least, most, fraction) in _NUMBERS.items():
        value = entry.get(name, least)
        number = isinstance(value, (int, float) if fraction else int) and not isinstance(value, bool)
        if not number or not least <= value <= most:
            yield f"{place}/{name}", f"'{name}' is {value!r}: it must be a number from {least} on"
    if entry.get("JitterStrategy", "NONE") not in ("NONE", "FULL"):
        yield f"{place}/JitterStrategy", "'JitterStrategy' must be NONE or FULL"
