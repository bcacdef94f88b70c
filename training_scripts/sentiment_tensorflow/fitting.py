"""Building the network and training it, from its last checkpoint where there is one."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow import keras

import checkpoints
import contract

if TYPE_CHECKING:
    from train import Params, Reviews

METRICS = {
    "loss": "train:loss",
    "accuracy": "train:accuracy",
    "val_loss": "test:loss",
    "val_accuracy": "test:accuracy",
    "samples_per_second": "train:samples_per_second",
}
"""What Keras calls a figure, or the history does, and what the job's metrics do."""


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


def report(figures: dict[str, float]) -> None:
    """Put an epoch's figures into the log."""
    for name, value in figures.items():
        contract.report(METRICS[name], value)


class Report(keras.callbacks.Callback):
    """Puts an epoch's figures into the log and into the history, and then saves a checkpoint of both."""

    def __init__(self, history: list[dict[str, float]], folder: Path, params: Params, samples: int) -> None:
        super().__init__()
        self._history, self._folder, self._given = history, folder, asdict(params)
        self._samples, self._started, self._seconds = samples, 0.0, 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002 -- Keras passes it
        """Keras calls this."""
        self._started = time.perf_counter()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002 -- Keras passes it
        """Keras calls this, once it has trained for an epoch and before it tests."""
        self._seconds = time.perf_counter() - self._started

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this."""
        figures = {name: float(value) for name, value in (logs or {}).items()}
        figures["samples_per_second"] = self._samples / self._seconds
        self._history.append(figures)
        print(f"epoch {epoch + 1} of {self._given['epochs']}", flush=True)
        report(figures)
        checkpoints.save(self._folder, self.model, self._history, self._given)


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
    if len(history) == params.epochs:
        # All was learned before the run was stopped; its metrics went with its log.
        report(history[-1])
    test = data["test"]
    model.fit(
        data["train"].x,
        data["train"].y,
        params.batch_size,
        params.epochs,
        initial_epoch=len(history),
        validation_data=(test.x, test.y),
        verbose=0,
        callbacks=[Report(history, checkpoint_dir, params, len(data["train"].y))],
    )
    return model, history
