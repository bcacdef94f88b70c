"""Write the example's data: `python example.py FOLDER` makes its channels, and requests for the endpoint.

Points of a bent line, y = x from -2000 on and y = -x - 4000 before, with normal noise of mean 150 and
deviation 150: 640 to train on, 160 to validate with, 200 to test with.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

SPLIT = {"train": 640, "validation": 160, "test": 200}
RANGE = (-5000.0, 5000.0)
BEND = -2000.0
NOISE_MEAN, NOISE_DEVIATION = 150.0, 150.0


def line(x: float) -> float:
    """What the points follow, noise apart."""
    return x if x >= BEND else -x - 4000.0


def write(folder: Path, seed: int = 0) -> None:
    """Write `<part>/points.csv` for each part (y first, no header) and `requests.json`."""
    source = random.Random(seed)  # noqa: S311 -- data, not secrets
    rows = []
    for _ in range(sum(SPLIT.values())):
        x = source.uniform(*RANGE)
        rows.append(f"{line(x) + source.gauss(NOISE_MEAN, NOISE_DEVIATION):.3f},{x:.3f}\n")
    for part, size in SPLIT.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / "points.csv").write_text("".join(rows[:size]), encoding="utf-8")
        del rows[:size]
    requests = [
        {"content_type": "application/json", "body": "[[100], [200], [-3000]]", "about": "three x"},
        {"content_type": "text/csv", "body": "100\n200\n-3000\n", "about": "the same as CSV"},
    ]
    (folder / "requests.json").write_text(json.dumps(requests, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
