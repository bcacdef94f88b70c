"""Turn rows `class,title,abstract` into the lines `__label__<Class> token token …` that BlazingText reads.

The input `topics` has the layout of the DBpedia ontology data set: train.csv and test.csv without a header,
the class as a number from 1, and classes.txt with a class's name a line. By hand:

    mkdir data; python example.py data; python prepare.py --keep 0.5
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import contract
import text

COLUMNS = ("class", "title", "abstract")


def read_classes(path: Path) -> list[str]:
    """The names of the classes, first to last; a name becomes one word, since a label is one.

    Raises:
        UserError: no such file, an empty one, one that is not UTF-8, an empty line between names, or a name
            for the second time.
    """
    if not path.is_file():
        raise contract.UserError(
            f"{path.parent.name} holds no {path.name}: upload the classes' names, one a line"
        )
    names = ["_".join(name.split()) for name in text.read(path).rstrip().split("\n")]
    if "" in names:
        raise contract.UserError(f"{text.place(path, names.index('') + 1)} is empty: expected a class's name")
    for number, name in enumerate(names):
        if (first := names.index(name)) < number:
            raise contract.UserError(
                f"{text.place(path, number + 1)}: {name[:40]!r} is the name of line {first + 1} already: "
                "give each class a name of its own"
            )
    return names


class Lines(NamedTuple):
    """Lines as they go into a file, and each one's place in a shuffled file: the lowest rank comes first.

    In few large pieces, since they come from other processes.
    """

    ranks: array[int]
    content: bytes


def prepared(part: text.Part, classes: list[str], keep: float = 1.0, seed: int = 0) -> Lines:
    """The lines of about `keep` of a part's rows, in the part's order.

    A row's rank is a checksum of the row, so that no process needs to know of another's rows, and a row that
    was kept is kept still when others are added.

    Raises:
        UserError: a row without three columns, or of a class that has no name.
    """
    labels = {str(number): f"__label__{name}" for number, name in enumerate(classes, 1)}
    most = keep * 2**32
    ranks, found = array("L"), []
    for line, (number, title, abstract) in text.rows(part, COLUMNS):
        # Rows that are not kept are checked as well: a wrong file is refused whatever the share.
        if number not in labels:
            expected = f"expected a class from 1 to {len(classes)}; the file has no header"
            raise contract.UserError(
                f"{text.place(part.path, line)}, column class: {number[:40]!r}: {expected}"
            )
        content = f"{title} {abstract}"
        rank = zlib.crc32(content.encode(), seed)
        if rank < most:
            ranks.append(rank)
            found.append(" ".join([labels[number], *text.tokens(content)]))
    return Lines(ranks, "".join(f"{line}\n" for line in found).encode())


def shuffled(parts: Iterable[Lines]) -> Lines:
    """The lines of all parts in the order of their ranks: a file is sorted by class, and learning is not."""
    ranks, lines = array("L"), []
    for part in parts:
        ranks += part.ranks
        lines += part.content.splitlines(keepends=True)
    order = sorted(range(len(ranks)), key=ranks.__getitem__)
    return Lines(array("L", map(ranks.__getitem__, order)), b"".join(map(lines.__getitem__, order)))


def joined(parts: Iterable[Lines]) -> Lines:
    """The lines of all parts in their order."""
    ranks, content = array("L"), []
    for part in parts:
        ranks += part.ranks
        content.append(part.content)
    return Lines(ranks, b"".join(content))


def main() -> None:
    """Prepare train.csv for the channel `train` and test.csv for the channel `validation`."""
    options = contract.parameters(__file__, declaration="prepare.json")
    folder = contract.prepare_input("topics")
    classes = read_classes(folder / "classes.txt")
    train = text.parts(text.required(folder / "train.csv"))
    validation = text.parts(text.required(folder / "test.csv"))
    all_of_it = partial(prepared, classes=classes)
    some_of_it = partial(all_of_it, keep=options.keep, seed=options.seed)
    with text.workers(options.processes) as in_order:
        lines = {
            "train": shuffled(in_order(some_of_it, train)),
            "validation": joined(in_order(all_of_it, validation)),
        }
    # Written once both files are known to be right.
    for channel, found in lines.items():
        if not found.ranks:
            raise contract.UserError(f"{channel} holds no rows: the file is empty, or keep is too small")
    for channel, found in lines.items():
        text.write(contract.prepare_output(channel) / f"topics.{channel}", found.content)
        print(f"{channel}: {len(found.ranks)} lines of {len(classes)} classes", flush=True)


if __name__ == "__main__":
    contract.run(main)
