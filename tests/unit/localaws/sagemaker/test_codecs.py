"""What a model's server reads and writes."""

from __future__ import annotations

import io
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from localaws.sagemaker.container.codecs import CSV, JSON, NPY, Refused, decode, encode, negotiate

finite = st.floats(allow_nan=False, allow_infinity=False)


def outcome(function, *arguments):
    """Whether the function answers, or the status that it refuses with."""
    try:
        function(*arguments)
    except Refused as refusal:
        return refusal.status if refusal.reason else "no reason"
    return "read"


tables = arrays.arrays(float, arrays.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=finite)


@given(tables)
def test_json_comes_back_as_the_same_array(table):
    """What is encoded as JSON decodes to equal numbers of equal shape."""
    content, content_type = encode(table, JSON)
    assert content_type == JSON
    assert np.array_equal(decode(content, "application/json; charset=utf-8"), table)


@given(tables)
def test_csv_comes_back_without_dimensions_of_length_one(table):
    """CSV keeps the numbers; a single row or column has one dimension, as in AWS's toolkit."""
    content, content_type = encode(table, CSV)
    assert content_type == CSV
    decoded = decode(content, CSV)
    assert decoded.shape == table.squeeze().shape
    assert np.array_equal(decoded, table.squeeze())


@given(tables)
def test_npy_comes_back_as_the_same_array(table):
    """NPY keeps numbers and shape."""
    assert np.array_equal(decode(encode(table, NPY)[0], NPY), table)


@given(st.binary(max_size=60), st.sampled_from([JSON, CSV, NPY]))
def test_any_body_is_read_or_refused_with_a_reason(body, content_type):
    """No body makes a decoder fail in another way than with 400."""
    assert outcome(decode, body, content_type) in ("read", 400)


@given(st.text(max_size=40))
def test_any_accept_header_gets_an_offered_type_or_406(accept):
    """The answer's type is always one that the server can write."""
    assert outcome(negotiate, accept, [JSON, CSV]) in ("read", 406)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("*/*", JSON),
        ("", JSON),
        ("text/csv", CSV),
        ("text/*", CSV),
        ("text/csv;q=0.1, application/json", JSON),
        ("text/html, text/csv;q=0.5", CSV),
    ],
)
def test_the_preferred_type_is_chosen(accept, chosen):
    """Quality and wildcards count as in HTTP."""
    assert negotiate(accept, [JSON, CSV]) == chosen


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        (b"1,2\n3,x\n", CSV, 400, "line 2, column 2: 'x' is not a number"),
        (b"1,2\n\n3\n", CSV, 400, "line 3 has 1 columns, the lines before it 2"),
        (b"\n", CSV, 400, "no rows"),
        (b"{", JSON, 400, "not JSON"),
        (b"[[1],[2,3]]", JSON, 400, "differ in length"),
        (b"[" * 100_000, JSON, 400, "nested too deeply"),
        (b"[]", JSON, 400, "empty array"),
        (b"[[1], []]", JSON, 400, "empty array"),
        (b"null", JSON, 400, "null"),
        (b"[[null]]", JSON, 400, "null"),
        (b"[[NaN]]", JSON, 400, "NaN is no JSON value"),
        (b"\xff", JSON, 400, "not UTF-8"),
        (b"<a/>", "text/xml", 415, "text/xml"),
    ],
)
def test_a_bad_body_is_refused_with_its_place(body, content_type, status, reason):
    """The client learns what is wrong and where."""
    with pytest.raises(Refused) as refusal:
        decode(body, content_type)
    assert refusal.value.status == status
    assert reason in refusal.value.reason


def test_a_pickle_in_npy_is_never_loaded():
    """An array of objects would run code while it loads: refused."""
    content = io.BytesIO()
    np.save(content, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(Refused) as refusal:
        decode(content.getvalue(), NPY)
    assert refusal.value.status == 400
    with pytest.raises(Refused):
        decode(pickle.dumps([1]), NPY)


def test_an_empty_npy_array_is_refused():
    """What holds no numbers is the client's fault in every type."""
    assert outcome(decode, encode(np.empty((0, 2)), NPY)[0], NPY) == 400


def test_plain_values_are_written_too():
    """A prediction need not be an array."""
    assert json.loads(encode({"label": "a", "scores": np.array([1.5])}, JSON)[0]) == {
        "label": "a",
        "scores": [1.5],
    }
    assert encode([1.5, 2], CSV)[0] == b"1.5\n2\n"
