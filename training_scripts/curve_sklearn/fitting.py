"""Building the network and fitting it to points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from train import Params, Points


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
