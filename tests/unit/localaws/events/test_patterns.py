"""Which events a pattern matches: the rules of the user guide as a table, their laws as properties."""

from __future__ import annotations

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.events.patterns import InvalidPattern, compile_pattern


def matches(pattern, event) -> bool:
    """Whether the pattern, as AWS is given it, matches."""
    return compile_pattern(json.dumps(pattern))(event)


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ("a", ["a", ["b", "a"]], ["A", "ab", 1, None, [], {"a": 1}]),
        (1, [1, 1.0, [2, 1]], ["1", True, 2]),
        (True, [True], [1, "true", False]),
        (None, [None], [0, "", False]),
        ({"prefix": "us-"}, ["us-east-1", ["eu", "us-"]], ["US-east", "eu-us-", 5]),
        ({"prefix": {"equals-ignore-case": "US-"}}, ["us-east-1", "Us-"], ["eu-us-"]),
        ({"suffix": ".csv"}, ["a.csv", ["b", "a.csv"]], ["a.CSV", "a.csv.gz"]),
        ({"suffix": {"equals-ignore-case": ".CSV"}}, ["a.csv", "a.CsV"], ["csv"]),
        ({"equals-ignore-case": "ALICE"}, ["alice", "Alice"], ["alices", 1]),
        ({"wildcard": "data/*/train.csv"}, ["data/x/train.csv", "data//train.csv"], ["data/train.csv"]),
        ({"wildcard": "*.csv"}, [".csv", "a\nb.csv"], ["a.csvx"]),
        ({"wildcard": r"a\*b"}, ["a*b"], ["axb"]),
        ({"wildcard": r"a\\*"}, ["a\\b"], ["a*"]),
        ({"wildcard": "a.b"}, ["a.b"], ["axb"]),
        ({"anything-but": "a"}, ["b", 1, ["a", "b"]], ["a", ["a"], []]),
        ({"anything-but": ["a", "b"]}, ["c", 5], ["a", "b"]),
        ({"anything-but": [1, 2]}, [3, "1"], [1, 2.0]),
        ({"anything-but": {"prefix": "init"}}, ["done", 5], ["initial"]),
        ({"anything-but": {"prefix": ["a", "b"]}}, ["c"], ["ax", "bx"]),
        ({"anything-but": {"suffix": ".tmp"}}, ["a.csv"], ["a.tmp"]),
        ({"anything-but": {"suffix": [".tmp", ".part"]}}, ["a.csv"], ["a.tmp", "b.part"]),
        ({"anything-but": {"equals-ignore-case": ["A", "B"]}}, ["c"], ["a", "B"]),
        ({"anything-but": {"wildcard": "*/tmp/*"}}, ["a/b"], ["a/tmp/b"]),
        ({"numeric": ["=", 5]}, [5, 5.0, [1, 5]], [4, "5", True]),
        ({"numeric": [">", 0, "<=", 5]}, [0.1, 5], [0, 5.1, None]),
        ({"numeric": [">=", 1]}, [1, 1e9], [0.999]),
        ({"exists": True}, ["x", 0, None, [1]], [{}, [], {"y": 1}]),
        ({"exists": False}, [{}, [], {"y": 1}], ["x", None]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.255"], ["10.0.1.0", "no address", 10]),
        ({"cidr": "2001:db8::/32"}, ["2001:db8::1"], ["10.0.0.1", "2001:db9::1"]),
    ],
)
def test_a_condition_matches_these_values_and_not_those(condition, yes, no):
    """Each condition, on scalars, arrays (one element is enough) and objects (no value at all)."""
    for value in yes:
        assert matches({"x": [condition]}, {"x": value}), value
    for value in no:
        assert not matches({"x": [condition]}, {"x": value}), value


def test_a_missing_field_matches_only_what_asks_for_that():
    """Nothing but {"exists": false} matches a field that is not there, deep down too."""
    for condition in ("a", None, {"anything-but": "a"}, {"prefix": ""}, {"exists": True}):
        assert not matches({"x": [condition]}, {"y": 1})
        assert not matches({"d": {"x": [condition]}}, {})
    assert matches({"x": [{"exists": False}]}, {"y": 1})
    assert matches({"d": {"x": [{"exists": False}]}}, {"d": 5})


def test_fields_are_anded_and_values_ored():
    """All fields must match, one of the values of each is enough."""
    pattern = {"source": ["aws.s3"], "detail": {"state": ["a", {"prefix": "b"}], "n": [{"exists": True}]}}
    assert matches(pattern, {"source": "aws.s3", "detail": {"state": "bc", "n": 0}})
    assert not matches(pattern, {"source": "aws.s3", "detail": {"state": "c", "n": 0}})
    assert not matches(pattern, {"source": "aws.ec2", "detail": {"state": "a", "n": 0}})


