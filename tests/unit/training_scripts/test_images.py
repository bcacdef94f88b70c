"""The image classifier in its job's own environment: one process and two, checkpoints, what is wrong."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess

import numpy as np
import pytest

pytestmark = pytest.mark.heavy

SCRIPT = "images_pytorch"
SMALL = ("--width", "8", "--workers", "0")
DIGITS = """
import sys, numpy as np
from sklearn.datasets import load_digits
data = load_digits()
pixels = (data.images * 255 / 16).astype("uint8")
for part, chosen in (("train", slice(0, 1400)), ("validation", slice(1400, None))):
    np.save(f"data/{part}/images.npy", pixels[chosen])
    np.save(f"data/{part}/labels.npy", data.target[chosen])
"""

# A whole checkpoint, with less in it than there should be.
OTHER_VERSION = """
import hashlib, io, torch
from pathlib import Path
file = io.BytesIO()
torch.save({"epoch": 1}, file)
content = file.getvalue()
Path("checkpoints").mkdir()
Path("checkpoints/epoch-000001.pt").write_bytes(hashlib.sha256(content).digest() + content)
print("true")
"""

# What network the model folder holds.
LOADED = """
import json, network, torch
from pathlib import Path
print(json.dumps(type(network.load(Path("model"), torch.device("cpu"))).__name__))
"""

# What a container does with a request, around the script's own functions.
PREDICT = """
import json, sys
from pathlib import Path
sys.path.insert(0, {root!r})
import inference
from localaws.sagemaker.container.handlers import Handlers
model = Handlers(inference, "pytorch", Path("model"))
def ask(body, kind):
    try:
        return model.answer(body.encode(), kind, "application/json")[0].decode()
    except Exception as error:
        return getattr(error, "status", repr(error))
print(json.dumps([ask(*question) for question in {questions!r}]))
"""


def values(log, name):
    """All values of a metric in a log."""
    return [float(value) for value in re.findall(rf"^{name}=([-+0-9.eE]+)$", log, re.MULTILINE)]


@pytest.fixture
def digits(job):
    """The job, with the example's data."""
    images = job(SCRIPT)
    images.write_example()
    return images


def test_scikit_learns_digits_are_recognised(job, digits):
    """The real ones, by writers whom the training has not seen: 94 of 100 at least."""
    other = job("curve_sklearn")  # whose environment has scikit-learn
    subprocess.run([other.python, "-c", DIGITS], cwd=digits.folder, check=True)
    log = digits.train()
    assert values(log, "validation:accuracy")[-1] >= 0.94
    assert values(log, "train:samples_per_second")[-1] > 0
    assert 0 <= values(log, "train:data_wait")[-1] <= 1
    assert {"model.pt", "code/inference.py", "code/network.py"} <= set(digits.model_files())


def test_the_example_is_served(digits, pytestconfig):
    """The five digits of the demo's request, and a status for what is no image."""
    digits.train("--epochs", "5")
    request = json.loads((digits.folder / "data" / "requests.json").read_text(encoding="utf-8"))[0]
    wrong = [("[[0.5]]", "application/json"), ("[[[256]]]", "application/json"), ("x", "text/plain")]
    questions = [(request["body"], request["content_type"]), *wrong]
    answer, *refused = digits.evaluate(PREDICT.format(root=str(pytestconfig.rootpath), questions=questions))
    assert f"the digits {', '.join(str(found['class']) for found in json.loads(answer))}" == request["about"]
    assert refused == [400, 400, 415]


def test_two_processes_learn_what_one_does(digits):
    """The same batches, shared out: the same losses up to rounding, and the model saved once."""
    alone = digits.train("--epochs", "2", *SMALL, SM_MODEL_DIR="alone", SM_CHECKPOINT_DIR="alone-checkpoints")
    together = digits.torchrun(2, "--epochs", "2", *SMALL)
    for name in ("train:loss", "validation:accuracy"):
        assert values(together, name) == pytest.approx(values(alone, name), rel=0.02)
    assert "2 x cpu" in together
    assert "model.pt" in digits.model_files()


def test_several_processes_leave_one_reason(digits):
    """That of the script, not torchrun's, which only says that a process has failed."""
    digits.torchrun(2, "--batch_size", "63", *SMALL, code=1)
    assert (
        digits.failure
        == "UserError: hyperparameter batch_size: 63 cannot be shared out over 2 processes evenly"
    )
    assert not (digits.folder / "model").exists()


