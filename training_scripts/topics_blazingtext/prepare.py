"""Turn rows `class,title,abstract` into the lines `__label__<Class> token token …` that BlazingText reads.

The input `topics` has the layout of the DBpedia ontology data set: train.csv and test.csv without a header,
the class as a number from 1, and classes.txt with a class's name a line. By hand:

    mkdir data; python example.py data; python prepare.py --keep 0.5
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import contract
import text

COLUMNS = ("class", "title", "abstract")


def read_classes(path: Path) -> list[str]:
    """The names of the classes, first to last; a name becomes one word, since a label is one.

    Raises:
        UserError: no such file, an empty one, an empty line between names.
    """
    if not path.is_file():
        raise contract.UserError(
            f"{path.parent.name} holds no {path.name}: upload the classes' names, one a line"
        )
    names = ["_".join(name.split()) for name in path.read_text(encoding="utf-8-sig").rstrip().split("\n")]
    if "" in names:
        raise contract.UserError(f"{text.place(path, names.index('') + 1)} is empty: expected a class's name")
    return names


def lines(part: text.Part, classes: list[str]) -> list[str]:
    """The line of every row of a part of a file, in the file's order.

    Raises:
        UserError: a row without three columns, or of a class that has no name.
    """
    return [_line(part.path, line, cells, classes) for line, cells in text.rows(part, COLUMNS)]


def sample(part: text.Part, classes: list[str], keep: float, seed: int) -> list[tuple[bytes, str]]:
    """The lines of about `keep` of a part's rows, each with its rank in the shuffled file.

    A row's rank is a digest of the row, so that no process needs to know of another's rows, and a row that
    was kept is kept still when others are added.
    """
    # Compared as bytes: the largest of eight stands for a share of 1.
    most = min(int(keep * 2**64), 2**64 - 1).to_bytes(8, "big")
    kept = []
    for line, cells in text.rows(part, COLUMNS):
        rank = hashlib.blake2b("\0".join(cells).encode(), digest_size=8, key=seed.to_bytes(8, "big")).digest()
        # Rows that are not kept are checked as well: a wrong file is refused whatever the share.
        name = _class(part.path, line, cells[0], classes)
        if rank <= most:
            kept.append((rank, _labelled(name, cells)))
    return kept


def _line(path: Path, line: int, cells: list[str], classes: list[str]) -> str:
    return _labelled(_class(path, line, cells[0], classes), cells)


def _labelled(name: str, cells: list[str]) -> str:
    _, title, abstract = cells
    return " ".join([f"__label__{name}", *text.tokens(title), *text.tokens(abstract)])


def _class(path: Path, line: int, cell: str, classes: list[str]) -> str:
    number = int(cell) if cell.isascii() and cell.isdigit() else 0
    if not 0 < number <= len(classes):
        expected = f"expected a class from 1 to {len(classes)}; the file has no header"
        raise contract.UserError(f"{text.place(path, line)}, column class: {cell[:40]!r}: {expected}")
    return classes[number - 1]


def training_lines(
    path: Path, classes: list[str], in_order: text.InOrder, *, keep: float, seed: int
) -> list[str]:
    """About `keep` of the rows, shuffled: the file is sorted by class, and learning wants a mixture."""
    work = partial(sample, classes=classes, keep=keep, seed=seed)
    ranked = [line for part in in_order(work, text.parts(path)) for line in part]
    return [line for _, line in sorted(ranked)]


def validation_lines(path: Path, classes: list[str], in_order: text.InOrder) -> list[str]:
    """All of the file's rows in its order."""
    work = partial(lines, classes=classes)
    return [line for part in in_order(work, text.parts(path)) for line in part]


def main() -> None:
    """Prepare train.csv for the channel `train` and test.csv for the channel `validation`."""
    options = contract.parameters(__file__, declaration="prepare.json")
    folder = contract.prepare_input("topics")
    classes = read_classes(folder / "classes.txt")
    train = text.required(folder / "train.csv")
    validation = text.required(folder / "test.csv")
    with text.workers(options.processes) as in_order:
        lines_of = {
            "train": training_lines(train, classes, in_order, keep=options.keep, seed=options.seed),
            "validation": validation_lines(validation, classes, in_order),
        }
    # Written once both files are known to be right.
    for channel, found in lines_of.items():
        if not found:
            raise contract.UserError(f"{channel} holds no rows: the file is empty, or keep is too small")
    for channel, found in lines_of.items():
        text.write_lines(contract.prepare_output(channel) / f"topics.{channel}", found)
        print(f"{channel}: {len(found)} lines of {len(classes)} classes", flush=True)


if __name__ == "__main__":
    contract.run(main)
