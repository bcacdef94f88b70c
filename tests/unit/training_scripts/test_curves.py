"""The curve in three frameworks, each in its own environment: learned, served, and refused what is wrong."""

from __future__ import annotations

import json
import re

import pytest

pytestmark = pytest.mark.heavy

DEVIATION = 150
"""Of the noise of the points: no model can do much better."""
QUESTIONS = {100.0: 250.0, 200.0: 350.0, -3000.0: -850.0}
"""x and the line there, with the noise's mean of 150."""
MODELS = {
    "curve_sklearn": {"model.joblib", "code/inference.py"},
    "curve_pytorch": {"model.pt", "code/inference.py", "code/network.py", "code/contract.py"},
    "curve_tensorflow": {"000000001/saved_model.pb", "000000001/variables/variables.index"},
}
# What a container does with a request, around the script's own functions.
PREDICT = """
import json, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from localaws.sagemaker.container.handlers import Handlers
from localaws.sagemaker.container.tensorflow_serving import TensorFlowServing
if {script!r} == "curve_tensorflow":
    model = TensorFlowServing(object(), Path("model"))
else:
    import inference
    model = Handlers(inference, {{"curve_sklearn": "scikit-learn"}}.get({script!r}, "pytorch"), Path("model"))
def ask(body, kind, accept):
    try:
        return model.answer(body.encode(), kind, accept)[0].decode()
    except Exception as error:
        return getattr(error, "status", type(error).__name__)
print(json.dumps([ask(*question) for question in {questions!r}]))
"""


def metric(log, name):
    """The last value of a metric in a log."""
    return float(re.findall(rf"^{name}=([-+0-9.eE]+)$", log, re.MULTILINE)[-1])


@pytest.mark.parametrize("script", MODELS)
def test_the_curve_is_learned_and_served(job, script, pytestconfig):
    """Within 1.25 times the noise's own deviation, and each request form is answered with the line's y."""
    curve = job(script)
    curve.write_example()
    log = curve.train()
    assert metric(log, "validation:rmse") <= 1.25 * DEVIATION
    assert MODELS[script] <= set(curve.model_files())
    assert curve.manifest["metrics"]["validation:rmse"] == pytest.approx(
        metric(log, "validation:rmse"), rel=1e-5
    )
    assert {"python", "numpy"} <= set(curve.manifest["versions"])
    questions = [
        (json.dumps([[x] for x in QUESTIONS]), "application/json", "application/json"),
        ("".join(f"{x}\n" for x in QUESTIONS), "text/csv", "application/json"),
        ("1", "image/png", "application/json"),
    ]
    code = PREDICT.format(root=str(pytestconfig.rootpath), script=script, questions=questions)
    in_json, from_csv, refused = curve.evaluate(code)
    for answer in (in_json, from_csv):
        found = json.loads(answer)
        values = found["predictions"] if script == "curve_tensorflow" else found
        assert values == pytest.approx(list(QUESTIONS.values()), abs=100)
    assert refused == 415


def test_the_same_seed_gives_the_same_model(job):
    """A run can be repeated."""
    curve = job("curve_pytorch")
    curve.write_example()
    first, second = (curve.train("--epochs", "2", "--seed", "7") for _ in range(2))
    assert first == second != curve.train("--epochs", "2", "--seed", "8")


@pytest.mark.parametrize("script", ["curve_pytorch", "curve_tensorflow"])
def test_a_training_that_diverges_says_so(job, script):
    """An algorithm error: the data are right."""
    curve = job(script)
    curve.write_example()
    for part in ("train", "validation"):
        (curve.folder / "data" / part / "points.csv").write_text("1e38,1\n-1e38,2\n" * 20, encoding="utf-8")
    curve.train("--epochs", "1", code=20)
    assert "diverged" in curve.failure
    assert curve.model_files() == []


def test_the_pytorch_server_refuses_what_it_cannot_answer(job, pytestconfig):
    """A word, two values a row, nothing, another type: the client's fault, not the server's."""
    curve = job("curve_pytorch")
    curve.write_example()
    curve.train("--epochs", "1")
    kinds = [("many", "text/csv"), ("1,2", "text/csv"), ("[]", "application/json"), ("{", "application/json")]
    questions = [(body, kind, "text/csv") for body, kind in kinds]
    code = PREDICT.format(root=str(pytestconfig.rootpath), script="curve_pytorch", questions=questions)
    assert curve.evaluate(code) == [400, 400, 400, 400]
