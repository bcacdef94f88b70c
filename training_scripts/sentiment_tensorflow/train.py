"""Train a convolutional network to tell praise from blame in film reviews.

The channels `train` and `test` hold what prepare.py writes: x_<channel>.npy, a review a row, and
y_<channel>.npy. The model is a SavedModel in `1/`; beside it lie the history of the training and the
vocabulary, by which inference.py reads text. A run that was stopped goes on after its last whole epoch. By
hand:

    python example.py data && python prepare.py && python train.py
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow import keras

import checkpoints
import contract
import encoding

VERSION = "1"
HISTORY = "history.json"
VOCABULARY = "vocabulary.txt"


@dataclass(frozen=True)
class Params:
    """The hyperparameters, as hyperparameters.json declares them."""

    epochs: int
    batch_size: int
    learning_rate: float
    dropout: float
    vocabulary: int
    length: int
    embedding: int
    filters: int
    kernel: int
    dense: int
    precision: str
    seed: int


@dataclass(frozen=True)
class Reviews:
    """Reviews: `x` of shape (n, length) with the numbers of words, `y` of shape (n,), 1 for praise."""

    x: np.ndarray
    y: np.ndarray


def read_reviews(folder: Path, name: str, params: Params) -> Reviews:
    """Read a channel.

    Raises:
        UserError: a missing or damaged file, another length, a number outside the vocabulary, a wrong label.
    """
    x, y = (_load(folder / f"{axis}_{name}.npy") for axis in "xy")
    if x.shape[1:] != (params.length,) or not np.issubdtype(x.dtype, np.integer):
        raise contract.UserError(
            f"{name}/x_{name}.npy is {x.dtype} of shape {x.shape}, expected integers of shape "
            f"(n, {params.length}): give preparation and training the same length"
        )
    if y.shape != x.shape[:1] or not len(y):
        raise contract.UserError(
            f"{name}: {x.shape[0]} reviews, labels of shape {y.shape}: expected one each"
        )
    if not 0 <= x.min() <= x.max() < params.vocabulary:
        raise contract.UserError(
            f"{name}/x_{name}.npy holds {x.min()} to {x.max()}, expected 0 to {params.vocabulary - 1}: "
            "give preparation and training the same vocabulary"
        )
    if not np.isin(y, (0, 1)).all():
        raise contract.UserError(f"{name}/y_{name}.npy holds other labels than 0 and 1")
    return Reviews(x=x.astype(np.int32), y=y.astype(np.float32))


def _load(path: Path) -> np.ndarray:
    place = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        raise contract.UserError(f"{place} is missing: the job's prepare.py writes it")
    try:
        # A pickle in the file could run anything.
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise contract.UserError(f"{place} is no whole array without pickles: {error}") from error


def build(params: Params) -> keras.Model:
    """The network: embedding, dropout, convolution, pooling, dense, sigmoid."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((params.length,), dtype="int32", name="words"),
            layers.Embedding(params.vocabulary, params.embedding),
            layers.Dropout(params.dropout),
            layers.Conv1D(params.filters, params.kernel, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(params.dense, activation="relu"),
            layers.Dropout(params.dropout),
            # The answer in full precision, whatever the arithmetic before.
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(params.learning_rate),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    return model


class Report(keras.callbacks.Callback):
    """Puts an epoch's figures into the log and into the history, and then saves a checkpoint of both."""

    def __init__(self, history: list[dict[str, float]], folder: Path, params: Params) -> None:
        super().__init__()
        self._history, self._folder, self._given = history, folder, asdict(params)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this."""
        figures = {name: float(value) for name, value in (logs or {}).items()}
        self._history.append(figures)
        print(f"epoch {epoch + 1} of {self._given['epochs']}", flush=True)
        for name, value in figures.items():
            contract.report(METRICS[name], value)
        checkpoints.save(self._folder, self.model, self._history, self._given)


METRICS = {
    "loss": "train:loss",
    "accuracy": "train:accuracy",
    "val_loss": "test:loss",
    "val_accuracy": "test:accuracy",
}
"""What Keras calls a figure, and what the job's metrics do."""


def train(
    params: Params, data: dict[str, Reviews], checkpoint_dir: Path
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train on `data["train"]`; the model, and of each epoch the figures, those of `data["test"]` among them.

    Raises:
        UserError: a checkpoint that is damaged, or of a run with other hyperparameters.
    """
    keras.mixed_precision.set_global_policy(params.precision)
    restored = checkpoints.restore(checkpoint_dir, asdict(params))
    model, history = restored or (build(params), [])
    if restored:
        print(f"going on after epoch {len(history)}", flush=True)
    test = data["test"]
    model.fit(
        data["train"].x,
        data["train"].y,
        params.batch_size,
        params.epochs,
        initial_epoch=len(history),
        validation_data=(test.x, test.y),
        verbose=0,
        callbacks=[Report(history, checkpoint_dir, params)],
    )
    return model, history


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    folders = {name: contract.channel(name) for name in ("train", "test")}
    data = {name: read_reviews(folder, name, params) for name, folder in folders.items()}
    sizes = ", ".join(f"{name}: {len(reviews.y)} reviews" for name, reviews in data.items())
    print(f"{sizes}; {params}", flush=True)
    contract.seed(params.seed)
    model, history = train(params, data, contract.checkpoint_dir())
    for name, value in history[-1].items():
        contract.report(METRICS[name], value)
    # TensorFlow Serving runs the model, and the handlers need no packages.
    with contract.saving(serving_requirements=None) as folder:
        model.export(folder / VERSION, verbose=False)
        (folder / HISTORY).write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
        vocabulary = folders["train"] / VOCABULARY
        words = vocabulary.read_text(encoding="utf-8").split("\n")[:-1] if vocabulary.is_file() else []
        encoding.Encoding(words, params.length).save(folder)


if __name__ == "__main__":
    contract.run(main)
