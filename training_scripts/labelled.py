"""Texts with labels, from CSV files `label,text` without a header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import contract
import text

COLUMNS = ("label", "text")


@dataclass(frozen=True)
class Example:
    """A text and its label, which may be any words."""

    label: str
    text: str


def read(folder: Path) -> list[Example]:
    """Every row of a channel's CSV files, in the order of their names.

    Raises:
        UserError: no files, no rows, a row without two columns, a label or a text that is empty.
    """
    found = []
    for path in text.csv_files(folder):
        for part in text.parts(path):
            for line, cells in text.rows(part, COLUMNS):
                for name, cell in zip(COLUMNS, cells):  # noqa: B905 -- so that it runs on Python 3.8
                    if not cell.strip():
                        raise contract.UserError(f"{text.place(path, line)}, column {name} is empty")
                found.append(Example(cells[0].strip(), cells[1]))
    if not found:
        raise contract.UserError(f"channel {folder.name!r} holds no rows: expected {','.join(COLUMNS)}")
    return found


def labels(train: Sequence[Example], validation: Sequence[Example]) -> list[str]:
    """The labels in the order of the alphabet.

    Raises:
        UserError: there is but one, or the validation has one that the training never sees.
    """
    known = {example.label for example in train}
    if len(known) == 1:
        raise contract.UserError(f"every row of train has the label {min(known)!r}: nothing can be learned")
    unseen = sorted({example.label for example in validation} - known)
    if unseen:
        raise contract.UserError(f"validation has labels that train has not: {', '.join(unseen[:5])}")
    return sorted(known)
