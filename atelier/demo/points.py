"""The demo's data: points of a bent line, with noise."""

from __future__ import annotations

import random
from pathlib import Path

SPLIT = {"train": 640, "validation": 160, "test": 200}
RANGE = (-5000.0, 5000.0)
BEND = -2000.0
NOISE_MEAN = 150.0
NOISE_DEVIATION = 150.0

Point = tuple[float, float]


def line(x: float) -> float:
    """What the points follow, noise apart: y = x from -2000 on, and -x - 4000 before."""
    return x if x >= BEND else -x - 4000.0


def generate(seed: int = 0) -> dict[str, list[Point]]:
    """1,000 points (x, y), x spread evenly at random over RANGE, split as SPLIT says."""
    source = random.Random(seed)  # noqa: S311 -- data, not secrets
    points = []
    for _ in range(sum(SPLIT.values())):
        x = source.uniform(*RANGE)
        points.append((x, line(x) + source.gauss(NOISE_MEAN, NOISE_DEVIATION)))
    parts, start = {}, 0
    for name, size in SPLIT.items():
        parts[name] = points[start : start + size]
        start += size
    return parts


def write_csv(path: Path, points: list[Point]) -> None:
    """Write points as the training scripts read them: no header, y first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{y:.3f},{x:.3f}\n" for x, y in points), encoding="utf-8")
