"""Train a convolutional network to tell praise from blame in film reviews.

The channels `train` and `test` hold what prepare.py writes: x_<channel>.npy, a review a row, and
y_<channel>.npy; `train` holds vocabulary.txt as well. The model is a SavedModel in `1/`; beside it lie the
history of the training and the vocabulary, by which inference.py reads text. A run that was stopped goes on
after its last whole epoch. By hand:

    python example.py data && python prepare.py && python train.py
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import arrays
import contract
import encoding
import text

VERSION = "1"
HISTORY = "history.json"
VOCABULARY = "vocabulary.txt"
REMEDY = "the job's prepare.py writes it"


@dataclass(frozen=True)
class Params:
    """The hyperparameters, as hyperparameters.json declares them."""

    epochs: int
    batch_size: int
    learning_rate: float
    dropout: float
    vocabulary: int
    length: int
    embedding: int
    filters: int
    kernel: int
    dense: int
    precision: str
    seed: int


@dataclass(frozen=True)
class Reviews:
    """Reviews: `x` of shape (n, length) with the numbers of words, `y` of shape (n,), 1 for praise."""

    x: np.ndarray
    y: np.ndarray


def read_reviews(folder: Path, name: str, params: Params) -> Reviews:
    """Read a channel.

    Raises:
        UserError: a missing or damaged file, another length, a number outside the vocabulary, a wrong label.
    """
    x, y = (arrays.read(folder / f"{axis}_{name}.npy", REMEDY) for axis in "xy")
    if x.shape[1:] != (params.length,) or not np.issubdtype(x.dtype, np.integer):
        raise contract.UserError(
            f"{name}/x_{name}.npy is {x.dtype} of shape {x.shape}, expected integers of shape "
            f"(n, {params.length}): give preparation and training the same length"
        )
    if y.shape != x.shape[:1]:
        raise contract.UserError(
            f"{name}/y_{name}.npy is of shape {y.shape}, expected a label for each of {len(x)} reviews"
        )
    if not 0 <= x.min() <= x.max() < params.vocabulary:
        row = arrays.first((x < 0) | (x >= params.vocabulary))
        raise contract.UserError(
            f"{name}/x_{name}.npy, row {row}: the words have numbers from {x[row].min()} to {x[row].max()}, "
            f"expected 0 to {params.vocabulary - 1}: give preparation and training the same vocabulary"
        )
    if not (known := np.isin(y, (0, 1))).all():
        row = arrays.first(~known)
        raise contract.UserError(f"{name}/y_{name}.npy, row {row}: label {y[row]} is neither 0 nor 1")
    return Reviews(x=x.astype(np.int32), y=y.astype(np.float32))


def read_vocabulary(path: Path) -> list[str]:
    """The words that the numbers stand for, without which no text could be sent to the model.

    Raises:
        UserError: no such file, or one that is not UTF-8.
    """
    if not path.is_file():
        raise contract.UserError(f"{path.parent.name}/{path.name} is missing: {REMEDY}")
    return text.read(path).split("\n")[:-1]


def main() -> None:
    """Run as SageMaker runs it."""
    params = Params(**vars(contract.parameters(__file__)))
    if params.kernel > params.length:
        raise contract.UserError(
            f"hyperparameter kernel: {params.kernel} is more than the length of {params.length}"
        )
    folders = {name: contract.channel(name) for name in ("train", "test")}
    data = {name: read_reviews(folder, name, params) for name, folder in folders.items()}
    words = read_vocabulary(folders["train"] / VOCABULARY)
    sizes = ", ".join(f"{name}: {len(reviews.y)} reviews" for name, reviews in data.items())
    print(f"{sizes}; {params}", flush=True)
    # TensorFlow takes seconds to load, if it can be: what is wrong up to here is told at once.
    import fitting  # noqa: PLC0415

    contract.seed(params.seed)
    model, history = fitting.train(params, data, contract.checkpoint_dir())
    # TensorFlow Serving runs the model, and the handlers need no packages.
    with contract.saving(serving_requirements=None) as folder:
        model.export(folder / VERSION, verbose=False)
        (folder / HISTORY).write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
        encoding.Encoding(words, params.length).save(folder)


if __name__ == "__main__":
    contract.run(main)
