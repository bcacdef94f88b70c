"""The text classifiers, each in its job's own environment: learned, served, resumed, and what is wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import contract

SCRIPTS = Path(contract.__file__).parent
SMALL = ["--length", "80", "--vocabulary", "300"]
NETWORK = [*SMALL, "--embedding", "32", "--filters", "48", "--dense", "32", "--learning_rate", "0.003"]
PRAISE, BLAME = "The acting was superb, the music charming.", "The plot was awful and the cast dull."
# What a container does with a request, around the script's own functions.
SERVE = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
os.environ["SM_MODEL_DIR"] = "model"
from localaws.sagemaker.container.handlers import Handlers
from localaws.sagemaker.container.tensorflow_serving import TensorFlowServing
import inference
if {script!r} == "sentiment_tensorflow":
    model = TensorFlowServing(inference, Path("model"))
else:
    model = Handlers(inference, {script!r}.partition("_")[2], Path("model"))
answers = [model.answer(body.encode(), kind, "application/json")[0].decode() for body, kind in {requests!r}]
print(json.dumps([json.loads(answer) for answer in answers]))
"""


def metric(log, name):
    """The values of a metric in a log."""
    return [float(value) for value in re.findall(rf"^{name}=([-+0-9.eE]+)$", log, re.MULTILINE)]


def served(job, root, *requests):
    """The labels that the model in the model folder answers requests with."""
    answers = job.evaluate(SERVE.format(root=str(root), script=job.script, requests=requests))
    rows = [answer["predictions"] if isinstance(answer, dict) else answer for answer in answers]
    return [[row["label"] for row in found] for found in rows]


@pytest.mark.heavy
class TestSentimentTensorFlow:
    """The convolutional network, smaller than its default."""

    @pytest.fixture
    def sentiment(self, job, tmp_path):
        """The job, with the example's reviews prepared."""
        found = job("sentiment_tensorflow")
        found.write_example()
        program = SCRIPTS / "sentiment_tensorflow" / "prepare.py"
        subprocess.run([sys.executable, program, *SMALL], cwd=tmp_path, check=True, capture_output=True)
        return found

    def test_it_is_learned_and_served_as_text(self, sentiment, pytestconfig):
        """Better than by counting words; a SavedModel `1`, a history, no packages for serving."""
        log = sentiment.train("--epochs", "4", *NETWORK)
        assert metric(log, "test:accuracy")[-1] >= 0.9
        assert len(metric(log, "train:loss")) == 4
        assert min(metric(log, "train:samples_per_second")) > 0
        files = set(sentiment.model_files())
        assert {"1/saved_model.pb", "history.json", "encoding.json", "code/inference.py"} <= files
        assert "code/requirements.txt" not in files
        history = json.loads((sentiment.folder / "model/history.json").read_text())
        assert len(history) == 4
        assert history[-1]["val_accuracy"] == pytest.approx(metric(log, "test:accuracy")[-1], abs=1e-4)
        both = json.dumps({"instances": [PRAISE, BLAME]})
        requests = ((both, "application/json"), (f"{BLAME}\n", "text/plain"))
        assert served(sentiment, pytestconfig.rootpath, *requests) == [["praise", "blame"], ["blame"]]

    def test_a_stopped_run_goes_on_after_its_last_whole_epoch(self, sentiment):
        """Other hyperparameters than those of the checkpoint are refused, and a damaged one."""
        sentiment.train("--epochs", "1", *NETWORK)
        log = sentiment.train("--epochs", "2", *NETWORK)
        assert "going on after epoch 1" in log
        assert "epoch 2 of 2" in log
        assert "epoch 1 of" not in log
        # A run that was stopped after its last epoch still tells its gate how good the model is.
        again = sentiment.train("--epochs", "2", *NETWORK)
        assert metric(again, "test:accuracy") == metric(log, "test:accuracy")
        sentiment.train("--epochs", "3", *NETWORK, "--dropout", "0.5", code=10)
        assert (
            "other hyperparameters (dropout 0.2 then, 0.5 now): remove the checkpoints" in sentiment.failure
        )
        (checkpoint,) = (sentiment.folder / "checkpoints").glob("*.keras")
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
        sentiment.train("--epochs", "3", *NETWORK, code=10)
        assert re.match(
            r"UserError: the checkpoint checkpoints/epoch-0002\.keras cannot be read", sentiment.failure
        )

    def test_half_precision_learns(self, sentiment):
        """The figures that it reports fall, too."""
        log = sentiment.train("--epochs", "2", *NETWORK, "--precision", "mixed_bfloat16")
        losses = metric(log, "train:loss")
        assert losses[-1] < losses[0]


