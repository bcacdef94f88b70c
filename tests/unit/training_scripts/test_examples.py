"""The data that the examples make: the same each time, and what it is said to be."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

import tables
from atelier.demo import points


def test_the_curve_is_the_demos(load, tmp_path):
    """640, 160 and 200 points around y = x with a bend, with noise of mean 150 and deviation 150."""
    example = load("curve_sklearn", "example")
    example.write(tmp_path)
    data = {part: tables.read(tmp_path / part, ("y", "x")) for part in ("train", "validation", "test")}
    assert {part: len(table["y"]) for part, table in data.items()} == points.SPLIT
    for part, wanted in points.generate().items():
        found = zip(data[part]["x"], data[part]["y"], strict=True)
        assert list(found) == [pytest.approx(point, abs=0.001) for point in wanted]
    noise = [
        y - example.line(x) for table in data.values() for y, x in zip(table["y"], table["x"], strict=True)
    ]
    assert np.mean(noise) == pytest.approx(150, abs=15)
    assert np.std(noise) == pytest.approx(150, abs=15)


def test_the_digits_are_images_of_all_ten(load, tmp_path):
    """Bytes of 8 x 8 with their labels."""
    load("images_pytorch", "example").write(tmp_path)
    images, labels = (np.load(tmp_path / "train" / f"{name}.npy") for name in ("images", "labels"))
    assert images.shape == (1400, 8, 8)
    assert images.dtype == np.uint8
    assert set(labels) == set(range(10))
    assert np.load(tmp_path / "validation" / "images.npy").shape == (400, 8, 8)


@pytest.mark.parametrize(
    "script",
    [
        "curve_sklearn",
        "images_pytorch",
        "sentiment_tensorflow",
        "sentiment_xgboost",
        "text_huggingface",
        "text_mxnet",
        "topics_blazingtext",
    ],
)
def test_an_example_is_the_same_each_time(load, tmp_path, script):
    """The demo and the tests can name figures."""
    for run in ("a", "b"):
        load(script, "example").write(tmp_path / run)
    runs = [
        {str(path.relative_to(tmp_path / run)): path.read_bytes() for path in (tmp_path / run).rglob("*.*")}
        for run in ("a", "b")
    ]
    for first, second in pairwise(runs):
        assert first == second
    for request in json.loads(runs[0]["requests.json"]):
        assert set(request) >= {"content_type", "body", "about"}
