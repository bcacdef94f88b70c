"""The network that train.py fits and inference.py serves."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

FILE = "model.pt"


class Curve(nn.Module):
    """y of x, both in their own units: the scaling is part of the model."""

    def __init__(self, hidden_layers: int, units: int, dropout: float) -> None:
        super().__init__()
        self.shape = {"hidden_layers": hidden_layers, "units": units, "dropout": dropout}
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([1, *[units] * hidden_layers]):
            layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(units, 1))
        # Mean and deviation of x and y in the training points.
        self.register_buffer("x_scale", torch.tensor([0.0, 1.0]))
        self.register_buffer("y_scale", torch.tensor([0.0, 1.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Points of shape (n, 1) to values of shape (n,)."""
        scaled = self.layers((x - self.x_scale[0]) / self.x_scale[1])
        return scaled.squeeze(-1) * self.y_scale[1] + self.y_scale[0]


def save(model: Curve, folder: Path) -> None:
    """Write the weights, and the shape of the network that they belong to."""
    with (folder / FILE).open("wb") as file:  # torch's own file hides why it cannot write
        torch.save({"shape": model.shape, "weights": model.state_dict()}, file)


def load(folder: Path) -> Curve:
    """The saved network, ready to predict; nothing in the file is run."""
    saved: dict[str, Any] = torch.load(folder / FILE, map_location="cpu", weights_only=True)
    model = Curve(**saved["shape"])
    model.load_state_dict(saved["weights"])
    return model.eval()
