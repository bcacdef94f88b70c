"""Rows of flowers: `species,sepal_length,sepal_width,petal_length,petal_width`, in centimetres, no header."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
COLUMNS = ",".join(("species", *FEATURES))


class UserError(Exception):
    """The data, a hyperparameter or a request is wrong; the message is one line that says where."""


@dataclass(frozen=True)
class Flowers:
    """`features` of shape (n, 4), in centimetres; `species` of length n."""

    features: np.ndarray
    species: list[str]


def read_channel(folder: Path, mode: str) -> Flowers:
    """All rows of a channel: its files in the order of their names, or one pass of its pipe.

    Args:
        folder: /opt/ml/input/data/<channel>.
        mode: `File` and `FastFile` have files there; `Pipe` has a FIFO beside it, one for each pass.

    Raises:
        UserError: there is no file, a file has no rows, or a row is wrong.
    """
    if mode == "Pipe":
        pipe = folder.with_name(f"{folder.name}_0")
        rows = _file(pipe, pipe.name)
    else:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        rows = [row for path in files for row in _file(path, f"{folder.name}/{path.relative_to(folder)}")]
    if not rows:
        raise UserError(f"channel {folder.name!r} holds no files: upload CSV with the columns {COLUMNS}")
    return Flowers(np.array([row[1:] for row in rows], dtype=float), [str(row[0]) for row in rows])


def read_features(place: str, lines: Iterable[str]) -> np.ndarray:
    """Rows of four measures, as requests have them, of shape (n, 4); UserError for a wrong one."""
    rows = [measures(f"{place} line {number}", row) for number, row in enumerate(csv.reader(lines), 1) if row]
    return np.array(rows, dtype=float).reshape(-1, len(FEATURES))


def measures(place: str, cells: Iterable[object]) -> list[float]:
    """The four measures of one flower."""
    row = list(cells)
    if len(row) != len(FEATURES):
        raise UserError(f"{place}: {len(row)} values, expected {len(FEATURES)} ({','.join(FEATURES)})")
    return [_number(f"{place}, column {name}", cell) for name, cell in zip(FEATURES, row, strict=True)]


def _file(path: Path, place: str) -> list[list[str | float]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(_rows(place, lines))
    except UnicodeDecodeError:
        raise UserError(f"{place} is not UTF-8 text") from None
    if not rows:
        raise UserError(f"{place} holds no rows: expected the columns {COLUMNS}")
    return rows


def _rows(place: str, lines: Iterable[str]) -> Iterator[list[str | float]]:
    reader = csv.reader(lines)
    try:
        for cells in reader:
            if not cells or (reader.line_num == 1 and tuple(cells[1:]) == FEATURES):
                continue  # a header, as the original file has it
            line = f"{place} line {reader.line_num}"
            if len(cells) != 1 + len(FEATURES):
                raise UserError(f"{line}: {len(cells)} columns, expected {1 + len(FEATURES)} ({COLUMNS})")
            if not cells[0].strip():
                raise UserError(f"{line}, column species is empty")
            yield [cells[0].strip(), *measures(line, cells[1:])]
    except csv.Error as error:
        raise UserError(f"{place} line {reader.line_num}: {error}") from None


def _number(place: str, cell: object) -> float:
    try:
        value = float(cell)  # type: ignore[arg-type]  # whatever it cannot take is told below
    except (TypeError, ValueError):
        raise UserError(f"{place}: {str(cell)[:40]!r} is not a number") from None
    if not math.isfinite(value):
        raise UserError(f"{place}: {cell!r} is not a finite number")
    return value