@pytest.mark.heavy
class TestTextHuggingFace:
    """The tiny transformer of the example."""

    RATE = ("--learning_rate", "0.001")
    # One weight, which the network has in another shape; all others are missing.
    HEADER = b'{"bert.embeddings.LayerNorm.bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
    OTHER_WEIGHTS = len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)

    @pytest.fixture
    def texts(self, job):
        """The job, with the example's data."""
        found = job("text_huggingface")
        found.write_example()
        return found

    def test_it_is_learned_served_and_learned_further(self, texts, pytestconfig):
        """First from random numbers, then from the weights of the first run, which know it all at once."""
        log = texts.train("--epochs", "3", *self.RATE)
        assert "starts from random numbers" in log
        first = metric(log, "validation:accuracy")
        assert first[-1] >= 0.8
        assert {"model.safetensors", "config.json", "code/requirements.txt"} <= set(texts.model_files())
        both = json.dumps({"inputs": [PRAISE, BLAME]})
        requests = ((both, "application/json"), (f"{BLAME}\n", "text/plain"))
        assert served(texts, pytestconfig.rootpath, *requests) == [["praise", "blame"], ["blame"]]
        shutil.rmtree(texts.folder / "data/model")
        shutil.move(texts.folder / "model", texts.folder / "data/model")
        log = texts.train("--epochs", "1")
        assert "random numbers" not in log
        assert metric(log, "validation:accuracy")[0] >= first[-1] - 0.05

    def test_a_model_that_cannot_be_loaded_safely_is_refused(self, texts):
        """Damaged weights, a network that is unknown, and nothing is asked of the network."""
        model = texts.folder / "data/model"
        (model / "model.safetensors").write_bytes(b"no weights")
        texts.train(code=10)
        assert texts.failure.startswith("UserError: channel 'model' is no model that can be loaded")
        (model / "config.json").write_text('{"model_type": "of another world"}', encoding="utf-8")
        texts.train(code=10)
        assert texts.failure.startswith("UserError: channel 'model' is no model that can be loaded")
        assert texts.model_files() == []

    def test_files_of_different_models_are_refused(self, texts):
        """A tokenizer without its words or with too many of them; weights of another network or shape."""
        model = texts.folder / "data/model"
        configuration = (model / "config.json").read_text(encoding="utf-8")
        words = (model / "vocab.txt").read_text(encoding="utf-8")
        (model / "vocab.txt").unlink()
        texts.train(code=10)
        assert texts.failure.startswith(
            "UserError: channel 'model': the tokenizer knows no words, only 5 special"
        )
        (model / "vocab.txt").write_text(words + "more\n", encoding="utf-8")
        texts.train(code=10)
        rows = json.loads(configuration)["vocab_size"]
        assert (
            f"its tokens up to {rows}, but vocab_size in model/config.json allows up to {rows - 1}"
            in texts.failure
        )
        (model / "vocab.txt").write_text(words, encoding="utf-8")
        (model / "model.safetensors").write_bytes(self.OTHER_WEIGHTS)
        texts.train(code=10)
        assert re.match(
            r"UserError: model/model\.safetensors is of another network than config\.json: \d+ weights are "
            r"missing in it or of another shape "
            r"\(bert\.embeddings\.LayerNorm\.bias, bert\.embeddings\.LayerNorm\.weight, ",
            texts.failure,
        )
        assert texts.model_files() == []


@pytest.mark.heavy
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="MXNet's last version ends with Python 3.11")
def test_mxnet_learns_and_serves(job, pytestconfig):
    """Where an environment for it exists."""
    texts = job("text_mxnet")
    texts.write_example()
    log = texts.train("--epochs", "6")
    assert metric(log, "validation:accuracy")[-1] >= 0.9
    assert {"network.params", "network.json", "code/inference.py"} <= set(texts.model_files())
    both = json.dumps({"inputs": [PRAISE, BLAME]})
    assert served(texts, pytestconfig.rootpath, (both, "application/json")) == [["praise", "blame"]]


def test_without_mxnet_the_reason_is_one_line(tmp_path):
    """The platform's fault: which versions it takes, and what to do instead."""
    for part in ("train", "validation"):
        (tmp_path / "data" / part).mkdir(parents=True)
        (tmp_path / "data" / part / "texts.csv").write_text("good,fine\nbad,poor\n", encoding="utf-8")
    program = SCRIPTS / "text_mxnet" / "train.py"
    result = subprocess.run([sys.executable, program], capture_output=True, cwd=tmp_path, check=False)
    assert result.returncode == contract.PlatformError.exit_code
    failure = (tmp_path / "output/failure").read_text(encoding="utf-8")
    assert failure.startswith("PlatformError: MXNet cannot be loaded")
    assert "needs Python 3.8 to 3.11 and numpy below 1.24" in failure
