"""Fit a deep network to points (x, y) in PyTorch and report its root-mean-square error on the validation set.

Each channel holds CSV files without a header: y first, then x. By hand:

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
    """The hyperparameters, as hyperparameters.json declares them."""

    hidden_layers: int
    units: int
    dropout: float
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Points:
    """Points of the plane: `x` of shape (n, 1), `y` of shape (n,), both float32."""

    x: np.ndarray
    y: np.ndarray


def read_points(folder: Path) -> Points:
    """Read a channel; a UserError names what is wrong with it."""
    table = tables.read(folder, ("y", "x"))
    return Points(x=table["x"][:, None].astype("float32"), y=table["y"].astype("float32"))


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: read_points(contract.channel(part)) for part in ("train", "validation")}
    sizes = ", ".join(f"{part}: {len(points.y)} points" for part, points in data.items())
    print(f"{sizes}; {params}", flush=True)
    # PyTorch takes seconds to load, if it can be: what is wrong up to here is told at once.
    import fitting  # noqa: PLC0415
    import network  # noqa: PLC0415

    contract.seed(params.seed)
    model, metrics = fitting.train(params, data, contract.report)
    for name, value in metrics.items():
        contract.report(name, value)
    # AWS's newest image for serving has an older PyTorch, which reads the weights too.
    with contract.saving(serving_requirements=None) as folder:
        network.save(model, folder)


if __name__ == "__main__":
    contract.run(main)
