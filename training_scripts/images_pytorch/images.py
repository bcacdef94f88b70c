"""A channel's images, and which of them each process learns from when; numpy alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import arrays
from contract import UserError

IMAGES, LABELS = "images.npy", "labels.npy"
REMEDY = f"upload {IMAGES} and {LABELS}"
_DIMENSIONS = (3, 4)


@dataclass(frozen=True)
class Images:
    """Images of bytes, of shape (n, h, w, channels), and their classes, of shape (n,)."""

    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return int(self.pixels.shape[-1])


def read(folder: Path) -> Images:
    """Open `images.npy` (bytes, (n, h, w) or (n, h, w, channels)) and `labels.npy` (whole numbers, (n,)).

    Raises:
        UserError: a missing, broken or empty file, another type or shape, a negative label.
    """
    pixels, labels = (arrays.read(folder / name, REMEDY) for name in (IMAGES, LABELS))
    place = f"{folder.name}/{IMAGES}"
    if pixels.dtype != np.uint8 or pixels.ndim not in _DIMENSIONS:
        raise UserError(
            f"{place}: {pixels.dtype} of shape {pixels.shape}, expected uint8 (n, h, w[, channels])"
        )
    place = f"{folder.name}/{LABELS}"
    if labels.dtype.kind not in "iu" or labels.shape != pixels.shape[:1]:
        raise UserError(
            f"{place}: {labels.dtype} of shape {labels.shape}, expected a whole number for each of "
            f"{len(pixels)} images"
        )
    labels = labels.astype(np.int64)
    if labels.min() < 0:
        raise UserError(f"{place}, row {int(labels.argmin())}: class {labels.min()} is negative")
    return Images(pixels.reshape(*pixels.shape[:3], -1), labels)


def check_classes(labels: np.ndarray, place: str) -> None:
    """Raise a UserError where a class has no image: one wrong label would make a network of any size."""
    classes = np.unique(labels)
    numbers = np.arange(len(classes))
    if (classes != numbers).any():
        absent = int((classes != numbers).argmax())
        row = int((labels > absent).argmax())
        raise UserError(
            f"{place}/{LABELS}, row {row}: class {labels[row]}, but no image is of class {absent}: "
            "number the classes 0, 1, 2 … without a gap"
        )


@dataclass(frozen=True)
class Share:
    """Which part of each batch belongs to this process: the `rank`-th of `world`."""

    rank: int = 0
    world: int = 1

    @classmethod
    def of_this_process(cls) -> Share:
        """As torchrun has numbered its processes; a process alone has all."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


class Shuffled:
    """This process's part of every batch of an epoch: the same order in all processes, another every epoch.

    Only full batches are given, so that all steps weigh the same and a compiled network sees one shape;
    `batch_size` is a multiple of the number of processes.
    """

    def __init__(self, count: int, batch_size: int, share: Share, seed: int) -> None:
        self._count, self._batch_size, self._share, self._seed = count, batch_size, share, seed
        self.epoch = 0

    def __len__(self) -> int:
        return self._count // self._batch_size

    def __iter__(self) -> Iterator[np.ndarray]:
        order = np.random.default_rng([self._seed, self.epoch]).permutation(self._count)
        for batch in order[: len(self) * self._batch_size].reshape(len(self), -1):
            yield batch[self._share.rank :: self._share.world]


def in_turn(count: int, batch_size: int, share: Share) -> list[np.ndarray]:
    """All images once, over all processes, in batches."""
    own = np.arange(share.rank, count, share.world)
    return [own[start : start + batch_size] for start in range(0, len(own), batch_size)]
