"""Turn film reviews into the arrays that the network reads: x_train.npy and y_train.npy, and those of test.

The input `reviews` is the Large Movie Review data set in one of its two forms:

    aclImdb       texts, in a folder or an archive (see reviews.py)
    imdb.npz      Keras's file, ranks of words, with its imdb_word_index.json, which tells the words

x has a review a row, as encoding.py says, and y its label: 1 praise, 0 blame. By hand:

    python example.py data; python prepare.py
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

import contract
import encoding
import imdb_npz
import reviews
import text

NPZ, WORD_INDEX = "imdb.npz", "imdb_word_index.json"
PUBLISHED = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
BATCH = 250
"""Reviews that a process is handed at once."""


VOCABULARY = "vocabulary.txt"


class Part(NamedTuple):
    """The reviews of train or test: `x` of shape (n, length), int32, and their labels."""

    x: np.ndarray
    labels: list[int]


def words_of(review: str) -> list[str]:
    """The words that count, tags gone."""
    return text.words(text.without_html(review))


def count(batch: Sequence[str]) -> Counter[str]:
    """How often each word comes in some reviews."""
    return Counter(word for review in batch for word in words_of(review))


def ranked(counts: Counter[str], size: int) -> list[str]:
    """The most frequent words, most frequent first, equals in the order of the alphabet."""
    return sorted(counts, key=lambda word: (-counts[word], word))[: size - encoding.RANKED - 1]


def encoded(batch: Sequence[str], numbers: dict[str, int], length: int) -> np.ndarray:
    """Some reviews as rows of numbers."""
    return matrix([encoding.encode(words_of(review), numbers) for review in batch], length)


def matrix(rows: Sequence[Sequence[int]], length: int) -> np.ndarray:
    """Rows of any lengths as an array of shape (n, length), int32."""
    return np.array([encoding.padded(row, length) for row in rows], dtype=np.int32)


def from_texts(folder: Path, size: int, length: int, processes: int) -> tuple[dict[str, Part], list[str]]:
    """Both parts, and the vocabulary, which comes from the training part alone."""
    found = reviews.read(folder)
    batches = {part: text.batches([one.text for one in some], BATCH) for part, some in found.items()}
    with text.workers(processes) as in_order:
        counts: Counter[str] = Counter()
        for some in in_order(count, batches["train"]):
            counts.update(some)
        words = ranked(counts, size)
        if not words:
            raise contract.UserError("the training reviews hold no words")
        work = partial(encoded, numbers=encoding.index(words), length=length)
        x = {part: np.concatenate(list(in_order(work, batches[part]))) for part in found}
    return {part: Part(x[part], [one.label for one in some]) for part, some in found.items()}, words


def from_npz(folder: Path, size: int, length: int) -> tuple[dict[str, Part], list[str]]:
    """Both parts, and the vocabulary, which imdb_word_index.json tells."""
    words = _word_index(folder / WORD_INDEX, size)
    parts = {
        part: Part(matrix([_renumbered(row, size) for row in rows], length), labels)
        for part, (rows, labels) in imdb_npz.read(folder / NPZ).items()
    }
    return parts, words


def _renumbered(ranks: list[int], size: int) -> list[int]:
    numbers = (rank + encoding.RANKED for rank in ranks)
    return [encoding.START, *(number if number < size else encoding.UNKNOWN for number in numbers)]


def _word_index(path: Path, size: int) -> list[str]:
    if not path.is_file():
        raise contract.UserError(
            f"{path.parent.name} holds {NPZ} but no {path.name}, without which the endpoint could read no "
            f"text: upload {PUBLISHED}{path.name}"
        )
    try:
        ranks = json.loads(path.read_text(encoding="utf-8"))
        words = sorted(ranks, key=ranks.__getitem__)
        whole = [ranks[word] for word in words] == list(range(1, len(words) + 1))
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise contract.UserError(f"{path.name} is not JSON of words and their ranks: {error}") from error
    if not whole:
        raise contract.UserError(f"{path.name}: the ranks are not 1, 2, 3 … without a gap")
    return words[: size - encoding.RANKED - 1]


def main() -> None:
    """Prepare the reviews for the channels `train` and `test`."""
    options = contract.parameters(__file__, declaration="prepare.json")
    folder = contract.prepare_input("reviews")
    if (folder / NPZ).is_file():
        parts, words = from_npz(folder, options.vocabulary, options.length)
    else:
        parts, words = from_texts(folder, options.vocabulary, options.length, options.processes)
    for part, (x, labels) in parts.items():
        output = contract.prepare_output(part)
        for axis, array in (("x", x), ("y", np.array(labels, dtype=np.uint8))):
            with contract.writing(output / f"{axis}_{part}.npy") as file:
                np.save(file, array, allow_pickle=False)
        print(f"{part}: {len(labels)} reviews, {sum(labels)} of them praise", flush=True)
    text.write_lines(contract.prepare_output("train") / VOCABULARY, words)


if __name__ == "__main__":
    contract.run(main)
