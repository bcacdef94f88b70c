"""The way of images to the device, without letting it wait."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from images import Images

_PREFETCHED = 4

Batch = tuple[torch.Tensor, torch.Tensor]


class _Batches(Dataset[Batch]):
    """Images, a batch at once: one access for all of it."""

    def __init__(self, images: Images) -> None:
        self._images = images

    def __getitem__(self, chosen: np.ndarray) -> Batch:
        return torch.from_numpy(self._images.pixels[chosen]), torch.from_numpy(self._images.labels[chosen])


def loader(
    images: Images, batches: Iterable[np.ndarray], workers: int, device: torch.device
) -> DataLoader[Batch]:
    """Read batches ahead, in processes of their own, into memory that the device can copy from by itself."""
    return DataLoader(
        _Batches(images),
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
