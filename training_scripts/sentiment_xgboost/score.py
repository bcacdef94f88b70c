"""Compare a batch transform's output with the labels of the reviews that it was made for.

    python score.py test.csv.out data/reviews

prints `test:accuracy=…`. A prediction is a probability, which is rounded to a label. The second argument is
the folder of the reviews as they were uploaded: the rows of test.csv stand in the order of reviews.py.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import contract
import reviews
import text


def predictions(path: Path) -> list[float]:
    """The numbers of a file: one a line, or several with commas, as older images answer a batch.

    Raises:
        UserError: no such file, an empty one, one that is not UTF-8, something that is no number from 0 to 1.
    """
    if not path.is_file():
        raise contract.UserError(f"{path} does not exist")
    found = []
    for number, line in enumerate(text.read(path).splitlines(), 1):
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


def accuracy(guesses: Sequence[float], labels: Sequence[int]) -> float:
    """The share of predictions that, rounded, are the label.

    Raises:
        UserError: there are more of the ones than of the others.
    """
    if len(guesses) != len(labels):
        raise contract.UserError(f"{len(guesses)} predictions for {len(labels)} reviews: of other reviews?")
    return sum(round(guess) == label for guess, label in zip(guesses, labels, strict=True)) / len(labels)


def main() -> None:
    """Score the file against the folder that the command line names."""
    try:
        output, folder = map(Path, sys.argv[1:])
    except ValueError:
        raise contract.UserError("expected python score.py TRANSFORM_OUTPUT REVIEWS_FOLDER") from None
    labels = [review.label for review in reviews.read(folder)["test"]]
    contract.report("test:accuracy", accuracy(predictions(output), labels))


if __name__ == "__main__":
    contract.run(main)