def test_what_does_not_fit_into_memory_is_read_from_disk(digits):
    """Batch by batch, through the worker processes."""
    code = """
import arrays, feeding, images, json, numpy as np, torch
from pathlib import Path
whole = images.read(Path("data/train")).pixels
arrays._IN_MEMORY_BYTES = 0
mapped = images.read(Path("data/train"))
chosen = [np.array([5, 3]), np.array([1399, 0])]
batches = [pixels.numpy() for pixels, _ in feeding.loader(mapped, chosen, 1, torch.device("cpu"))]
same = all((batch == whole[rows]).all() for batch, rows in zip(batches, chosen))
print(json.dumps([type(mapped.pixels).__name__, len(batches), bool(same)]))
"""
    assert digits.evaluate(code) == ["memmap", 2, True]


def test_every_precision_learns(digits):
    """bf16 and fp16 keep the weights in fp32; fp16 scales its gradients."""
    for precision in ("bf16", "fp16", "auto"):
        log = digits.train("--epochs", "2", "--precision", precision, *SMALL, SM_CHECKPOINT_DIR=precision)
        losses = values(log, "train:loss")
        assert losses[-1] < losses[0]


def test_a_stopped_run_goes_on_where_it_was(digits):
    """From the newest checkpoint, also in another precision: only the epochs that are missing are trained."""
    assert len(values(digits.train("--epochs", "2", *SMALL), "train:loss")) == 2
    log = digits.train("--epochs", "3", "--precision", "fp16", *SMALL)
    assert "going on from the checkpoint after epoch 2" in log
    assert len(values(log, "train:loss")) == 1
    kept = sorted(path.name for path in (digits.folder / "checkpoints").iterdir())
    assert kept == ["epoch-000002.pt", "epoch-000003.pt"]
    # A run that was stopped after its last epoch still tells its gate how good the model is.
    again = digits.train("--epochs", "3", *SMALL)
    assert values(again, "validation:accuracy") == values(log, "validation:accuracy")
    assert digits.manifest["metrics"]["validation:accuracy"] > 0


def test_a_corrupt_checkpoint_is_passed_over_and_none_that_is_whole_ends_the_run(digits):
    """The one before is taken; where none is whole, that is said rather than begun anew in silence."""
    digits.train("--epochs", "2", *SMALL)
    older, newest = sorted((digits.folder / "checkpoints").iterdir())
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    log = digits.train("--epochs", "3", *SMALL)
    assert "checkpoint epoch-000002.pt is corrupt; looking for the one before" in log
    assert "going on from the checkpoint after epoch 1" in log
    for path in (digits.folder / "checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    digits.train("--epochs", "4", *SMALL, code=10)
    assert digits.failure.startswith("UserError: no checkpoint in checkpoints is whole (epoch-000003.pt, ")
    assert not older.exists()


def test_a_checkpoint_of_another_run_is_refused(digits):
    """Of other hyperparameters, fewer epochs, images of another kind, or another version of the script."""
    digits.train("--epochs", "2", *SMALL)
    manifest = digits.manifest
    digits.train("--epochs", "3", "--workers", "0", "--width", "16", "--seed", "9", code=10)
    assert digits.failure == (
        "UserError: the checkpoint is of a run with other hyperparameters "
        "(width 8 then, 16 now, seed 0 then, 9 now): remove the checkpoints"
    )
    digits.train("--epochs", "1", *SMALL, code=10)
    assert "(epochs 2 then, 1 now)" in digits.failure
    for part in ("train", "validation"):
        images = digits.folder / "data" / part / "images.npy"
        np.save(images, np.stack([np.load(images)] * 3, axis=-1))
    digits.train("--epochs", "3", *SMALL, code=10)
    assert "is of a network with {'channels': 1, " in digits.failure
    content = b"of another version"
    newest = max((digits.folder / "checkpoints").iterdir())
    newest.write_bytes(hashlib.sha256(content).digest() + content)
    digits.train("--epochs", "3", *SMALL, code=10)
    assert digits.failure.startswith(
        "UserError: the newest checkpoint in checkpoints is of another version of this script ("
    )
    assert digits.manifest == manifest


def test_a_checkpoint_that_lacks_something_is_refused(digits):
    """It is whole, and says what an earlier version of the script has kept."""
    digits.evaluate(OTHER_VERSION)
    digits.train("--epochs", "3", *SMALL, code=10)
    assert "is of another version of this script (KeyError: 'params'): remove the" in digits.failure
    assert digits.model_files() == []


def test_a_compiled_network_learns(digits):
    """`torch.compile` changes how steps are computed; the weights that are saved are the network's own."""
    log = digits.train("--epochs", "2", "--compile", "true", *SMALL)
    losses = values(log, "train:loss")
    assert losses[-1] < losses[0]
    assert digits.evaluate(LOADED) == "Classifier"
