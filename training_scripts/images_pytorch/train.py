"""Classify images in PyTorch on CPUs or GPUs, in one process or several, and report accuracy and speed.

Each channel holds `images.npy` (bytes, (n, h, w) or (n, h, w, channels)) and `labels.npy`. By hand:

    python example.py data && python train.py
    torchrun --nproc-per-node 2 train.py --epochs 5     # also on GPUs: one process each
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

import checkpoints
import contract
import images
import network
from contract import UserError
from images import Images, Share

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
VALIDATION_BATCH = 1024
WEIGHT_DECAY = 0.01


@dataclass(frozen=True)
class Params:
    """The hyperparameters, as hyperparameters.json declares them."""

    epochs: int
    batch_size: int
    learning_rate: float
    width: int
    precision: str
    compile: bool
    workers: int
    seed: int


@dataclass(frozen=True)
class Place:
    """Where this process trains: its device, and its share of the work."""

    device: torch.device
    share: Share

    @property
    def first(self) -> bool:
        """Whether this is the process that reports and saves."""
        return self.share.rank == 0

    def total(self, *values: torch.Tensor | float) -> list[float]:
        """The sums of values over all processes; waits for them."""
        tensor = torch.stack(
            [torch.as_tensor(value, dtype=torch.float64, device=self.device) for value in values]
        )
        if self.share.world > 1:
            distributed.all_reduce(tensor)
        return tensor.tolist()


@contextmanager
def placed() -> Iterator[Place]:
    """Join the processes that torchrun has started; a process alone is its own."""
    device = (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if torch.cuda.is_available() else None
    )
    if device is not None:
        torch.cuda.set_device(device)
    share = Share(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
    if share.world > 1:
        distributed.init_process_group("gloo" if device is None else "nccl")
    try:
        yield Place(device or torch.device("cpu"), share)
    finally:
        if share.world > 1:
            distributed.destroy_process_group()


class Training:
    """A network in training: all that an epoch changes."""

    def __init__(self, params: Params, data: Images, place: Place) -> None:
        """Begin.

        Raises:
            UserError: hyperparameters that do not go with the data or the machine.
        """
        self.params, self.place, self.epoch = params, place, 0
        self.batches = images.Shuffled(len(data), params.batch_size, place.share, params.seed)
        self._loader = images.loader(data, self.batches, params.workers, place.device)
        classes = int(data.labels.max()) + 1
        self.model = network.Classifier(data.channels, classes, params.width)
        self.model.to(place.device, memory_format=torch.channels_last)
        self._steps = self._wrapped()
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=params.learning_rate,
            weight_decay=WEIGHT_DECAY,
            fused=place.device.type == "cuda",
        )
        # Only fp16 has so small a range that gradients need to be scaled.
        self._scaler = torch.amp.GradScaler(place.device.type, enabled=params.precision == "fp16")

    def _wrapped(self) -> nn.Module:
        """The network as steps use it; the weights are those of `self.model`."""
        wrapped: nn.Module = self.model
        if self.place.share.world > 1:
            wrapped = DistributedDataParallel(wrapped)
        return torch.compile(wrapped) if self.params.compile else wrapped

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "params": asdict(self.params),
            "shape": self.model.shape,
            "epoch": self.epoch,
            "weights": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint; UserError where it belongs to another network."""
        if state["shape"] != self.model.shape:
            raise UserError(
                f"the checkpoint is of a network with {state['shape']}, this run has {self.model.shape}: "
                "remove the checkpoints to start from the beginning"
            )
        self.model.load_state_dict(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
        if state["scaler"]:  # empty where the run before trained in another precision
            self._scaler.load_state_dict(state["scaler"])
        self.epoch = state["epoch"]

    def run_epoch(self) -> dict[str, float]:
        """Train for an epoch: mean loss, images a second, the share of the time spent waiting for them."""
        self._steps.train()
        self.batches.epoch = self.epoch
        loss_sum = torch.zeros((), dtype=torch.float64, device=self.place.device)
        started = time.perf_counter()
        waiting = images.Waiting(self._loader)
        for step, (pixels, labels) in enumerate(images.on_device(waiting, self.place.device)):
            # The loss stays on the device: to look at it would let the device wait for this process.
            loss_sum += self._step(pixels, labels, self.epoch * len(self.batches) + step)
        self.epoch += 1
        total, waited = self.place.total(loss_sum, waiting.seconds)
        seconds = time.perf_counter() - started
        steps, world = len(self.batches), self.place.share.world
        return {
            "train:loss": total / steps / world,
            "train:samples_per_second": steps * self.params.batch_size / seconds,
            "train:data_wait": waited / world / seconds,
        }

    def _step(self, pixels: torch.Tensor, labels: torch.Tensor, number: int) -> torch.Tensor:
        part = number / (self.params.epochs * len(self.batches))
        for group in self._optimizer.param_groups:
            group["lr"] = self.params.learning_rate * 0.5 * (1 + math.cos(math.pi * part))
        with self._arithmetic():
            loss = nn.functional.cross_entropy(self._steps(pixels), labels)
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return loss.detach()

    def _arithmetic(self) -> torch.autocast:
        kind = TYPES[self.params.precision]
        return torch.autocast(self.place.device.type, kind, enabled=kind is not torch.float32)

    @torch.no_grad()
    def accuracy(self, data: Images) -> float:
        """The share of images whose class is recognised, over all processes."""
        self.model.eval()
        own = images.in_turn(len(data), VALIDATION_BATCH, self.place.share)
        right = torch.zeros((), dtype=torch.float64, device=self.place.device)
        batches = images.loader(data, own, 0, self.place.device)
        for pixels, labels in images.on_device(batches, self.place.device):
            with self._arithmetic():
                right += (self.model(pixels).argmax(1) == labels).sum()
        return self.place.total(right)[0] / len(data)


def precision_on(device: torch.device, wanted: str) -> str:
    """The precision to compute in; UserError where the device does not have what is wanted."""
    if device.type != "cuda":
        return "fp32" if wanted == "auto" else wanted
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    if wanted == "bf16" and not has_bf16:
        name = torch.cuda.get_device_name(device)
        raise UserError(f"hyperparameter precision: {name} has no bf16; choose fp16 or auto")
    return ("bf16" if has_bf16 else "fp16") if wanted == "auto" else wanted


def checked(data: dict[str, Images], width: int) -> None:
    """Raise a UserError where the channels do not go together, or the width not with the network."""
    if width % 8:
        raise UserError(f"hyperparameter width: {width} is no multiple of 8")
    train, validation = data["train"], data["validation"]
    if train.pixels.shape[1:] != validation.pixels.shape[1:]:
        raise UserError(
            f"validation/{images.IMAGES}: images of {validation.pixels.shape[1:]}, "
            f"those of the training have {train.pixels.shape[1:]}"
        )
    if validation.labels.max() > train.labels.max():
        raise UserError(
            f"validation/{images.LABELS}, row {int(validation.labels.argmax())}: class "
            f"{validation.labels.max()} does not occur in the training, which has 0 to {train.labels.max()}"
        )


def resume(training: Training, folder: Path) -> None:
    """Go on from the newest whole checkpoint; the first process reads it for all."""
    place = training.place
    found = [checkpoints.read_newest(folder) if place.first else None]
    if place.share.world > 1:
        distributed.broadcast_object_list(found)
    if found[0] is not None:
        training.resume(found[0])
        if place.first:
            print(f"going on from the checkpoint after epoch {training.epoch}", flush=True)


def train(training: Training, data: dict[str, Images], folder: Path) -> None:
    """Train to the last epoch, with a checkpoint in `folder` after each, and report on the way."""
    place = training.place
    resume(training, folder)
    while training.epoch < training.params.epochs:
        metrics = training.run_epoch()
        if place.first:
            for name, value in metrics.items():
                contract.report(name, value)
            checkpoints.write(folder, training.epoch, training.state())
        accuracy = training.accuracy(data["validation"])
        if place.first:
            contract.report("validation:accuracy", accuracy)


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: images.read(contract.channel(part)) for part in ("train", "validation")}
    checked(data, params.width)
    contract.seed(params.seed)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    with placed() as place:
        params = replace(params, precision=precision_on(place.device, params.precision))
        if place.first:
            sizes = ", ".join(f"{part}: {part_images.pixels.shape}" for part, part_images in data.items())
            print(f"{sizes}; {place.share.world} x {place.device.type}; {params}", flush=True)
        training = Training(params, data["train"], place)
        train(training, data, contract.checkpoint_dir())
        if place.first:
            # AWS's newest image for serving has an older PyTorch, which reads the weights too.
            with contract.saving(serving_requirements=None) as folder:
                network.save(training.model, folder)


if __name__ == "__main__":
    contract.run(main)
