"""The records of a batch transform: filters, batches, joins."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.sagemaker import transform_records as records

CSV, JSON = "text/csv", "application/json"
ROW = [10, 11, 12, 13]
ITEM = {"id": 7, "x": {"a": [1, 2]}, "y-z": 3}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("$", ROW, ROW),
        ("$[1:]", ROW, [11, 12, 13]),
        ("$[:-1]", ROW, [10, 11, 12]),
        ("$[0]", ROW, 10),
        ("$[-1]", ROW, 13),
        ("$[0, 2]", ROW, [10, 12]),
        ("$.id", ITEM, 7),
        ("$.y-z", ITEM, 3),
        ("$['id','y-z']", ITEM, {"id": 7, "y-z": 3}),
        ("$.x.a[1:]", ITEM, [2]),
        ("$['x']['a'][0]", ITEM, 1),
    ],
)
def test_a_filter_chooses_a_part(path, value, expected):
    """As SageMaker's JSONPath does."""
    assert records.parse_filter(path)(value) == expected


@pytest.mark.parametrize("path", ["", "id", "$..id", "$[?(@.x)]", "$[*]", "$[1:2:3]", "$x"])
def test_any_other_path_is_refused(path):
    """Named as it stands."""
    with pytest.raises(records.BadRecord, match="JSONPath"):
        records.parse_filter(path)


@given(st.lists(st.binary(min_size=1, max_size=20)), st.integers(20, 60), st.booleans())
def test_batches_keep_all_records_in_order_within_the_limit(found, most, single):
    """Whatever their lengths; a single record each where that is asked for."""
    batches = list(records.batches(found, most, single=single))
    assert [record for batch in batches for record in batch] == found
    assert all(len(b"\n".join(batch)) <= most for batch in batches)
    assert all(len(batch) == 1 for batch in batches) or not single


def test_a_record_beyond_the_limit_is_refused():
    """In AWS's words."""
    with pytest.raises(records.BadRecord, match="Too much data for max payload size"):
        list(records.batches([b"123456"], 5, single=False))


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")), min_size=1), st.floats(0, 1)
)
def test_csv_rows_join_at_the_end_whatever_they_hold(row, score):
    """Quotes and commas survive; the answer is the last column."""
    record = records.filtered(json.dumps(row).encode(), lambda value: value, JSON)
    text = records._written(json.loads(record), CSV)
    joined = records.joined(text, str(score).encode(), lambda value: value, CSV)
    assert records._read(joined, CSV) == [*row, str(score)]


@pytest.mark.parametrize(
    ("record", "path", "expected"),
    [
        ('{"id": 1, "x": 2}', "$", {"id": 1, "x": 2, "SageMakerOutput": 0.5}),
        ('{"id": 1, "x": 2}', "$['id','SageMakerOutput']", {"id": 1, "SageMakerOutput": 0.5}),
        ("[1, 2]", "$", {"SageMakerInput": [1, 2], "SageMakerOutput": 0.5}),
    ],
)
def test_json_joins_under_sagemakers_names(record, path, expected):
    """An object gains an attribute; anything else becomes one."""
    joined = records.joined(record.encode(), b"0.5", records.parse_filter(path), JSON)
    assert json.loads(joined) == expected


def test_answers_that_do_not_match_their_records_are_refused():
    """There would be no telling which is whose."""
    with pytest.raises(records.BadRecord, match="2 input records, but 3"):
        records.answers_of(b"1\n2\n3", 2)


def test_a_filter_that_does_not_fit_a_record_is_named():
    """Not a crash."""
    with pytest.raises(records.BadRecord, match="does not fit"):
        records.filtered(b'{"a": 1}', records.parse_filter("$.b"), JSON)
