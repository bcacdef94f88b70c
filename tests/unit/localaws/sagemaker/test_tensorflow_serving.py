"""What TensorFlow's image makes of a request before TensorFlow Serving sees it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.sagemaker.container.codecs import Refused
from localaws.sagemaker.container.tensorflow_serving import TensorFlowServing, _request

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1)


@given(NUMBERS)
def test_the_same_rows_arrive_however_they_are_written(xs):
    """A plain array, an array with its envelope, JSON lines: rows of one value each; CSV: plain values."""
    rows = [[x] for x in xs]
    bodies = {
        "application/json": json.dumps(rows),
        "application/json; charset=utf-8": json.dumps({"instances": rows}),
        "application/jsonlines": "\n".join(json.dumps(row) for row in rows),
    }
    for kind, body in bodies.items():
        assert json.loads(_request(body.encode(), kind)) == {"instances": rows}
    csv = "".join(f"{x}\n" for x in xs).encode()
    assert json.loads(_request(csv, "text/csv")) == {"instances": xs}


def test_csv_of_several_columns_becomes_rows():
    """Only a single column goes without brackets."""
    assert json.loads(_request(b"1,2\n3,4\n", "text/csv")) == {"instances": [[1, 2], [3, 4]]}


def test_one_value_is_a_batch_of_one():
    """As AWS's image does."""
    assert json.loads(_request(b"[1, 2]", "application/json")) == {"instances": [[1, 2]]}


def test_other_types_are_refused():
    """Without a handler of its own the image reads JSON and CSV."""
    with pytest.raises(Refused, match="image/png") as refused:
        _request(b"", "image/png")
    assert refused.value.status == 415


def test_a_model_without_a_version_does_not_load(tmp_path):
    """TensorFlow Serving wants the version's number as the folder."""
    (tmp_path / "curve").mkdir()
    (tmp_path / "curve" / "saved_model.pb").touch()
    with pytest.raises(ValueError, match=r"no <version>/saved_model\.pb"):
        TensorFlowServing(object(), tmp_path)


def test_the_four_functions_of_other_frameworks_are_refused(tmp_path):
    """The image would not call them: it says which two it wants."""
    with pytest.raises(ValueError, match="input_handler and output_handler"):
        TensorFlowServing(SimpleNamespace(model_fn=print), tmp_path)
