"""Run things in turns and compare their medians."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """One promise: what was measured, against what bound, and whether it holds."""

    what: str
    measured: float
    bound: float
    unit: str
    detail: str

    @property
    def holds(self) -> bool:
        """Whether the measured value is within its bound."""
        return self.measured <= self.bound


def timed(work: Callable[[], object]) -> float:
    """How many seconds `work()` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def worked(work: Callable[[], object]) -> float:
    """How many seconds of the processors the processes take that `work()` starts and waits for.

    Unlike the time that passes, it hardly depends on what else the machine does.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def largest_megabytes() -> float:
    """The resident memory of the largest process so far that was started and waited for."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def ratio(what: str, bound: float, work: Callable[[], float], base: Callable[[], float]) -> Figure:
    """Compare the medians of `work()` and `base()`, both in seconds, in turns after a warm-up."""
    work(), base()
    pairs = [(work(), base()) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Figure(what, ours / theirs, bound, "x", f"{ours:.2f} s against {theirs:.2f} s")


def median(what: str, bound: float, unit: str, work: Callable[[], float]) -> Figure:
    """The median of what `work()` returns."""
    values = [work() for _ in range(ROUNDS)]
    detail = f"{min(values):.2f} to {max(values):.2f}"
    return Figure(what, statistics.median(values), bound, unit, detail)
