"""JSONata templates: values there and back, the functions of Step Functions, what goes wrong."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.stepfunctions.errors import StateError
from localaws.stepfunctions.jsonata import render
from localaws.stepfunctions.jsonata_values import bindable

PLAIN_TEXT = st.text(max_size=8).filter(lambda text: not text.startswith("{%"))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | PLAIN_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def evaluated(expression, data=None):
    """The value of `expression` with `data` as the state's input."""
    return render("{% " + expression + " %}", {"states": {"input": bindable(data)}}, "Output")


@given(JSON)
def test_any_input_comes_back_from_its_reference(value):
    """`$states.input` is the input, nulls, empty and one-element arrays included."""
    assert evaluated("$states.input", value) == value
    assert evaluated("{'x': $states.input}", value) == {"x": value}


@given(JSON)
def test_a_template_without_expressions_is_itself(value):
    """Constants pass through as they are."""
    assert render(value, {}, "Output") == value


@pytest.mark.parametrize(
    ("expression", "data", "expected"),
    [
        ("$partition([1..5], 2)", None, [[1, 2], [3, 4], [5]]),
        ("$range(1, 7, 3)", None, [1, 4, 7]),
        ("$range(3, 1, -1)", None, [3, 2, 1]),
        ("$hash('a', 'SHA-256')", None, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("$hash('a', 'MD5')", None, "0cc175b9c0f1b6a831c399e269772661"),
        ("$random(7) = $random(7)", None, True),
        ("$length($uuid())", None, 36),
        ("$parse('{\"a\": [null, 1]}')", None, {"a": [None, 1]}),
        ("$exists($states.input.a)", {"a": None}, True),
        ("$states.input.a = null", {"a": None}, True),
        ("$map($states.input, function($v) {$v})", [1, None, 2], [1, None, 2]),
        ("[1..3]", None, [1, 2, 3]),
        ("10 / 2", None, 5),
        ("$merge([$states.input, {'b': 2}])", {"a": None}, {"a": None, "b": 2}),
        ("$string($states.input)", {"a": None}, '{"a":null}'),
        ("'a' in ['a', 'b']", None, True),
    ],
)
def test_functions_and_operators(expression, data, expected):
    """JSONata's own and those of Step Functions."""
    assert evaluated(expression, data) == expected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("$states.input.absent", "returned nothing"),
        ("$nobody", "returned nothing"),
        ("$partition([1], 0)", "returned nothing"),
        ("function($x) {$x}", "is not a JSON value"),
        ("1 / 0", "division by zero"),
        ("'a' + 1", "threw an error"),
        ("$error('boom')", "boom"),
        ("$eval('1')", "use \\$parse"),
        ("$hash('a', 'sha256')", "not 'sha256'"),
        ("$parse('nope')", "threw an error"),
        ("($f := function($n) {$n + $f($n)}; $f(1))", "threw an error"),
    ],
)
def test_what_has_no_value_is_an_error_that_names_the_field(expression, reason):
    """States.QueryEvaluationError, with expression, field and reason."""
    with pytest.raises(StateError, match=reason) as caught:
        evaluated(expression, {})
    assert caught.value.error == "States.QueryEvaluationError"
    assert caught.value.evaluating == "Output"
    assert expression in str(caught.value.cause)


def test_the_field_is_named_down_to_the_place():
    """Keys by slash, items by index."""
    with pytest.raises(StateError) as caught:
        render({"a": [1, {"b": "{% $x %}"}]}, {}, "Arguments")
    assert "'Arguments/a[1]/b'" in str(caught.value.cause)


def test_threads_do_not_mix_their_evaluations():
    """The compiled expression is shared, its variables are not."""
    wrong = []

    def work(number):
        for _ in range(100):
            found = evaluated("$map([1..5], function($i) { $i * $states.input })", number)
            if found != [number * i for i in range(1, 6)]:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
