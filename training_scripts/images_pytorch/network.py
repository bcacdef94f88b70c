"""The network that train.py fits and inference.py serves: a small residual network for images of any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

FILE = "model.pt"
_GROUPS = 8


class Block(nn.Module):
    """Two convolutions beside a shortcut; halves height and width.

    Groups are normalised rather than batches: that does not depend on how many processes share a batch.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
            nn.GroupNorm(_GROUPS, outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.GroupNorm(_GROUPS, outputs),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, inputs, h, w) to (n, outputs, h/2, w/2), rounded up."""
        return nn.functional.relu(self.body(images) + self.shortcut(images))


class Classifier(nn.Module):
    """The class of an image of bytes."""

    def __init__(self, channels: int, classes: int, width: int) -> None:
        super().__init__()
        self.shape = {"channels": channels, "classes": classes, "width": width}
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.GroupNorm(_GROUPS, width),
            nn.ReLU(inplace=True),
            Block(width, 2 * width),
            Block(2 * width, 4 * width),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4 * width, classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Bytes of shape (n, h, w, channels) to logits of shape (n, classes).

        Images arrive as bytes, a quarter of what floats would take on the way to the device. Their order in
        memory, channels last, is the one that convolutions on a GPU like best.
        """
        pixels = images.permute(0, 3, 1, 2).float().div(255.0)
        return self.layers(pixels.contiguous(memory_format=torch.channels_last))


def save(model: Classifier, folder: Path) -> None:
    """Write the weights, and the shape of the network that they belong to."""
    with (folder / FILE).open("wb") as file:  # torch's own file hides why it cannot write
        torch.save({"shape": model.shape, "weights": model.state_dict()}, file)


def load(folder: Path, device: torch.device) -> Classifier:
    """The saved network, ready to predict; nothing in the file is run."""
    saved: dict[str, Any] = torch.load(folder / FILE, map_location=device, weights_only=True)
    model = Classifier(**saved["shape"]).to(device)
    model.load_state_dict(saved["weights"])
    return model.eval()
