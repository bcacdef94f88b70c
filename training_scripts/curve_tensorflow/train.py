"""Fit a deep network to points (x, y) in TensorFlow and report its root-mean-square error in validation.

Each channel holds CSV files without a header: y first, then x. The model is a SavedModel in the folder
`000000001`, a version's number, as TensorFlow Serving wants it. By hand:

    python example.py data && python train.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import contract
import tables

VERSION = "000000001"


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


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: read_points(contract.channel(part)) for part in ("train", "validation")}
    sizes = ", ".join(f"{part}: {len(points.y)} points" for part, points in data.items())
    print(f"{sizes}; {params}", flush=True)
    # TensorFlow takes seconds to load, if it can be: what is wrong up to here is told at once.
    import fitting  # noqa: PLC0415

    contract.seed(params.seed)
    model, metrics = fitting.train(params, data)
    for name, value in metrics.items():
        contract.report(name, value)
    with contract.saving() as folder:
        fitting.export(model, folder / VERSION)


if __name__ == "__main__":
    contract.run(main)
