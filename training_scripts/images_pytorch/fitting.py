"""The training of the classifier: where it runs, its steps, and its going on from a checkpoint."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

import checkpoints
import contract
import feeding
import images
import network
from contract import UserError
from images import Images, Share

if TYPE_CHECKING:
    from train import Params

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
VALIDATION_BATCH = 1024
WEIGHT_DECAY = 0.01
MAY_CHANGE = ("epochs", "precision", "compile", "workers")
"""The hyperparameters that may differ between the run that stopped and the one that goes on."""


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
def placed(share: Share) -> Iterator[Place]:
    """Join the processes that torchrun has started; a process alone is its own."""
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    device = (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if torch.cuda.is_available() else None
    )
    if device is not None:
        torch.cuda.set_device(device)
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
        self.params, self.place, self.epoch = params, place, 0
        self.batches = images.Shuffled(len(data), params.batch_size, place.share, params.seed)
        self._loader = feeding.loader(data, self.batches, params.workers, place.device)
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
        """Go on from a checkpoint; UserError where it belongs to another network or hyperparameters."""
        contract.check_resumable(state["epoch"], state["params"], asdict(self.params), free=MAY_CHANGE)
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
        waiting = feeding.Waiting(self._loader)
        for step, (pixels, labels) in enumerate(feeding.on_device(waiting, self.place.device)):
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
        batches = feeding.loader(data, own, 0, self.place.device)
        for pixels, labels in feeding.on_device(batches, self.place.device):
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


def resume(training: Training, folder: Path) -> None:
    """Go on from the newest whole checkpoint; the first process reads it for all."""
    place = training.place
    found = [checkpoints.read_newest(folder) if place.first else None]
    if place.share.world > 1:
        distributed.broadcast_object_list(found)
    if found[0] is not None:
        with checkpoints.of_this_version(folder):
            training.resume(found[0])
        if place.first:
            print(f"going on from the checkpoint after epoch {training.epoch}", flush=True)


def train(training: Training, data: dict[str, Images], folder: Path) -> None:
    """Train to the last epoch, with a checkpoint in `folder` after each, and report on the way."""
    place = training.place
    resume(training, folder)
    if training.epoch >= training.params.epochs:
        # All was learned before the run was stopped; its metrics went with its log.
        report_accuracy(training, data["validation"])
    while training.epoch < training.params.epochs:
        metrics = training.run_epoch()
        if place.first:
            for name, value in metrics.items():
                contract.report(name, value)
            checkpoints.write(folder, training.epoch, training.state())
        report_accuracy(training, data["validation"])


def report_accuracy(training: Training, validation: Images) -> None:
    """Measure in all processes, report in the first."""
    accuracy = training.accuracy(validation)
    if training.place.first:
        contract.report("validation:accuracy", accuracy)
