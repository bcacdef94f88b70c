"""Fit a multi-layer perceptron to points (x, y) and report its root-mean-square error on the validation set.

Each channel holds CSV files without a header: y first, then x. The model is one joblib file.
Runs on SageMaker's scikit-learn container, on the embedded AWS, and by hand:

    python example.py data && python train.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

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


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: read_points(contract.channel(part)) for part in ("train", "validation")}
    sizes = ", ".join(f"{part}: {len(points.y)} points" for part, points in data.items())
    print(f"{sizes}; {params}", flush=True)
    # scikit-learn takes seconds to load, if it can be: what is wrong up to here is told at once.
    import joblib  # noqa: PLC0415

    import fitting  # noqa: PLC0415

    contract.seed(params.seed)
    model, metrics = fitting.train(params, data)
    for name, value in metrics.items():
        contract.report(name, value)
    with contract.saving() as folder:
        joblib.dump(model, folder / "model.joblib")


if __name__ == "__main__":
    contract.run(main)
