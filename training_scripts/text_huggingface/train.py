"""Fine-tune a transformer to classify texts.

The channels `train` and `validation` hold CSV files `label,text` without a header; any word is a label. The
channel `model` holds what the training starts from, as Hugging Face keeps it: config.json, the tokenizer's
files and model.safetensors. Without weights the network of config.json starts from random numbers. By hand:

    python example.py data && python train.py --learning_rate 0.001
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import contract
import labelled

TOKENIZER = ("tokenizer*", "vocab*", "*.model")
"""Of the files of whatever tokenizer there is at least one that is named so."""


@dataclass(frozen=True)
class Params:
    """The hyperparameters, as hyperparameters.json declares them."""

    epochs: int
    batch_size: int
    learning_rate: float
    length: int
    precision: str
    seed: int


def check_start(folder: Path) -> None:
    """Refuse what no training can start from, before the framework is there to look at it closely.

    Raises:
        UserError: no configuration or one that is no JSON, no tokenizer, weights that are pickled.
    """
    config = folder / "config.json"
    if not config.is_file():
        raise contract.UserError(f"{folder.name}/{config.name} is missing: upload a pretrained model's files")
    try:
        json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise contract.UserError(f"{folder.name}/{config.name} is no JSON: {error}") from None
    if not any(path for pattern in TOKENIZER for path in folder.glob(pattern)):
        raise contract.UserError(
            f"{folder.name} holds no tokenizer: upload its files (tokenizer.json, or vocab.txt and the like)"
        )
    pickled = sorted(folder.glob("*.bin"))
    if pickled and not any(folder.glob("model.safetensors*")):
        raise contract.UserError(
            f"{folder.name}/{pickled[0].name} is pickled: convert it to model.safetensors"
        )


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: labelled.read(contract.channel(part)) for part in ("train", "validation")}
    labels = labelled.labels(data["train"], data["validation"])
    sizes = ", ".join(f"{part}: {len(examples)} texts" for part, examples in data.items())
    print(f"{sizes} of {len(labels)} labels; {params}", flush=True)
    start = contract.channel("model")
    check_start(start)
    # PyTorch takes seconds to load, if it can be: what is wrong up to here is told at once.
    import fitting  # noqa: PLC0415

    contract.seed(params.seed)
    classifier = fitting.load(start, labels, params.length)
    fitting.train(classifier, params, data, contract.report)
    with contract.saving() as folder:
        classifier.network.save_pretrained(folder)
        classifier.tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    contract.run(main)
