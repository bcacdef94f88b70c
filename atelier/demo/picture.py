"""The demo's picture: what the endpoint predicts, drawn over the points it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from atelier.demo.points import Point


def draw(path: Path, points: Sequence[Point], prediction: Sequence[Point], title: str) -> None:
    """Write a PNG of `points` (dots) and `prediction` (a line, sorted by x)."""
    import matplotlib as mpl  # noqa: PLC0415 -- half a second that no other command should pay

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(9, 5.5), dpi=120)
    xs, ys = zip(*points, strict=True)
    axes.scatter(xs, ys, s=9, color="#8aa4c8", label="training points", linewidths=0)
    xs, ys = zip(*prediction, strict=True)
    axes.plot(xs, ys, color="#c4451c", linewidth=2.2, label="prediction of the endpoint")
    axes.set(title=title, xlabel="x", ylabel="y")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
