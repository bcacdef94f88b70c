"""A linear classifier of texts in MXNet: words and pairs of neighbouring words, hashed to columns.

This file, like the others of the folder, runs on Python 3.8, which the last MXNet image has.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import contract
import labelled
import text

if TYPE_CHECKING:
    from train import Params

try:
    import mxnet
except (ImportError, AttributeError) as error:  # with numpy 1.24 or newer the import itself fails
    raise contract.PlatformError(
        f"MXNet cannot be loaded ({error}): its last version, 1.9.1, needs Python 3.8 to 3.11 and "
        "numpy below 1.24; it is over, move to pytorch"
    ) from error

PARAMETERS, DESCRIPTION = "network.params", "network.json"


class Classifier:
    """The network with what it needs to read a text: its labels, and how many columns there are."""

    def __init__(self, labels: Sequence[str], buckets: int) -> None:
        """Build the network; its numbers are still to be set."""
        self.labels, self.buckets = list(labels), buckets
        self.network = mxnet.gluon.nn.Dense(len(labels), in_units=buckets)

    def features(self, texts: Sequence[str]) -> Any:
        """An array of shape (texts, buckets): how often words and pairs of them come."""
        rows = mxnet.nd.array([columns(one, self.buckets) for one in texts])
        return mxnet.nd.log1p(rows)

    def scores(self, texts: Sequence[str]) -> Any:
        """An array of shape (texts, labels), the chances of each label."""
        return self.network(self.features(texts)).softmax()

    def save(self, folder: Path) -> None:
        """Write it to a folder."""
        self.network.save_parameters(str(folder / PARAMETERS))
        description = {"labels": self.labels, "buckets": self.buckets}
        (folder / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Classifier:
        """Read it from a folder."""
        found = cls(**json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")))
        found.network.load_parameters(str(folder / PARAMETERS))
        return found


def columns(content: str, buckets: int) -> list[float]:
    """How often each column's words and pairs come in a text."""
    counts = [0.0] * buckets
    words = text.words(content)
    pairs = map(" ".join, zip(words, words[1:]))  # noqa: B905, RUF007 -- so that it runs on Python 3.8
    for item in [*words, *pairs]:
        counts[zlib.crc32(item.encode()) % buckets] += 1
    return counts


def train(
    params: Params,
    data: dict[str, list[labelled.Example]],
    labels: Sequence[str],
    report: Callable[[str, float], None],
) -> Classifier:
    """Train on `data["train"]`; `report` gets the figures of each epoch."""
    mxnet.random.seed(params.seed)
    classifier = Classifier(labels, params.buckets)
    classifier.network.initialize(mxnet.init.Xavier())
    rate = {"learning_rate": params.learning_rate}
    trainer = mxnet.gluon.Trainer(classifier.network.collect_params(), "adam", rate)
    loss_of = mxnet.gluon.loss.SoftmaxCrossEntropyLoss()
    order = random.Random(params.seed)  # noqa: S311 -- an order, no secret
    for epoch in range(1, params.epochs + 1):
        total = 0.0
        shuffled = order.sample(data["train"], len(data["train"]))
        for some in text.batches(shuffled, params.batch_size):
            targets = mxnet.nd.array([classifier.labels.index(one.label) for one in some])
            features = classifier.features([one.text for one in some])
            with mxnet.autograd.record():
                loss = loss_of(classifier.network(features), targets)
            loss.backward()
            trainer.step(len(some))
            total += float(loss.sum().asscalar())
        print(f"epoch {epoch} of {params.epochs}", flush=True)
        report("train:loss", total / len(shuffled))
        report("validation:accuracy", accuracy(classifier, data["validation"], params.batch_size))
    return classifier


def accuracy(classifier: Classifier, examples: Sequence[labelled.Example], batch_size: int) -> float:
    """The share of examples whose label is found."""
    right = 0
    for some in text.batches(examples, batch_size):
        best = classifier.scores([one.text for one in some]).argmax(axis=1).asnumpy()
        right += sum(classifier.labels[int(n)] == one.label for n, one in zip(best, some))  # noqa: B905 -- 3.8
    return right / len(examples)
