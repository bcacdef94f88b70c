"""Write the example's data: `python example.py FOLDER` makes its channels, and requests for the endpoint.

Digits of 8 x 8 bytes, like those that scikit-learn brings: drawn from a font of 5 x 7 points, each at a
place, of a strength, with noise and with missing points of its own. 1,400 to train on, 400 to validate with.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

SPLIT = {"train": 1400, "validation": 400}
SIZE = 8
MISSING = 0.05
# Seven rows of five points for each digit, a row as the bits of a number.
FONT = [
    (14, 17, 19, 21, 25, 17, 14),
    (4, 12, 4, 4, 4, 4, 14),
    (14, 17, 1, 2, 4, 8, 31),
    (31, 2, 4, 2, 1, 17, 14),
    (2, 6, 10, 18, 31, 2, 2),
    (31, 16, 30, 1, 1, 17, 14),
    (6, 8, 16, 30, 17, 17, 14),
    (31, 1, 2, 4, 8, 8, 8),
    (14, 17, 17, 14, 17, 17, 14),
    (14, 17, 17, 15, 1, 2, 12),
]


def digits(count: int, source: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Images of bytes, (count, 8, 8), and the digits that they show, (count,)."""
    bits = np.array([[[row >> (4 - column) & 1 for column in range(5)] for row in digit] for digit in FONT])
    labels = source.integers(0, len(FONT), count)
    images = np.zeros((count, SIZE, SIZE))
    for image, label in zip(images, labels, strict=True):
        top, left = source.integers(0, SIZE - 7, endpoint=True), source.integers(0, SIZE - 5, endpoint=True)
        drawn = bits[label] * (source.random((7, 5)) > MISSING)
        image[top : top + 7, left : left + 5] = drawn * source.uniform(120, 255)
    noisy = images + source.normal(0, 30, images.shape)
    return noisy.clip(0, 255).astype(np.uint8), labels


def write(folder: Path, seed: int = 0) -> None:
    """Write `<channel>/images.npy` and `<channel>/labels.npy`, and `requests.json`."""
    source = np.random.default_rng(seed)
    for part, size in SPLIT.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        images, labels = digits(size, source)
        np.save(folder / part / "images.npy", images)
        np.save(folder / part / "labels.npy", labels)
    images, labels = digits(5, source)
    about = f"the digits {', '.join(map(str, labels))}"
    requests = [{"content_type": "application/json", "body": json.dumps(images.tolist()), "about": about}]
    (folder / "requests.json").write_text(json.dumps(requests, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
