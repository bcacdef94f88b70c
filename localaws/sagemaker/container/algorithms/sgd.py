"""fastText's training of a classifier, one epoch at a time.

The same model, objective and steps as fastText's with one thread: a line's hidden vector is the mean of the
vectors of its words and word n-grams; softmax over the labels; a step for each line in the order of the file,
with a rate that falls linearly to nothing over all epochs. It works on fastText's own matrices in place, so
that the model tests, predicts and saves what is trained here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_FNV_OFFSET, _FNV_PRIME, _NGRAM_FACTOR = 2166136261, 16777619, np.uint64(116049371)
_MASK32, _SIGN8, _SIGN32 = 0xFFFFFFFF, 0x80, 0x80000000


class Line(NamedTuple):
    """A line to learn from."""

    rows: npt.NDArray[np.int64]
    """Which rows of the input matrix its words and n-grams have, each once."""
    shares: npt.NDArray[np.float32]
    """How much each of them is of the line; their sum is 1."""
    labels: list[int]
    tokens: int


class Reader:
    """Turns lines of text into rows of a model's matrices, by fastText's rules."""

    def __init__(self, model: Any) -> None:
        self._line = model.f.getLine
        self._words = {word: number for number, word in enumerate(model.words)}
        self._labels = {label: number for number, label in enumerate(model.labels)}
        arguments = model.f.getArgs()
        self._ngrams: int = arguments.wordNgrams
        self._buckets = np.uint64(max(1, arguments.bucket))
        self._hashes: dict[str, int] = {}

    def read(self, text: str) -> Line:
        """A line, without its line break."""
        words, labels = self._line(f"{text}\n", "replace")
        rows = [self._words[word] for word in words if word in self._words]
        ngrams = self._ngram_rows([self._hash(word) for word in words])
        unique, counts = np.unique(np.concatenate([rows, *ngrams]).astype(np.int64), return_counts=True)
        known = [self._labels[label] for label in labels if label in self._labels]
        shares = (counts / max(1, counts.sum())).astype(np.float32)
        return Line(unique, shares, known, len(words) + len(labels))

    def _ngram_rows(self, hashes: list[int]) -> Iterator[npt.NDArray[np.uint64]]:
        """The rows of the word n-grams, for each length from two words on."""
        words = np.array(hashes, np.int64).view(np.uint64)
        values = words
        for length in range(2, min(self._ngrams, len(hashes)) + 1):
            values = values[:-1] * _NGRAM_FACTOR + words[length - 1 :]
            yield values % self._buckets + np.uint64(len(self._words))

    def _hash(self, word: str) -> int:
        """FNV-1a over the signed bytes, as a signed 32-bit number."""
        value = self._hashes.get(word)
        if value is None:
            value = _FNV_OFFSET
            for byte in word.encode("utf-8", "replace"):
                value ^= (byte | 0xFFFFFF00) if byte & _SIGN8 else byte
                value = (value * _FNV_PRIME) & _MASK32
            value -= (value & _SIGN32) << 1
            self._hashes[word] = value
        return value


class EpochTrainer:
    """Trains the matrices of a supervised fastText model in place."""

    def __init__(self, model: Any, file: Path, epochs: int, learning_rate: float) -> None:
        """`epochs` is how many there may be at most: the learning rate falls to nothing over them."""
        # Views of the model's memory, not copies.
        self._input = np.asarray(model.f.getInputMatrix())
        self._output = np.asarray(model.f.getOutputMatrix())
        reader = Reader(model)
        with file.open(encoding="utf-8", errors="replace") as lines:
            self._lines = [reader.read(text.rstrip("\n")) for text in lines]
        self._total = epochs * sum(line.tokens for line in self._lines)
        self._rate = learning_rate
        self._done = 0
        self._chance = np.random.default_rng(0)
        used = [line.rows for line in self._lines if line.rows.size]
        # No other row changes: the rest of the matrix is not worth a copy.
        self._used = np.unique(np.concatenate(used)) if used else np.array([], np.int64)
        self.keep()

    def keep(self) -> None:
        """Remember the present weights."""
        self._kept = (self._input[self._used], self._output.copy())

    def restore(self) -> None:
        """Go back to the weights that were kept."""
        self._input[self._used], self._output[:] = self._kept

    def train_epoch(self) -> None:
        """Go through all lines once."""
        inputs, outputs = self._input, self._output
        for line in self._lines:
            rate = self._rate * (1 - self._done / self._total)
            self._done += line.tokens
            if not line.labels or not line.rows.size:
                continue
            label = line.labels[0] if len(line.labels) == 1 else self._chance.choice(line.labels)
            vectors = inputs[line.rows]
            hidden = line.shares @ vectors
            scores = outputs @ hidden
            step = np.exp(scores - scores.max())
            step *= -rate / step.sum()
            step[label] += rate
            gradient = step @ outputs
            outputs += step[:, None] * hidden
            inputs[line.rows] = vectors + line.shares[:, None] * gradient
