"""A metric against a hyperparameter, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

Value: TypeAlias = "float | str"
WIDE_RATIO = 20.0
"""Values that differ by more lie on a logarithmic axis."""


def draw(path: Path, points: Sequence[tuple[Value, float]], parameter: str, metric: str, title: str) -> None:
    """Write a PNG of `points`, each a parameter's value and the metric; a line joins the means."""
    import matplotlib as mpl  # noqa: PLC0415 -- half a second that no other command should pay

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(8, 5), dpi=120)
    if any(isinstance(x, str) for x, _ in points):
        points = [(str(x), y) for x, y in points]  # categories, in the order of their names
    xs, ys = zip(*_means(points), strict=True)
    axes.plot(xs, ys, color="#8aa4c8", linewidth=1.6, zorder=1)
    xs, ys = zip(*points, strict=True)
    axes.scatter(xs, ys, color="#c4451c", zorder=2)
    if _is_wide([x for x, _ in points]):
        axes.set_xscale("log")
    axes.set(title=title, xlabel=parameter, ylabel=metric)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)


def _means(points: Sequence[tuple[Value, float]]) -> list[tuple[Value, float]]:
    """One point for each value of the parameter, in order."""
    by_value: dict[Value, list[float]] = {}
    for x, y in points:
        by_value.setdefault(x, []).append(y)
    return sorted((x, sum(ys) / len(ys)) for x, ys in by_value.items())


def _is_wide(xs: Sequence[Value]) -> bool:
    numbers = [x for x in xs if not isinstance(x, str)]
    return len(numbers) == len(xs) and min(numbers) > 0 and max(numbers) / min(numbers) > WIDE_RATIO
