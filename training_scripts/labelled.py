"""Texts with labels, from CSV files `label,text` without a header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import contract
import text

COLUMNS = ("label", "text")


@dataclass(frozen=True)
class Example:
    """A text and its label, which may be any words; `place` is where it was read."""

    label: str
    text: str
    place: str = field(default="", compare=False)


def read(folder: Path) -> list[Example]:
    """Every row of a channel's CSV files, in the order of their names.

    Raises:
        UserError: no files, a file without rows, a row without two columns, a label or a text that is empty.
    """
    found: list[Example] = []
    for path in text.csv_files(folder):
        before = len(found)
        for part in text.parts(path):
            for line, cells in text.rows(part, COLUMNS):
                place = text.place(path, line)
                for name, cell in zip(COLUMNS, cells):  # noqa: B905 -- so that it runs on Python 3.8
                    if not cell.strip():
                        raise contract.UserError(f"{place}, column {name} is empty")
                found.append(Example(cells[0].strip(), cells[1], place))
        if len(found) == before:
            name = f"{path.parent.name}/{path.name}"
            raise contract.UserError(f"{name} holds no rows: expected the columns {','.join(COLUMNS)}")
    return found


def labels(train: Sequence[Example], validation: Sequence[Example]) -> list[str]:
    """The labels in the order of the alphabet.

    Raises:
        UserError: there is but one, or the validation has one that the training never sees.
    """
    known = {example.label for example in train}
    if len(known) == 1:
        raise contract.UserError(f"every row of train has the label {min(known)!r}: nothing can be learned")
    for example in validation:
        if example.label not in known:
            raise contract.UserError(
                f"{example.place}, column label: {example.label[:40]!r} does not occur in train"
            )
    return sorted(known)
