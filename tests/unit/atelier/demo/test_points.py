"""The demo's data: sizes, noise and layout as the source has them."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from atelier.demo.points import generate, line, write_csv


def test_a_thousand_points_split_into_three() -> None:
    """640 to train, 160 to validate, 200 to test; the same for the same seed."""
    parts = generate(seed=7)
    assert {name: len(points) for name, points in parts.items()} == {
        "train": 640,
        "validation": 160,
        "test": 200,
    }
    assert generate(seed=7) == parts
    assert generate(seed=8) != parts


def test_the_noise_has_mean_and_deviation_of_150() -> None:
    """What is left of y when the line is taken away is normal noise around 150."""
    noise = [y - line(x) for points in generate().values() for x, y in points]
    assert statistics.mean(noise) == pytest.approx(150, abs=20)
    assert statistics.stdev(noise) == pytest.approx(150, abs=15)


@pytest.mark.parametrize(("x", "y"), [(100, 100), (-2000, -2000), (-2001, -1999), (-5000, 1000)])
def test_the_line_bends_at_minus_2000(x: float, y: float) -> None:
    """From -2000 on y = x, before it y = -x - 4000."""
    assert line(x) == y


def test_csv_has_y_first_and_no_header(tmp_path: Path) -> None:
    """The layout that the training scripts read."""
    write_csv(tmp_path / "deep" / "points.csv", [(1.0, 2.5), (-3.0, 4.0)])
    assert (tmp_path / "deep" / "points.csv").read_text() == "2.500,1.000\n4.000,-3.000\n"
