"""Fitting the network to points."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

import network

if TYPE_CHECKING:
    from train import Params, Points

REPORT_EVERY = 25


class Tensors(NamedTuple):
    """Points as PyTorch has them: `x` of shape (n, 1), `y` of shape (n,)."""

    x: torch.Tensor
    y: torch.Tensor

    @classmethod
    def of(cls, points: Points) -> Tensors:
        """The same numbers in the same memory."""
        return cls(torch.from_numpy(points.x), torch.from_numpy(points.y))


def build(params: Params, points: Tensors) -> network.Curve:
    """The untrained network, scaled to the points."""
    model = network.Curve(params.hidden_layers, params.units, params.dropout)
    for scale, values in ((model.x_scale, points.x), (model.y_scale, points.y)):
        deviation = values.std(correction=0)
        scale.copy_(torch.stack([values.mean(), deviation.where(deviation > 0, torch.ones(()))]))
    return model


def rmse(model: network.Curve, points: Tensors) -> float:
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
    torch.set_num_threads(1)  # to share out matrices as small as these costs more than to multiply them
    points = Tensors.of(data["train"])
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
    return model, {f"{part}:rmse": rmse(model, Tensors.of(points)) for part, points in data.items()}
