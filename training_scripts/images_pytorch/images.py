"""A channel's images, and their way to the device without letting it wait."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from contract import UserError

IMAGES, LABELS = "images.npy", "labels.npy"
_DIMENSIONS = (3, 4)
_PREFETCHED = 4
_IN_MEMORY_BYTES = 2**30

Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Images(Dataset[Batch]):
    """Images of bytes, of shape (n, h, w, channels), and their classes, of shape (n,)."""

    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: np.ndarray) -> Batch:
        """A whole batch at once: one access for all its images."""
        return torch.from_numpy(self.pixels[chosen]), torch.from_numpy(self.labels[chosen])

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return int(self.pixels.shape[-1])


def read(folder: Path) -> Images:
    """Open `images.npy` (bytes, (n, h, w) or (n, h, w, channels)) and `labels.npy` (whole numbers, (n,)).

    Up to 1 GiB is read at once; more stays on disk and is read as it is needed.

    Raises:
        UserError: a missing, broken or empty file, another type or shape, a negative label.
    """
    pixels, labels = _open(folder / IMAGES), _open(folder / LABELS)
    place = f"{folder.name}/{IMAGES}"
    if pixels.dtype != np.uint8 or pixels.ndim not in _DIMENSIONS:
        raise UserError(
            f"{place}: {pixels.dtype} of shape {pixels.shape}, expected uint8 (n, h, w[, channels])"
        )
    if not len(pixels):
        raise UserError(f"{place} holds no images")
    place = f"{folder.name}/{LABELS}"
    if labels.dtype.kind not in "iu" or labels.shape != pixels.shape[:1]:
        raise UserError(
            f"{place}: {labels.dtype} of shape {labels.shape}, expected a whole number for each of "
            f"{len(pixels)} images"
        )
    if labels.min() < 0:
        raise UserError(f"{place}, row {int(labels.argmin())}: class {labels.min()} is negative")
    return Images(pixels.reshape(*pixels.shape[:3], -1), labels.astype(np.int64))


def _open(path: Path) -> np.ndarray:
    place = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        raise UserError(f"{place} is missing: upload {IMAGES} and {LABELS}")
    if path.stat().st_size == 0:
        raise UserError(f"{place} is empty")
    try:
        small = path.stat().st_size <= _IN_MEMORY_BYTES
        return np.load(path, mmap_mode=None if small else "r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise UserError(f"{place} is no NPY file: {error}") from None


@dataclass(frozen=True)
class Share:
    """Which part of each batch belongs to this process: the `rank`-th of `world`."""

    rank: int = 0
    world: int = 1


class Shuffled(Sampler[np.ndarray]):
    """This process's part of every batch of an epoch: the same order in all processes, another every epoch.

    Only full batches are given, so that all steps weigh the same and a compiled network sees one shape.
    """

    def __init__(self, count: int, batch_size: int, share: Share, seed: int) -> None:
        if batch_size % share.world:
            raise UserError(
                f"batch_size {batch_size} cannot be shared out over {share.world} processes evenly"
            )
        if count < batch_size:
            raise UserError(f"batch_size {batch_size} is more than the {count} images of the training")
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


def loader(
    images: Images, batches: Iterable[np.ndarray], workers: int, device: torch.device
) -> DataLoader[Batch]:
    """Read batches ahead, in processes of their own, into memory that the device can copy from by itself."""
    return DataLoader(
        images,
        batch_size=None,  # `batches` says what belongs together
        sampler=batches,
        num_workers=workers,
        prefetch_factor=_PREFETCHED if workers else None,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
    )


def on_device(batches: Iterable[Batch], device: torch.device) -> Iterator[Batch]:
    """The batches on the device; on a GPU the next one is copied while the present one is worked on."""
    if device.type != "cuda":
        yield from batches
        return
    copying, working = torch.cuda.Stream(device), torch.cuda.current_stream(device)
    present: Batch | None = None
    for pixels, labels in batches:
        with torch.cuda.stream(copying):
            copied = pixels.to(device, non_blocking=True), labels.to(device, non_blocking=True)
        if present is not None:
            yield present
        working.wait_stream(copying)
        for tensor in copied:
            tensor.record_stream(working)  # its memory may not be given away while work on it is under way
        present = copied
    if present is not None:
        yield present


class Waiting:
    """Iterates over batches, and counts the seconds that it had to wait for them."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._batches = batches
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Batch]:
        source = iter(self._batches)
        while True:
            started = time.perf_counter()
            batch = next(source, None)
            self.seconds += time.perf_counter() - started
            if batch is None:
                return
            yield batch
