"""Read the numbers of a channel's CSV files, fast, with errors that name file, line and column.

pyarrow reads on all cores; only what it refuses is read again, slowly, to say where the fault lies.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from contract import UserError

_CELL_CHARS = 40
_BLOCK_BYTES = 2**20


def read(folder: Path, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Every CSV file below a channel's folder, in the order of their paths; files have no header.

    Files whose names begin with a dot or an underscore are marks of the programs that wrote them, and are
    passed over. Compressed files (.gz) are read as they are.

    Args:
        folder: the channel.
        columns: the names of the columns, for the answer and for errors.

    Returns:
        For each column a float64 array of shape (rows,), all of them finite.

    Raises:
        UserError: no file, an empty file, a wrong number of columns, a cell that is no finite number.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._")
    if not files:
        raise UserError(
            f"channel {folder.name!r} holds no files: upload CSV with the columns {_names(columns)}"
        )
    table = _Table(columns, expected_bytes=sum(path.stat().st_size for path in files))
    for path in files:
        _read_file(path, table, f"{folder.name}/{path.relative_to(folder)}")
    return table.columns()


class _Table:
    """Columns that take up rows as they come: a file is never in memory twice.

    What the first block holds tells how many rows to expect; memory that is not written to costs nothing.
    """

    def __init__(self, names: Sequence[str], expected_bytes: int) -> None:
        self.names = names
        self._blocks = expected_bytes / _BLOCK_BYTES
        self._arrays = {name: np.empty(0) for name in names}
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Append a batch's rows; ValueError for a number that is not finite."""
        end = self.rows + batch.num_rows
        room = len(self._arrays[self.names[0]])
        if end > room:
            self._make_room(max(end, 2 * room, int(1.05 * self._blocks * batch.num_rows)))
        for name, array in self._arrays.items():
            values = batch.column(name).to_numpy()
            if not np.isfinite(values).all():
                raise ValueError("a number is not finite")
            array[self.rows : end] = values
        self.rows = end

    def _make_room(self, rows: int) -> None:
        for name, old in self._arrays.items():
            self._arrays[name] = np.empty(rows)
            self._arrays[name][: self.rows] = old[: self.rows]

    def columns(self) -> dict[str, np.ndarray]:
        """The columns, cut to the rows that came."""
        for array in self._arrays.values():
            array.resize(self.rows, refcheck=False)  # nobody else has seen it: shrinks in place
        return self._arrays


def _read_file(path: Path, table: _Table, place: str) -> None:
    columns = table.names
    if path.stat().st_size == 0:
        raise UserError(f"{place} is empty: expected rows with the columns {_names(columns)}")
    before = table.rows
    try:
        batches = arrow_csv.open_csv(
            path,
            read_options=arrow_csv.ReadOptions(column_names=list(columns), block_size=_BLOCK_BYTES),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.float64()), null_values=[]
            ),
        )
        for batch in batches:
            table.add(batch)
    except (ValueError, KeyError, OSError) as error:  # Arrow's own errors are of these types too
        raise _fault(path, columns, place) or UserError(f"{place}: {error}") from None
    if table.rows == before:
        raise _fault(path, columns, place) or UserError(f"{place} holds no rows")


def _fault(path: Path, columns: Sequence[str], place: str) -> UserError | None:
    """The first fault of a file; None where Python finds none."""
    line = 0
    try:
        # Spreadsheets mark UTF-8 with three bytes that are no part of the first cell.
        with io.TextIOWrapper(pa.input_stream(path), encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text)
            empty = True
            for cells in rows:
                line = rows.line_num
                if cells:
                    empty = False
                    _check(cells, columns, f"{place} line {line}", first=line == 1)
    except UnicodeDecodeError:
        return UserError(f"{place} is not UTF-8 text after line {line}: expected CSV")
    except (csv.Error, OSError) as error:
        return UserError(f"{place} line {line + 1}: {error}")
    except UserError as fault:
        return fault
    return UserError(f"{place} holds no rows: expected the columns {_names(columns)}") if empty else None


def _check(cells: list[str], columns: Sequence[str], place: str, *, first: bool) -> None:
    if len(cells) != len(columns):
        raise UserError(f"{place}: {len(cells)} columns, expected {len(columns)} ({_names(columns)})")
    for name, cell in zip(columns, cells, strict=True):
        try:
            finite = np.isfinite(float(cell))
        except ValueError:
            hint = ": the file must have no header" if first else ""
            raise UserError(f"{place}, column {name}: {cell[:_CELL_CHARS]!r} is not a number{hint}") from None
        if not finite:
            raise UserError(f"{place}, column {name}: {cell[:_CELL_CHARS]!r} is not a finite number")


def _names(columns: Sequence[str]) -> str:
    return ",".join(columns)
