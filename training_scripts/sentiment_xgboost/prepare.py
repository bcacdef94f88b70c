"""Turn film reviews into the bags of words that the built-in XGBoost reads: CSV, the label first, no header.

The input `reviews` has the layout of aclImdb (see reviews.py). A row counts, for each word of the vocabulary,
how often the review has it; before that, tags go, stop words go, and what is left is stemmed. The vocabulary
comes from the training rows alone. Outputs:

    train/train.csv, validation/validation.csv   label,count,count,…
    test/test.csv                                count,count,…  for the batch transform
    vocabulary/vocabulary.txt                    the words, in the order of the columns

By hand: `pip install -r requirements-prepare.txt; python example.py data; python prepare.py`
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

import snowballstemmer

import contract
import reviews
import text

BATCH = 250
"""Reviews that a process is handed at once."""

# Negations stay, unlike in most such lists: they are what a judgement turns on.
_STOP_WORDS = """
a about above after again all am an and any are as at be because been before being below between both but by
can could did do does doing down during each few for from further had has have having he he'd he'll he's her
here here's hers herself him himself his how i i'd i'll i'm i've if in into is it it's its itself just let's
me more most my myself now of off on once only or other our ours ourselves out over own s same she she'd
she'll she's should so some such t than that that's the their theirs them themselves then there there's
these they they'd they'll they're they've this those through to too under until up very was we we'd we'll
we're we've were what what's when where where's which while who who's whom why will with would you you'd
you'll you're you've your yours yourself yourselves
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_stemmer = snowballstemmer.stemmer("porter")


@cache
def stem(word: str) -> str:
    """The word without its endings; remembered, since a few thousand words make up most of any text."""
    return _stemmer.stemWord(word)


def stems(review: str) -> list[str]:
    """The stems of a review's words, without tags and stop words, in its order."""
    return [stem(word) for word in text.words(text.without_html(review)) if word not in STOP_WORDS]


def all_stems(batch: Sequence[str]) -> list[list[str]]:
    """`stems` of each of some reviews."""
    return [stems(review) for review in batch]


def vocabulary(documents: Iterable[Sequence[str]], size: int) -> list[str]:
    """The `size` stems that come most often, most frequent first, equals in the order of the alphabet."""
    counts = Counter(word for document in documents for word in document)
    return sorted(counts, key=lambda word: (-counts[word], word))[:size]


def row(document: Sequence[str], columns: dict[str, int]) -> str:
    """How often the document has each stem of the vocabulary, as a line of CSV."""
    counts = Counter(columns[word] for word in document if word in columns)
    zeros = "0," * len(columns)
    cells, done = [], 0
    # Nearly all cells are zeros: they are cut off a long line of them, a gap at a time.
    for column, count in sorted(counts.items()):
        cells += [zeros[: 2 * (column - done)], f"{count},"]
        done = column + 1
    return "".join([*cells, zeros[2 * done :]])[:-1]


def split(found: Sequence[reviews.Review], share: float, seed: int) -> tuple[list, list]:
    """The reviews in a shuffled order, parted: those to train on, and `share` of them to validate with."""
    shuffled = random.Random(seed).sample(found, len(found))  # noqa: S311 -- an order, no secret
    kept = round(len(shuffled) * share)
    if not 0 < kept < len(shuffled):
        raise contract.UserError(f"{len(shuffled)} reviews with validation={share} leave a part without any")
    return shuffled[kept:], shuffled[:kept]


def main() -> None:
    """Prepare the reviews for the channels `train` and `validation`, and for the transform."""
    options = contract.parameters(__file__, declaration="prepare.json")
    found = reviews.read(contract.prepare_input("reviews"))
    train, validation = split(found["train"], options.validation, options.seed)
    parts = {"train": train, "validation": validation, "test": found["test"]}
    with text.workers(options.processes) as in_order:
        documents = {
            part: [
                document
                for batch in in_order(all_stems, text.batches([one.text for one in some], BATCH))
                for document in batch
            ]
            for part, some in parts.items()
        }
    words = vocabulary(documents["train"], options.vocabulary)
    if not words:
        raise contract.UserError("the training reviews hold no words but stop words")
    columns = {word: number for number, word in enumerate(words)}
    for part, some in parts.items():
        lines = (row(document, columns) for document in documents[part])
        if part != "test":
            lines = (f"{one.label},{line}" for one, line in zip(some, lines, strict=True))
        count = text.write_lines(contract.prepare_output(part) / f"{part}.csv", lines)
        print(f"{part}: {count} rows of {len(words)} words", flush=True)
    text.write_lines(contract.prepare_output("vocabulary") / "vocabulary.txt", words)


if __name__ == "__main__":
    contract.run(main)
