"""Classify texts with MXNet, whose last image AWS made for 1.9: a template for whoever still has to.

The channels `train` and `validation` hold CSV files `label,text` without a header. By hand:

    python example.py data && python train.py
"""

from __future__ import annotations

from dataclasses import dataclass

import contract
import labelled


@dataclass(frozen=True)
class Params:
    """The hyperparameters, as hyperparameters.json declares them."""

    epochs: int
    batch_size: int
    learning_rate: float
    buckets: int
    seed: int


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: labelled.read(contract.channel(part)) for part in ("train", "validation")}
    labels = labelled.labels(data["train"], data["validation"])
    sizes = ", ".join(f"{part}: {len(examples)} texts" for part, examples in data.items())
    print(f"{sizes} of {len(labels)} labels; {params}", flush=True)
    # Here, so that where there is no MXNet the reason becomes the line in output/failure.
    import network  # noqa: PLC0415

    classifier = network.train(params, data, labels, contract.report)
    with contract.saving() as folder:
        classifier.save(folder)


if __name__ == "__main__":
    contract.run(main)
