"""A small corpus of film reviews for the examples and tests, in the layout of aclImdb.

A review has 4 to 8 sentences, each a judgement of one aspect: "The acting was superb." 85 of 100 judge as
the review's label does, the others the other way round, and 15 of 100 say it by denial ("was not dull"). So
single words tell most of the label, their neighbours the rest, and no model is right always: whoever counts
the words of praise and of blame is right 89 times of 100, whoever heeds denials as well 97 times. Sentences
are joined by `<br />` now and then, as in the original.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import tarfile
from pathlib import Path

import text

NAMES = ("blame", "praise")
"""The labels 0 and 1 in words."""

PRAISE = (
    "superb wonderful brilliant moving gripping charming delightful excellent memorable clever "
    "beautiful stunning fresh hilarious touching masterful engaging splendid powerful refreshing"
)
BLAME = (
    "dull awful terrible boring clumsy tedious dreadful predictable forgettable weak "
    "stupid lifeless stale annoying hollow poor sloppy shallow pointless laughable"
)
ASPECTS = (
    "acting plot script dialogue music camera ending cast direction story pacing editing lead scenery "
    "villain opening soundtrack humour photography finale"
)
FRAMES = (
    "The {aspect} was {word}.",
    "I found the {aspect} {word}.",
    "What a film: its {aspect} is {word}, I thought.",
    "My friends called the {aspect} {word} & so do I.",
    "For two hours the {aspect} felt {word} to me.",
)
AGREES, DENIES = 0.85, 0.15


def review(rng: random.Random, label: int) -> str:
    """One review of the label."""
    sentences = [
        _sentence(rng, label if rng.random() < AGREES else 1 - label) for _ in range(rng.randint(4, 8))
    ]
    return "".join(
        sentence + (rng.choice((" ", " ", "<br /><br />")) if position < len(sentences) - 1 else "")
        for position, sentence in enumerate(sentences)
    )


def _sentence(rng: random.Random, opinion: int) -> str:
    denied = rng.random() < DENIES
    words = PRAISE if opinion != denied else BLAME
    word = ("not " if denied else "") + rng.choice(words.split())
    return rng.choice(FRAMES).format(aspect=rng.choice(ASPECTS.split()), word=word)


def reviews(rng: random.Random, count: int) -> list[tuple[int, str]]:
    """So many reviews with their labels, half of them praise."""
    return [(number % 2, review(rng, number % 2)) for number in range(count)]


def write_tables(folder: Path, sizes: dict[str, int], seed: int = 0) -> None:
    """Write `<part>/reviews.csv` with rows `label,text`, tags gone, so many of each part."""
    rng = random.Random(seed)  # noqa: S311 -- an example, no secret
    for part, count in sizes.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        with (folder / part / "reviews.csv").open("w", encoding="utf-8", newline="") as file:
            rows = ((NAMES[label], text.without_html(content)) for label, content in reviews(rng, count))
            csv.writer(file, lineterminator="\n").writerows(rows)


def write_archive(folder: Path, sizes: dict[str, int], seed: int = 0) -> None:
    """Write `aclImdb_v1.tar.gz` with so many reviews of each part: the same bytes for the same seed."""
    rng = random.Random(seed)  # noqa: S311 -- an example, no secret
    folder.mkdir(parents=True, exist_ok=True)
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for part, count in sizes.items():
            for number, (label, text) in enumerate(reviews(rng, count)):
                content = text.encode()
                rating = rng.randint(7, 10) if label else rng.randint(1, 4)
                entry = tarfile.TarInfo(f"aclImdb/{part}/{('neg', 'pos')[label]}/{number}_{rating}.txt")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    # Without a time in its head, so that the same reviews are the same bytes.
    (folder / "aclImdb_v1.tar.gz").write_bytes(gzip.compress(whole.getvalue(), mtime=0))
