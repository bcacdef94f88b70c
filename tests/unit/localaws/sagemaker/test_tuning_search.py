"""What a tuning job tries."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.sagemaker.tuning_search import at_random, on_grid, ranges_of
from localaws.service import AwsError


def numbers(kind, low, high, scaling="Auto"):
    """The ranges of one number `x`."""
    item = {"Name": "x", "MinValue": str(low), "MaxValue": str(high), "ScalingType": scaling}
    return ranges_of({f"{kind}ParameterRanges": [item]})


@given(st.integers(-50, 50), st.integers(0, 60), st.integers(0, 9))
def test_whole_numbers_stay_in_their_range_and_are_all_found(low, width, seed):
    """None twice, none left out, none outside."""
    drawn = [int(values["x"]) for values in at_random(numbers("Integer", low, low + width), seed)]
    assert len(set(drawn)) == len(drawn)
    assert set(drawn) <= set(range(low, low + width + 1))
    assert width > 20 or set(drawn) == set(range(low, low + width + 1))


@pytest.mark.parametrize(
    ("scaling", "low", "high", "middle"),
    [
        ("Linear", 1, 3, 2),
        ("Auto", 1, 3, 2),
        ("Logarithmic", 0.001, 10, 0.1),
        ("Auto", 0.001, 10, 0.1),
        ("ReverseLogarithmic", 0.9, 0.9999, 0.9968),
    ],
)
def test_half_of_the_draws_lie_below_the_middle_of_the_scale(scaling, low, high, middle):
    """Whatever the scale, and all within the bounds."""
    draws = itertools.islice(at_random(numbers("Continuous", low, high, scaling), 1), 2000)
    drawn = [float(values["x"]) for values in draws]
    assert all(low <= value <= high for value in drawn)
    assert sum(value < middle for value in drawn) == pytest.approx(1000, abs=100)


def test_a_seed_repeats_the_draws():
    """The same combinations in the same order."""
    first, second = (itertools.islice(at_random(numbers("Continuous", 0, 1), 7), 5) for _ in range(2))
    assert list(first) == list(second)


def test_a_grid_has_every_combination_once():
    """In the order of the values."""
    items = [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["x", "y"]}]
    grid = on_grid(ranges_of({"CategoricalParameterRanges": items}))
    assert grid == [{"a": a, "b": b} for a in "12" for b in "xy"]


@pytest.mark.parametrize(
    ("low", "high", "scaling", "message"),
    [
        (2, 1, "Auto", "is empty"),
        ("a", 1, "Auto", "is not a number"),
        (0, math.inf, "Auto", "is empty"),
        (0, 1, "Logarithmic", "above 0"),
        (0, 1, "ReverseLogarithmic", r"within \[0, 1\)"),
    ],
)
def test_a_range_that_cannot_be_drawn_from_is_refused(low, high, scaling, message):
    """With its name."""
    with pytest.raises(AwsError, match=f"range of x.*{message}"):
        numbers("Continuous", low, high, scaling)


def test_a_grid_of_numbers_is_refused():
    """As on AWS."""
    with pytest.raises(AwsError, match="categorical parameters only; x"):
        on_grid(numbers("Integer", 1, 2))
