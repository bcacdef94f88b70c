"""Fine-tune a transformer to classify texts.

The channels `train` and `validation` hold CSV files `label,text` without a header; any word is a label. The
channel `model` holds what the training starts from, as Hugging Face keeps it: config.json, the tokenizer's
files and model.safetensors. Without weights the network of config.json starts from random numbers. By hand:

    python example.py data && python train.py --learning_rate 0.001
"""

from __future__ import annotations

import os

# Nothing is fetched, whatever a configuration names: weights come by the channel. Read when transformers is.
os.environ["HF_HUB_OFFLINE"] = "1"

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors
import torch
import transformers
from torch import nn

import contract
import labelled
import text

WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
WARM_UP = 0.1
"""The share of the steps in which the learning rate rises."""


@dataclass(frozen=True)
class Params:
    """The hyperparameters, as hyperparameters.json declares them."""

    epochs: int
    batch_size: int
    learning_rate: float
    length: int
    precision: str
    seed: int


@dataclass(frozen=True)
class Classifier:
    """A network, and the tokenizer that it reads through."""

    network: transformers.PreTrainedModel
    tokenizer: transformers.PreTrainedTokenizerBase

    def scores(self, examples: Sequence[labelled.Example]) -> torch.Tensor:
        """The network's scores of shape (examples, labels)."""
        texts = [one.text for one in examples]
        # Padded to the longest of these texts, not of all.
        inputs = self.tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
        return self.network(**inputs.to(self.network.device)).logits.float()

    def targets(self, examples: Sequence[labelled.Example]) -> torch.Tensor:
        """The labels' numbers, of shape (examples,)."""
        numbers = self.network.config.label2id
        return torch.tensor([numbers[one.label] for one in examples], device=self.network.device)


def load(folder: Path, labels: Sequence[str], length: int) -> Classifier:
    """What the channel `model` holds, with a new last layer for these labels.

    Raises:
        UserError: a missing or unreadable file, weights that are pickled, code that would have to be run.
    """
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}
    automatic = transformers.AutoModelForSequenceClassification
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, **names)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if any((folder / name).is_file() for name in WEIGHTS):
            network = automatic.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                use_safetensors=True,  # the other form is a pickle, which could run anything
                ignore_mismatched_sizes=True,  # the last layer may be for other labels
            )
        elif pickled := sorted(folder.glob("*.bin")):
            raise contract.UserError(f"model/{pickled[0].name} is pickled: convert it to model.safetensors")
        else:
            print("the channel 'model' has no weights: the network starts from random numbers", flush=True)
            network = automatic.from_config(config)
    except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise contract.UserError(f"channel 'model' is no model that can be loaded: {reason}") from error
    # Saved with the tokenizer: what is served cuts texts as the training did.
    tokenizer.model_max_length = min(
        length, tokenizer.model_max_length, getattr(config, "max_position_embeddings", length)
    )
    return Classifier(network, tokenizer)


def evaluate(
    classifier: Classifier, examples: Sequence[labelled.Example], batch_size: int
) -> dict[str, float]:
    """The share of examples whose label is found, and the mean loss."""
    classifier.network.eval()
    right, loss = 0, 0.0
    with torch.no_grad():
        for some in text.batches(examples, batch_size):
            scores, truth = classifier.scores(some), classifier.targets(some)
            right += int((scores.argmax(-1) == truth).sum())
            loss += float(nn.functional.cross_entropy(scores, truth, reduction="sum"))
    return {"accuracy": right / len(examples), "loss": loss / len(examples)}


def _shuffled(examples: Sequence[labelled.Example], size: int) -> Iterator[list[labelled.Example]]:
    for chosen in torch.randperm(len(examples)).split(size):
        yield [examples[number] for number in chosen.tolist()]


def train(
    classifier: Classifier,
    params: Params,
    data: dict[str, list[labelled.Example]],
    report: Callable[[str, float], None],
) -> None:
    """Train on `data["train"]`; `report` gets the figures of each epoch."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = classifier.network.to(device)
    steps = params.epochs * -(-len(data["train"]) // params.batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), lr=params.learning_rate)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, round(WARM_UP * steps), steps)
    low = torch.autocast(device.type, torch.bfloat16, enabled=params.precision == "bfloat16")
    for epoch in range(1, params.epochs + 1):
        network.train()
        total = 0.0
        for some in _shuffled(data["train"], params.batch_size):
            with low:
                scores = classifier.scores(some)
            loss = nn.functional.cross_entropy(scores, classifier.targets(some))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(some)
        print(f"epoch {epoch} of {params.epochs}", flush=True)
        report("train:loss", total / len(data["train"]))
        for name, value in evaluate(classifier, data["validation"], params.batch_size).items():
            report(f"validation:{name}", value)


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    data = {part: labelled.read(contract.channel(part)) for part in ("train", "validation")}
    labels = labelled.labels(data["train"], data["validation"])
    sizes = ", ".join(f"{part}: {len(examples)} texts" for part, examples in data.items())
    print(f"{sizes} of {len(labels)} labels; {params}", flush=True)
    contract.seed(params.seed)
    transformers.utils.logging.disable_progress_bar()  # a log is read line by line
    classifier = load(contract.channel("model"), labels, params.length)
    train(classifier, params, data, contract.report)
    with contract.saving() as folder:
        classifier.network.save_pretrained(folder)
        classifier.tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    contract.run(main)
