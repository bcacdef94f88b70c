"""Reviews as rows of numbers, the way the Keras data set `imdb` has them.

0 fills a short row up at its beginning, 1 starts a review, 2 stands for a word outside the vocabulary, and
the word of rank n (1 for the most frequent) has the number n + 3.

Standard library only: beside TensorFlow Serving there is little else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PADDING, START, UNKNOWN, RANKED = 0, 1, 2, 3
FILE = "encoding.json"


def index(words: Sequence[str]) -> dict[str, int]:
    """The number of each word; the words stand in the order of their ranks."""
    return {word: rank + RANKED for rank, word in enumerate(words, 1)}


def encode(words: Iterable[str], numbers: Mapping[str, int]) -> list[int]:
    """A review's words as numbers, after the mark of its start."""
    return [START, *(numbers.get(word, UNKNOWN) for word in words)]


def padded(row: Sequence[int], length: int) -> list[int]:
    """`length` numbers: of a longer row its end, a shorter one after padding."""
    return [PADDING] * (length - len(row)) + list(row[-length:])


@dataclass(frozen=True)
class Encoding:
    """What turns words into a row, as it is kept in a model."""

    words: list[str]
    length: int

    def save(self, folder: Path) -> None:
        """Write it to a folder."""
        content = {"length": self.length, "words": self.words}
        (folder / FILE).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Encoding:
        """Read it from a folder."""
        return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))
