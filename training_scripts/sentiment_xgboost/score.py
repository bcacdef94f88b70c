"""Compare a batch transform's output with the true labels.

    python score.py test.csv.out labels.csv

prints `test:accuracy=…`. A prediction is a probability, rounded to a label.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import contract


def numbers(path: Path) -> list[float]:
    """The numbers of a file: one a line, or several with commas, as older images answer a batch.

    Raises:
        UserError: no such file, an empty one, something that is no number from 0 to 1.
    """
    if not path.is_file():
        raise contract.UserError(f"{path} does not exist")
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for cell in filter(None, line.split(",")):
            try:
                value = float(cell)
            except ValueError:
                value = -1.0
            if not 0 <= value <= 1:
                raise contract.UserError(f"{path.name} line {number}: {cell[:40]!r} is no number from 0 to 1")
            found.append(value)
    if not found:
        raise contract.UserError(f"{path.name} is empty")
    return found


def accuracy(predictions: Sequence[float], labels: Sequence[float]) -> float:
    """The share of predictions that, rounded, are the label.

    Raises:
        UserError: there are more of the ones than of the others.
    """
    if len(predictions) != len(labels):
        raise contract.UserError(f"{len(predictions)} predictions for {len(labels)} labels: another run's?")
    right = sum(round(guess) == truth for guess, truth in zip(predictions, labels, strict=True))
    return right / len(labels)


def main() -> None:
    """Score the two files that the command line names."""
    files = [numbers(Path(name)) for name in sys.argv[1:]]
    try:
        predictions, labels = files
    except ValueError:
        raise contract.UserError("expected two files: python score.py PREDICTIONS LABELS") from None
    contract.report("test:accuracy", accuracy(predictions, labels))


if __name__ == "__main__":
    contract.run(main)
