"""The functions of an inference script, with the framework's defaults where one is missing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from localaws.sagemaker.container.codecs import Refused
from localaws.sagemaker.container.handlers import Handlers

JSON = "application/json"


class UnsupportedFormatError(Exception):
    """The toolkits' exception of this name."""


class Doubler:
    """Something with scikit-learn's predict."""

    def predict(self, table):
        """Twice the input."""
        assert table.dtype == np.float32
        return table * 2


def handlers(framework="scikit-learn", **functions):
    """The handlers of a module with the given functions."""
    return Handlers(SimpleNamespace(**{"model_fn": lambda _: Doubler(), **functions}), framework, "/model")


def test_scikit_learn_needs_a_model_fn_only():
    """The container's own functions read float32, predict and write what the client accepts."""
    assert handlers().answer(b"[[1], [2]]", JSON, JSON) == (b"[[2.0], [4.0]]", JSON)
    assert handlers().answer(b"1,2\n3,4\n", "text/csv", "text/csv") == (b"2.0,4.0\n6.0,8.0\n", "text/csv")


def test_without_a_model_fn_the_model_does_not_load():
    """scikit-learn has no default: the error says what to write."""
    with pytest.raises(NotImplementedError, match="model_fn"):
        Handlers(SimpleNamespace(), "scikit-learn", "/model")


def test_each_function_can_be_the_users_own():
    """Text types arrive as str, others as bytes; output_fn may name the type."""
    own = handlers(
        model_fn=lambda folder: folder,
        input_fn=lambda body, kind: (type(body).__name__, kind),
        predict_fn=lambda data, model: [*data, model],
        output_fn=lambda prediction, accept: (" ".join(prediction), accept + "+own"),
    )
    assert own.answer(b"1", "text/csv", "text/plain") == (b"str text/csv /model", "text/plain+own")
    assert own.answer(b"1", "image/png", "text/plain") == (b"bytes image/png /model", "text/plain+own")


def test_transform_fn_replaces_the_three():
    """It gets model, body and both types; beside one of the three it is refused."""
    own = handlers(transform_fn=lambda _model, body, kind, accept: f"{body} {kind} {accept}")
    assert own.answer(b"x", "text/csv", JSON) == (b"x text/csv application/json", JSON)
    with pytest.raises(Refused, match="Cannot use transform_fn"):
        handlers(transform_fn=print, predict_fn=print)


@pytest.mark.parametrize(
    ("function", "raised", "status"),
    [
        ("input_fn", UnsupportedFormatError("text/xml"), 415),
        ("output_fn", UnsupportedFormatError("text/xml"), 406),
        ("input_fn", type("BadRequestInferenceError", (Exception,), {"status_code": 400})("why"), 400),
    ],
)
def test_the_toolkits_exceptions_keep_their_meaning(function, raised, status):
    """What a script raises for AWS's containers has the same status here."""

    def fail(*_):
        raise raised

    with pytest.raises(Refused) as refusal:
        handlers(**{function: fail}).answer(b"[[1]]", JSON, JSON)
    assert refusal.value.status == status


def test_other_exceptions_of_a_script_are_its_own():
    """They become 500 in the server, as on AWS, even in input_fn."""

    def fail(*_):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        handlers(input_fn=fail).answer(b"[[1]]", JSON, JSON)


def test_words_where_numbers_belong_are_the_clients_fault():
    """JSON that is no array of numbers is refused with 400 by the default input function."""
    with pytest.raises(Refused) as refusal:
        handlers().answer(b'[["a"]]', JSON, JSON)
    assert refusal.value.status == 400