def test_or_needs_one_alternative_beside_the_other_fields():
    """$or at the top and below."""
    pattern = {"a": [1], "$or": [{"b": [1]}, {"c": {"$or": [{"d": [1]}, {"e": [1]}]}}]}
    assert matches(pattern, {"a": 1, "b": 1})
    assert matches(pattern, {"a": 1, "c": {"e": 1}})
    assert not matches(pattern, {"a": 1, "b": 2, "c": {"d": 2}})
    assert not matches(pattern, {"a": 2, "b": 1})


def test_fields_of_one_element_of_an_array_belong_together():
    """An array of objects matches when one of them matches the whole nested pattern."""
    pattern = {"disks": {"kind": ["ssd"], "size": [{"numeric": [">", 100]}]}}
    assert matches(pattern, {"disks": [{"kind": "hdd", "size": 5}, {"kind": "ssd", "size": 500}]})
    assert not matches(pattern, {"disks": [{"kind": "hdd", "size": 500}, {"kind": "ssd", "size": 5}]})


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "1", "{}", '{"a": {}}', '{"a": []}', '{"a": "b"}', '{"a": 1}', '{"a": [["b"]]}',
        '{"a": [{"prefix": 1}]}', '{"a": [{"sufix": "x"}]}', '{"a": [{"prefix": "a", "suffix": "b"}]}',
        '{"a": [{}]}', '{"a": [{"exists": "yes"}]}', '{"a": [{"numeric": []}]}',
        '{"a": [{"numeric": [">"]}]}',
        '{"a": [{"numeric": ["!", 1]}]}', '{"a": [{"numeric": [">", "1"]}]}',
        '{"a": [{"numeric": ["<", 1, ">", 0]}]}', '{"a": [{"numeric": [">", 5, "<", 1]}]}',
        '{"a": [{"anything-but": []}]}', '{"a": [{"anything-but": {"numeric": ["=", 1]}}]}',
        '{"a": [{"anything-but": [null]}]}', '{"a": [{"cidr": "10.0.0.0/99"}]}',
        '{"$or": [1]}', '{"$or": {}}',
        '{"a": [{"wildcard": "a**b"}]}', r'{"a": [{"wildcard": "a\\b"}]}',
        json.dumps({"a": ["x" * 4096]}),
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(text):
    """A wrong pattern never becomes one that matches nothing."""
    with pytest.raises(InvalidPattern):
        compile_pattern(text)


TEXT = st.text(max_size=12)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
NAMES = st.sampled_from(["a", "b", "c", "detail"])
EVENTS = st.dictionaries(
    NAMES,
    st.recursive(SCALAR, lambda inner: st.dictionaries(NAMES, inner, min_size=1), max_leaves=8),
    min_size=1,
    max_size=4,
)


def as_pattern(event):
    """The pattern that names every value of an event."""
    return {key: as_pattern(value) if isinstance(value, dict) else [value] for key, value in event.items()}


@given(EVENTS)
def test_an_event_matches_the_pattern_of_all_its_values(event):
    """And no longer when any one field is taken away."""
    pattern = as_pattern(event)
    assert matches(pattern, event)
    for key in event:
        assert not matches(pattern, {other: value for other, value in event.items() if other != key})


@given(TEXT, TEXT)
def test_prefix_and_suffix_mean_what_python_means(value, part):
    """Also within anything-but, and as a wildcard of one star."""
    escaped = part.replace("\\", "\\\\").replace("*", "\\*")
    event = {"x": value}
    assert matches({"x": [{"prefix": part}]}, event) == value.startswith(part)
    assert matches({"x": [{"suffix": part}]}, event) == value.endswith(part)
    assert matches({"x": [{"wildcard": escaped + "*"}]}, event) == value.startswith(part)
    assert matches({"x": [{"wildcard": "*" + escaped}]}, event) == value.endswith(part)
    assert matches({"x": [{"anything-but": {"prefix": part}}]}, event) != value.startswith(part)


@given(SCALAR, st.lists(TEXT | st.integers(), min_size=1, max_size=4))
def test_anything_but_is_the_opposite_of_the_list(value, listed):
    """For any value that is there."""
    event = {"x": value}
    assert matches({"x": [{"anything-but": listed}]}, event) != matches({"x": listed}, event)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50))
def test_a_range_is_two_comparisons(value, low, high):
    """Bounds included or not as the operators say."""
    if low < high:
        assert matches({"x": [{"numeric": [">=", low, "<", high]}]}, {"x": value}) == (low <= value < high)


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(0, 32))
def test_cidr_is_the_network(address, base, bits):
    """As the ipaddress module has it."""
    block = f"{base}/{bits}"
    expected = address in ipaddress.ip_network(block, strict=False)
    assert matches({"x": [{"cidr": block}]}, {"x": str(address)}) == expected
