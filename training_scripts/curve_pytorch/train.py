"""Fit a deep network to points (x, y) in PyTorch and report its root-mean-square error on the validation set.

Each channel holds CSV files without a header: y first, then x. By hand:

    python example.py data && python train.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

import contract
import network
import tables

REPORT_EVERY = 25


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
    """Points of the plane: `x` of shape (n, 1), `y` of shape (n,)."""

    x: torch.Tensor
    y: torch.Tensor


def read_points(folder: Path) -> Points:
    """Read a channel; a UserError names what is wrong with it."""
    table = tables.read(folder, ("y", "x"))
    return Points(x=torch.from_numpy(table["x"]).float()[:, None], y=torch.from_numpy(table["y"]).float())


def build(params: Params, points: Points) -> network.Curve:
    """The untrained network, scaled to the points."""
    model = network.Curve(params.hidden_layers, params.units, params.dropout)
    for scale, values in ((model.x_scale, points.x), (model.y_scale, points.y)):
        deviation = values.std(correction=0)
        scale.copy_(torch.stack([values.mean(), deviation.where(deviation > 0, torch.ones(()))]))
    return model


def rmse(model: network.Curve, points: Points) -> float:
    """The root of the mean squared difference between prediction and y, in the unit of y."""
    model.eval()
    with torch.no_grad():
        return float(nn.functional.mse_loss(model(points.x), points.y).sqrt())


def train(
    params: Params, data: dict[str, Points], report: Callable[[str, float], None]
) -> tuple[network.Curve, dict[str, float]]:
    """Train on `data["train"]`; the model, and `<part>:rmse` of every part of the data.

    `report` gets the training's loss (mean squared error of the scaled y) now and then.
    """
    points = data["train"]
    model = build(params, points)
    # All points fit in memory: batches are picked by index, which costs less than a data loader.
    batches = -(-len(points.y) // params.batch_size)
    optimizer = torch.optim.Adam(model.parameters(), lr=params.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=params.epochs * batches)
    for epoch in range(1, params.epochs + 1):
        model.train()
        total = 0.0
        for chosen in torch.randperm(len(points.y)).split(params.batch_size):
            error = (model(points.x[chosen]) - points.y[chosen]) / model.y_scale[1]
            loss = error.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        if epoch % REPORT_EVERY == 0 or epoch == params.epochs:
            report("train:loss", total / len(points.y))
    return model, {f"{part}:rmse": rmse(model, points) for part, points in data.items()}


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: read_points(contract.channel(part)) for part in ("train", "validation")}
    sizes = ", ".join(f"{part}: {len(points.y)} points" for part, points in data.items())
    print(f"{sizes}; {params}", flush=True)
    contract.seed(params.seed)
    torch.set_num_threads(1)  # to share out matrices as small as these costs more than to multiply them
    model, metrics = train(params, data, contract.report)
    for name, value in metrics.items():
        contract.report(name, value)
    # AWS's newest image for serving has an older PyTorch, which reads the weights too.
    with contract.saving(serving_requirements=None) as folder:
        network.save(model, folder)


if __name__ == "__main__":
    contract.run(main)
