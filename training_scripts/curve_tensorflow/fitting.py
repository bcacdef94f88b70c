"""Building the network, fitting it to points, and writing it as TensorFlow Serving wants it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

import contract

if TYPE_CHECKING:
    from train import Params, Points

REPORT_EVERY = 25


def build(params: Params, points: Points) -> keras.Model:
    """The untrained network, y of x in their own units: both scalings are layers of it."""
    x_scale, y_scale = keras.layers.Normalization(), keras.layers.Normalization(invert=True)
    x_scale.adapt(points.x)
    y_scale.adapt(points.y)
    hidden = [
        layer
        for _ in range(params.hidden_layers)
        for layer in (
            keras.layers.Dense(params.units, kernel_initializer="he_normal"),
            keras.layers.LeakyReLU(),
        )
    ]
    return keras.Sequential([keras.Input((1,)), x_scale, *hidden, keras.layers.Dense(1), y_scale])


def rmse(model: keras.Model, points: Points) -> float:
    """The root of the mean squared difference between prediction and y, in the unit of y."""
    predicted = model.predict(points.x, batch_size=4096, verbose=0)
    return float(np.sqrt(np.mean((predicted - points.y) ** 2)))


class Report(keras.callbacks.Callback):
    """Puts the training's loss into the log now and then."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this."""
        if (epoch + 1) % REPORT_EVERY == 0 or epoch + 1 == self.params["epochs"]:
            contract.report("train:loss", (logs or {})["loss"])


def train(params: Params, data: dict[str, Points]) -> tuple[keras.Model, dict[str, float]]:
    """Train on `data["train"]`; the model, and `<part>:rmse` of every part of the data."""
    points = data["train"]
    model = build(params, points)
    steps = params.epochs * -(-len(points.y) // params.batch_size)
    spread = float(points.y.std()) or 1.0
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(params.learning_rate, steps)),
        # In units of the spread of y, so that the loss does not depend on the unit of the data.
        loss=lambda truth, predicted: tf.square((truth - predicted) / spread),
    )
    model.fit(points.x, points.y, params.batch_size, params.epochs, verbose=0, callbacks=[Report()])
    return model, {f"{part}:rmse": rmse(model, points) for part, points in data.items()}


def export(model: keras.Model, folder: Path) -> None:
    """Write a SavedModel: a batch of x in, of shape (n, 1), or (n,) as CSV comes; y of shape (n,) out."""
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve",
        lambda x: tf.squeeze(model(tf.reshape(x, (-1, 1)), training=False), -1),
        [tf.TensorSpec(None, tf.float32, name="x")],
    )
    archive.write_out(str(folder), verbose=False)
