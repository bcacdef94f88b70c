"""Which hyperparameters a tuning job tries: at random within ranges, or all combinations of categories."""

from __future__ import annotations

import itertools
import math
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.sagemaker.records import invalid

_LINEAR, _LOGARITHMIC, _REVERSE = "Linear", "Logarithmic", "ReverseLogarithmic"
_TRIES = 100
_WIDE = 100


@dataclass(frozen=True)
class Range(ABC):
    """The values that one hyperparameter may take."""

    name: str

    @abstractmethod
    def draw(self, chance: random.Random) -> str:
        """One of them, as hyperparameters are written."""


@dataclass(frozen=True)
class Categories(Range):
    """Any of some texts."""

    values: tuple[str, ...]

    def draw(self, chance: random.Random) -> str:
        """One of them."""
        return chance.choice(self.values)


@dataclass(frozen=True)
class Interval(Range):
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    scaling: str
    whole: bool

    def draw(self, chance: random.Random) -> str:
        """A number, evenly distributed on its scale."""
        value = self._at(chance.random())
        if self.whole:
            return str(min(max(round(value), math.ceil(self.low)), math.floor(self.high)))
        return repr(min(max(value, self.low), self.high))

    def _at(self, share: float) -> float:
        if self.scaling == _LOGARITHMIC:
            return math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        if self.scaling == _REVERSE:
            ends = math.log(1 - self.low), math.log(1 - self.high)
            return 1 - math.exp(ends[0] + share * (ends[1] - ends[0]))
        return self.low + share * (self.high - self.low)


def ranges_of(described: Mapping[str, Any]) -> list[Range]:
    """The ranges of a ParameterRanges structure; raises AwsError for one that cannot be drawn from."""
    ranges: list[Range] = [
        _interval(item, whole=kind == "Integer")
        for kind in ("Integer", "Continuous")
        for item in described.get(f"{kind}ParameterRanges", [])
    ]
    ranges += [
        Categories(item["Name"], tuple(item["Values"]))
        for item in described.get("CategoricalParameterRanges", [])
    ]
    names = [item.name for item in ranges]
    if len(set(names)) < len(names):
        raise invalid(f"Parameter ranges must have different names: {', '.join(names)}")
    return ranges


def _interval(item: Mapping[str, str], *, whole: bool) -> Interval:
    name, scaling = item["Name"], item.get("ScalingType", "Auto")
    try:
        low, high = float(item["MinValue"]), float(item["MaxValue"])
    except ValueError as error:
        raise invalid(f"The range of {name} has a bound that is not a number: {error}") from error
    if low > high or not math.isfinite(low + high):
        raise invalid(f"The range of {name} is empty: MinValue {low:g} is above MaxValue {high:g}")
    if scaling == "Auto":
        scaling = _LOGARITHMIC if low > 0 and high / low >= _WIDE else _LINEAR
    if scaling == _LOGARITHMIC and low <= 0:
        raise invalid(f"The range of {name} must be above 0 for a logarithmic scale")
    if scaling == _REVERSE and not (low >= 0 and high < 1):
        raise invalid(f"The range of {name} must lie within [0, 1) for a reverse logarithmic scale")
    return Interval(name, low, high, scaling, whole)


def at_random(ranges: list[Range], seed: int | None) -> Iterator[dict[str, str]]:
    """Combinations at random, none twice, until no new one is found."""
    chance = random.Random(seed)  # noqa: S311 -- it chooses hyperparameters
    seen: set[tuple[str, ...]] = set()
    while True:
        for _ in range(_TRIES):
            drawn = tuple(item.draw(chance) for item in ranges)
            if drawn not in seen:
                break
        else:
            return
        seen.add(drawn)
        yield dict(zip((item.name for item in ranges), drawn, strict=True))


def on_grid(ranges: list[Range]) -> list[dict[str, str]]:
    """All combinations of categories, in order; raises AwsError for a range of numbers."""
    categories = []
    for item in ranges:
        if not isinstance(item, Categories):
            raise invalid(f"The Grid strategy takes categorical parameters only; {item.name} is a range")
        categories.append(item.values)
    names = [item.name for item in ranges]
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*categories)]
