"""Fit a deep network to points (x, y) in TensorFlow and report its root-mean-square error in validation.

Each channel holds CSV files without a header: y first, then x. The model is a SavedModel in the folder
`000000001`, a version's number, as TensorFlow Serving wants it. By hand:

    python example.py data && python train.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

import contract
import tables

VERSION = "000000001"
REPORT_EVERY = 25


@dataclass(frozen=True)
class Params:
    """The hyperparameters, as hyperparameters.json declares them."""

    hidden_layers: int
    units: int
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Points:
    """Points of the plane: `x` of shape (n, 1), `y` of shape (n, 1)."""

    x: np.ndarray
    y: np.ndarray


def read_points(folder: Path) -> Points:
    """Read a channel; a UserError names what is wrong with it."""
    table = tables.read(folder, ("y", "x"))
    return Points(x=table["x"][:, None].astype("float32"), y=table["y"][:, None].astype("float32"))


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


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: read_points(contract.channel(part)) for part in ("train", "validation")}
    sizes = ", ".join(f"{part}: {len(points.y)} points" for part, points in data.items())
    print(f"{sizes}; {params}", flush=True)
    contract.seed(params.seed)
    model, metrics = train(params, data)
    for name, value in metrics.items():
        contract.report(name, value)
    with contract.saving() as folder:
        export(model, folder / VERSION)


if __name__ == "__main__":
    contract.run(main)
