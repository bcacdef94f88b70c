"""Classify images in PyTorch on CPUs or GPUs, in one process or several, and report accuracy and speed.

Each channel holds `images.npy` (bytes, (n, h, w) or (n, h, w, channels)) and `labels.npy`. By hand:

    python example.py data && python train.py
    torchrun --nproc-per-node 2 train.py --epochs 5     # also on GPUs: one process each
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import contract
import images
from contract import UserError
from images import Images, Share


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


def checked(params: Params, data: dict[str, Images], world: int) -> None:
    """Raise a UserError where hyperparameters, channels and the number of processes do not go together."""
    train, validation = data["train"], data["validation"]
    if params.width % 8:
        raise UserError(f"hyperparameter width: {params.width} is no multiple of 8")
    batch = f"hyperparameter batch_size: {params.batch_size}"
    if params.batch_size % world:
        raise UserError(f"{batch} cannot be shared out over {world} processes evenly")
    if params.batch_size > len(train):
        raise UserError(f"{batch} is more than the {len(train)} images of the training")
    if train.pixels.shape[1:] != validation.pixels.shape[1:]:
        raise UserError(
            f"validation/{images.IMAGES}: images of {validation.pixels.shape[1:]}, "
            f"those of the training have {train.pixels.shape[1:]}"
        )
    images.check_classes(train.labels, "train")
    if validation.labels.max() > train.labels.max():
        raise UserError(
            f"validation/{images.LABELS}, row {int(validation.labels.argmax())}: class "
            f"{validation.labels.max()} does not occur in the training, which has 0 to {train.labels.max()}"
        )


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: images.read(contract.channel(part)) for part in ("train", "validation")}
    share = Share.of_this_process()
    checked(params, data, share.world)
    # PyTorch takes seconds to load, if it can be: what is wrong up to here is told at once.
    import fitting  # noqa: PLC0415
    import network  # noqa: PLC0415

    contract.seed(params.seed)
    with fitting.placed(share) as place:
        params = replace(params, precision=fitting.precision_on(place.device, params.precision))
        if place.first:
            sizes = ", ".join(f"{part}: {part_images.pixels.shape}" for part, part_images in data.items())
            print(f"{sizes}; {place.share.world} x {place.device.type}; {params}", flush=True)
        training = fitting.Training(params, data["train"], place)
        fitting.train(training, data, contract.checkpoint_dir())
        if place.first:
            # AWS's newest image for serving has an older PyTorch, which reads the weights too.
            with contract.saving(serving_requirements=None) as folder:
                network.save(training.model, folder)


if __name__ == "__main__":
    contract.run(main)
