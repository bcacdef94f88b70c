"""What AWS's XGBoost image reads: CSV, LIBSVM and Parquet, of channels and of requests."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from scipy.sparse import csr_matrix

from ..codecs import base_type
from .job import Job, UserError

xgb = import_module("xgboost")  # the package, not the module beside this one

_TYPES = {
    "csv": "csv",
    "text/csv": "csv",
    "libsvm": "libsvm",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "parquet": "parquet",
    "application/x-parquet": "parquet",
}


_MISSING = frozenset(pa_csv.ConvertOptions().null_values)


def kind_of(content_type: str) -> str | None:
    """csv, libsvm or parquet; None for any other content type."""
    return _TYPES.get(base_type(content_type))


def matrix(job: Job, channel: str, *, weighted: bool) -> Any:
    """The data of a channel; raises UserError."""
    kind = job.content_type(channel) or "libsvm"
    reader = _READERS.get(kind_of(kind) or "")
    if reader is None:
        raise UserError(f"{kind} is not an accepted ContentType: {', '.join(_TYPES)}.")
    try:
        return reader(job.files(channel), weighted)
    except xgb.core.XGBoostError as error:
        # What follows the first line is a trace through its own library.
        message = str(error).partition("\n")[0]
        raise UserError(f"Failed to load {kind} data with exception: {message}") from error


def _read_csv(files: list[Path], weighted: bool) -> Any:  # noqa: FBT001 -- one of a table of readers
    first = next(path for path in files if path.stat().st_size)
    with first.open(encoding="utf-8", errors="replace") as file:
        line = file.readline()
    delimiter = _delimiter(line)
    tables = []
    for path in files:
        if not path.stat().st_size:
            continue
        try:
            table = pa_csv.read_csv(
                path,
                read_options=pa_csv.ReadOptions(autogenerate_column_names=True),
                parse_options=pa_csv.ParseOptions(delimiter=delimiter),
            )
        except pa.ArrowInvalid as error:
            raise UserError(f"Failed to load csv data with exception: {path.name}: {error}") from error
        tables.append(_numbers(table, weighted, _csv_place(path)))
    if len({table.shape[1] for table in tables}) > 1:
        raise UserError("Failed to load csv data with exception: the files differ in their number of columns")
    return _labelled(np.concatenate(tables), weighted=weighted)


def _delimiter(line: str) -> str:
    try:
        return csv.Sniffer().sniff(line, ",;\t| ").delimiter
    except csv.Error:
        return ","


def _csv_place(path: Path) -> Callable[[int], str]:
    def place(row: int) -> str:
        with path.open("rb") as file:
            # The reader passes over empty lines.
            full = (number for number, line in enumerate(file, 1) if line.strip(b"\r\n"))
            return f"{path.name}, line {next(islice(full, row, None))}"

    return place


def _numbers(table: Any, weighted: bool, place: Callable[[int], str]) -> np.ndarray[Any, Any]:  # noqa: FBT001
    """The cells of a table; raises UserError for the first that xgboost cannot take.

    A missing feature is one that xgboost passes over; a label or a weight must be there.
    """
    wrong = [
        (row, number)
        for number, column in enumerate(table.columns)
        if (row := _first_word(column)) is not None
    ]
    if not wrong:
        cells = np.column_stack(
            [column.cast(pa.float32(), safe=False).to_numpy() for column in table.columns]
        )
        refused = np.isinf(cells)
        given = 2 if weighted else 1
        refused[:, :given] |= np.isnan(cells[:, :given])
        wrong = [(row, number) for row, number in np.argwhere(refused)[:1].tolist()]
        if not wrong:
            return cells
    row, number = min(wrong)
    cell = table.column(number)[row].as_py()
    what = "is empty or nan" if cell is None else f"holds {str(cell)[:40]!r}, which is no finite number"
    raise UserError(f"Failed to load data with exception: {place(row)}, column {number + 1} {what}")


def _first_word(column: Any) -> int | None:
    """The first row of a column whose cell is no number; None where all are, or are missing."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        return None
    return next((row for row, cell in enumerate(column.to_pylist()) if not _is_number(cell)), 0)


def _is_number(cell: Any) -> bool:
    if cell is None or cell in _MISSING:
        return True
    try:
        return isinstance(cell, str) and not math.isnan(float(cell))
    except ValueError:
        return False


def _labelled(values: np.ndarray[Any, Any], *, weighted: bool) -> Any:
    """The label is the first column, the weight, where there is one, the second."""
    if values.shape[1] < (3 if weighted else 2):
        raise UserError("The data hold no features beside the label")
    features = values[:, 2:] if weighted else values[:, 1:]
    return xgb.DMatrix(features, label=values[:, 0], weight=values[:, 1] if weighted else None)


def _read_parquet(files: list[Path], _weighted: bool) -> Any:  # noqa: FBT001 -- one of a table of readers
    try:
        tables = [(path.name, pq.read_table(path)) for path in files]
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"Failed to load parquet data with exception: {error}") from error
    cells = [_numbers(table, False, _parquet_place(name)) for name, table in tables]
    return _labelled(np.concatenate(cells), weighted=False)


def _parquet_place(name: str) -> Callable[[int], str]:
    return lambda row: f"{name}, row {row + 1}"


def _read_libsvm(files: list[Path], _weighted: bool) -> Any:  # noqa: FBT001 -- one of a table of readers
    lines = (
        (f"{path.name}, line {number}", line)
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    )
    try:
        features, labels, weights = _libsvm(lines)
    except ValueError as error:
        raise UserError(f"Failed to load libsvm data with exception: {error}") from error
    return xgb.DMatrix(features, label=labels, weight=weights if any(weights) else None)


def _libsvm(lines: Iterable[tuple[str, str]]) -> tuple[csr_matrix, list[float], list[float]]:
    """Lines of `label[:weight] index:value …`, each with its place."""
    labels, weights = [], []
    starts, indices, values = [0], [], []
    for place, line in lines:
        tokens = line.split()
        if not tokens:
            continue
        try:
            first, _, weight = tokens[0].partition(":")
            labels.append(_finite(first))
            weights.append(_finite(weight or "0"))
            for token in tokens[1:]:
                index, _, value = token.partition(":")
                indices.append(int(index))
                values.append(_finite(value))
        except ValueError:
            raise ValueError(f"{place} is not LIBSVM with finite numbers: {line[:50]!r}") from None
        starts.append(len(indices))
    columns = max(indices, default=0) + 1
    return csr_matrix((values, indices, starts), shape=(len(labels), columns)), labels, weights


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_READERS = {"csv": _read_csv, "libsvm": _read_libsvm, "parquet": _read_parquet}


def _csv_content(text: str) -> np.ndarray[Any, Any]:
    delimiter = _delimiter(text.partition("\n")[0][:512])
    rows = [
        [cell or "nan" for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row
    ]
    return np.array(rows).astype(float)


def _libsvm_content(text: str) -> csr_matrix:
    # A request has no labels, or has them as the training data do.
    lines = enumerate(text.splitlines(), 1)
    return _libsvm(
        (f"line {number}", line if ":" not in line.split(" ")[0] else f"0 {line}") for number, line in lines
    )[0]


_CONTENT = {"csv": _csv_content, "libsvm": _libsvm_content}


def content_matrix(kind: str, text: str) -> Any:
    """The matrix of a request's body; raises ValueError."""
    return xgb.DMatrix(_CONTENT[kind](text.strip()))
