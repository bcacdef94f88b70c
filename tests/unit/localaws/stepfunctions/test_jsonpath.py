"""JSONPath: paths, templates, intrinsic functions, the comparisons of Choice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.stepfunctions.comparisons import met, problems_in
from localaws.stepfunctions.errors import StateError
from localaws.stepfunctions.paths import PathNotFound, find, parse_path, put
from localaws.stepfunctions.templates import render

DOCUMENT = {"a": {"b c": [1, 2, 3], "x": {"id": 7}}, "list": [{"id": 1}, {"id": 2}], "n": None}
ROOTS = {"$": DOCUMENT, "$$": {"Execution": {"Name": "run"}}, "name": [5]}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", DOCUMENT),
        ("$.a['b c'][1]", 2),
        ('$["a"].x.id', 7),
        ("$.a['b c'][-1]", 3),
        ("$.a['b c'][0:2]", [1, 2]),
        ("$.list[*].id", [1, 2]),
        ("$.list.*.id", [1, 2]),
        ("$..id", [7, 1, 2]),
        ("$.list[*].none", []),
        ("$.n", None),
        ("$$.Execution.Name", "run"),
        ("$name[0]", 5),
    ],
)
def test_a_path_finds_its_place(path, expected):
    """One value for a definite path, a list of all matches for any other."""
    assert find(parse_path(path), ROOTS) == expected


@pytest.mark.parametrize("path", ["$.nope", "$.a['b c'][3]", "$.n.x", "$nobody.x", "$.list.id"])
def test_a_definite_path_that_leads_nowhere_is_an_error(path):
    """Whatever it is that is missing."""
    with pytest.raises(PathNotFound):
        find(parse_path(path), ROOTS)


@pytest.mark.parametrize("text", ["a.b", "$.a[?(@.x)]", "$.", "$.a[", "$x y", "", "$.a b"])
def test_what_is_no_path_is_refused(text):
    """With ValueError, whatever it looks like."""
    with pytest.raises(ValueError, match="path"):
        parse_path(text)


LETTERS = st.characters(categories=("Ll", "Nd"), include_characters=" -'\\")
NAMES = st.lists(st.text(LETTERS, min_size=1, max_size=4), max_size=4)


@given(NAMES, st.integers())
def test_what_is_put_at_a_path_is_found_there(names, value):
    """Objects are made on the way, and the document that went in stays as it was."""
    quoted = [name.replace("\\", "\\\\").replace("'", "\\'") for name in names]
    path = parse_path("$" + "".join(f"['{name}']" for name in quoted))
    document = {}
    assert find(path, {"$": put(path, document, value)}) == value
    assert document == {}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("States.Format('{} is {}', 'x', $.a.x)", 'x is {"id":7}'),
        (r"States.Format('it\'s \{{}\}', 1)", "it's {1}"),
        ("States.StringToJson('{\"a\":1}')", {"a": 1}),
        ("States.JsonToString($.list)", '[{"id":1},{"id":2}]'),
        ("States.JsonMerge($.a.x, $.list[1], false)", {"id": 2}),
        ("States.Array(1, 'a', $.a.x.id, true, null)", [1, "a", 7, True, None]),
        ("States.Array()", []),
        ("States.ArrayPartition($.a['b c'], 2)", [[1, 2], [3]]),
        ("States.ArrayContains($.list, $.list[0])", True),
        ("States.ArrayRange(1, 9, 4)", [1, 5, 9]),
        ("States.ArrayGetItem($.a['b c'], 2)", 3),
        ("States.ArrayLength($.list)", 2),
        ("States.ArrayUnique(States.Array(1, 1, true, '1'))", [1, True, "1"]),
        ("States.Base64Decode(States.Base64Encode('hé'))", "hé"),
        ("States.Hash('a', 'MD5')", "0cc175b9c0f1b6a831c399e269772661"),
        ("States.MathRandom(1, 2)", 1),
        ("States.MathAdd(-1, 3)", 2),
        ("States.StringSplit('a,b;c', ',;')", ["a", "b", "c"]),
        ("States.ArrayLength(States.Array(States.UUID()))", 1),
    ],
)  # fmt: skip
def test_intrinsic_functions(call, expected):
    """All eighteen, nested and with paths."""
    assert render({"v.$": call}, ROOTS) == {"v": expected}


@pytest.mark.parametrize(
    "call",
    ["States.Format('{}')", "States.Format('', 1)", "States.MathAdd('a', 1)", "States.ArrayGetItem($.n, 5)",
     "States.StringToJson('{')", "States.ArrayPartition($.list, 0)", "States.MathAdd($.nope, 1)"],
)  # fmt: skip
def test_an_intrinsic_function_that_fails_says_so(call):
    """With States.IntrinsicFailure."""
    with pytest.raises(StateError) as caught:
        render({"v.$": call}, ROOTS)
    assert caught.value.error == "States.IntrinsicFailure"


def test_a_template_path_that_leads_nowhere_names_field_and_input():
    """With States.ParameterPathFailure."""
    with pytest.raises(StateError, match=r"'\$.b' specified for the field 'x.\$' .* '{\"a\":1}'") as caught:
        render({"x.$": "$.b"}, {"$": {"a": 1}})
    assert caught.value.error == "States.ParameterPathFailure"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"Variable": "$.s", "StringEquals": "b"}, True),
        ({"Variable": "$.s", "StringLessThan": "c"}, True),
        ({"Variable": "$.s", "StringMatches": "*"}, True),
        ({"Variable": "$.star", "StringMatches": "a\\*b"}, True),
        ({"Variable": "$.s", "StringMatches": "a*"}, False),
        ({"Variable": "$.n", "NumericGreaterThanEquals": 3}, True),
        ({"Variable": "$.n", "NumericLessThanEqualsPath": "$.m"}, True),
        ({"Variable": "$.s", "NumericEquals": 3}, False),
        ({"Variable": "$.b", "NumericEquals": 1}, False),
        ({"Variable": "$.b", "BooleanEquals": True}, True),
        ({"Variable": "$.t", "TimestampGreaterThan": "2026-01-01T00:00:00+02:00"}, True),
        ({"Variable": "$.t", "TimestampEqualsPath": "$.t"}, True),
        ({"Variable": "$.z", "IsNull": True}, True),
        ({"Variable": "$.s", "IsNull": False}, True),
        ({"Variable": "$.absent", "IsPresent": False}, True),
        ({"Variable": "$.z", "IsPresent": True}, True),
        ({"Variable": "$.t", "IsTimestamp": True}, True),
        ({"Variable": "$.b", "IsNumeric": True}, False),
        ({"Variable": "$.s", "IsString": True}, True),
        ({"Variable": "$.b", "IsBoolean": True}, True),
        ({"Not": {"Variable": "$.n", "NumericEquals": 3}}, False),
        ({"And": [{"Variable": "$.n", "IsNull": False}, {"Variable": "$.b", "BooleanEquals": False}]}, False),
        ({"Or": [{"Variable": "$.n", "NumericEquals": 4}, {"Variable": "$.b", "BooleanEquals": True}]}, True),
    ],
)  # fmt: skip
def test_comparisons(rule, expected):
    """Each operator compares its own type only."""
    document = {"s": "b", "n": 3, "m": 3.5, "b": True, "t": "2026-01-31T12:00:00Z", "z": None, "star": "a*b"}
    assert list(problems_in(rule, "")) == []
    assert met(rule, {"$": document}) is expected


def test_a_comparison_with_what_is_not_there_fails():
    """Only IsPresent may ask for a path that leads nowhere."""
    with pytest.raises(StateError, match="Invalid path"):
        met({"Variable": "$.x", "IsNull": True}, {"$": {}})
