"""Fit a multi-layer perceptron to points (x, y) and report its root-mean-square error on the validation set.

Each channel holds CSV files without a header: y first, then x. The model is one joblib file.
Runs on SageMaker's scikit-learn container, on the embedded AWS, and by hand:

    python example.py data && python train.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import contract
import tables


@dataclass(frozen=True)
class Params:
    """The hyperparameters: `hidden_layers` layers of `units` neurons, at most `max_iter` iterations."""

    hidden_layers: int
    units: int
    max_iter: int
    seed: int


@dataclass(frozen=True)
class Points:
    """Points of the plane: `x` of shape (n, 1), `y` of shape (n,)."""

    x: np.ndarray
    y: np.ndarray


def read_points(folder: Path) -> Points:
    """Read a channel.

    Raises:
        UserError: a missing or empty channel, a wrong number of columns, a cell that is no finite number.
    """
    table = tables.read(folder, ("y", "x"))
    return Points(x=table["x"][:, None], y=table["y"])


def build(params: Params) -> TransformedTargetRegressor:
    """The untrained model; both sides are standardised, since the points span thousands."""
    network = MLPRegressor(
        hidden_layer_sizes=(params.units,) * params.hidden_layers,
        max_iter=params.max_iter,
        solver="lbfgs",  # the points fit in memory many times over: a full-batch solver converges in seconds
        random_state=params.seed,
    )
    inputs_scaled = make_pipeline(StandardScaler(), network)
    return TransformedTargetRegressor(inputs_scaled, transformer=StandardScaler())


def rmse(model: TransformedTargetRegressor, points: Points) -> float:
    """The root of the mean squared difference between prediction and y, in the unit of y."""
    return float(np.sqrt(np.mean((model.predict(points.x) - points.y) ** 2)))


def train(params: Params, data: dict[str, Points]) -> tuple[TransformedTargetRegressor, dict[str, float]]:
    """Train on `data["train"]`; the model, and `<part>:rmse` of every part of the data."""
    model = build(params).fit(data["train"].x, data["train"].y)
    return model, {f"{part}:rmse": rmse(model, points) for part, points in data.items()}


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
        joblib.dump(model, folder / "model.joblib")


if __name__ == "__main__":
    contract.run(main)
