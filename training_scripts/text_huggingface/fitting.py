"""Loading a transformer from the channel, and fine-tuning it."""

from __future__ import annotations

import os

# Nothing is fetched, whatever a configuration names: weights come by the channel. Read when transformers is.
os.environ["HF_HUB_OFFLINE"] = "1"

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers
from torch import nn

import contract
import labelled
import text

if TYPE_CHECKING:
    from train import Params

transformers.utils.logging.disable_progress_bar()  # a log is read line by line

WEIGHTS = "model.safetensors*"
"""In one file, or in several with an index."""
NAMED = 3
"""So many weights of a network are named where they do not fit."""
WARM_UP = 0.1
"""The share of the steps in which the learning rate rises."""


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
        UserError: a missing or unreadable file, code that would have to be run, files of different models.
    """
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}
    automatic = transformers.AutoModelForSequenceClassification
    report: dict[str, Any] = {}
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, **names)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if any(folder.glob(WEIGHTS)):
            network, report = automatic.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                use_safetensors=True,  # the other form is a pickle, which could run anything
                ignore_mismatched_sizes=True,  # the last layer may be for other labels
                output_loading_info=True,
            )
        else:
            print("the channel 'model' has no weights: the network starts from random numbers", flush=True)
            network = automatic.from_config(config)
    except Exception as error:  # Transformers raises many kinds: whatever it is, the files are of no use
        if isinstance(contract.classify(error), contract.PlatformError):
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise contract.UserError(f"channel 'model' is no model that can be loaded: {reason}") from error
    _check_tokenizer(tokenizer, config)
    _check_weights(folder, network, report)
    # Saved with the tokenizer: what is served cuts texts as the training did.
    tokenizer.model_max_length = min(
        length, tokenizer.model_max_length, getattr(config, "max_position_embeddings", length)
    )
    return Classifier(network, tokenizer)


def _check_tokenizer(
    tokenizer: transformers.PreTrainedTokenizerBase, config: transformers.PretrainedConfig
) -> None:
    vocabulary = tokenizer.get_vocab()
    # Without its files a tokenizer is made all the same, which knows nothing but marks such as [UNK].
    if not set(vocabulary) - set(tokenizer.get_added_vocab()):
        raise contract.UserError(
            f"channel 'model': the tokenizer knows no words, only {len(vocabulary)} special tokens: "
            "upload its files (tokenizer.json, or vocab.txt and the like)"
        )
    rows, highest = getattr(config, "vocab_size", None), max(vocabulary.values())
    if rows is not None and highest >= rows:
        raise contract.UserError(
            f"channel 'model': the tokenizer numbers its tokens up to {highest}, but vocab_size in "
            f"model/config.json allows up to {rows - 1}: upload tokenizer and config.json of one model"
        )


def _check_weights(folder: Path, network: transformers.PreTrainedModel, report: dict[str, Any]) -> None:
    """Refuse a file without the network's weights; those on top of it may be new, for other labels."""
    absent = [*report.get("missing_keys", ()), *(key for key, *_ in report.get("mismatched_keys", ()))]
    body = f"{network.base_model_prefix}."
    wrong = sorted(key for key in absent if key.startswith(body) and ".pooler." not in key)
    if wrong:
        file = min(folder.glob(WEIGHTS)).name
        raise contract.UserError(
            f"model/{file} is of another network than config.json: {len(wrong)} weights are missing in it "
            f"or of another shape ({', '.join(wrong[:NAMED])}{', …' * (len(wrong) > NAMED)}): "
            "upload both files of one model"
        )


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
