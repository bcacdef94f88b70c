"""What AWS's XGBoost image reads: CSV, LIBSVM and Parquet, of channels and of requests."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from importlib import import_module
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


def kind_of(content_type: str) -> str | None:
    """csv, libsvm or parquet; None for any other content type."""
    return _TYPES.get(base_type(content_type))


def matrix(job: Job, channel: str, *, weighted: bool) -> Any:
    """The data of a channel; raises UserError."""
    kind = job.content_type(channel) or "libsvm"
    reader = _READERS.get(kind_of(kind) or "")
    if reader is None:
        raise UserError(f"{kind} is not an accepted ContentType: {', '.join(_TYPES)}.")
    return reader(job.files(channel), weighted)


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
            raise UserError(f"Failed to load csv data with exception:\n{path.name}: {error}") from error
        tables.append(_checked(table, path.name))
    if len({table.num_columns for table in tables}) > 1:
        raise UserError(
            "Failed to load csv data with exception:\nthe files differ in their number of columns"
        )
    return _labelled(np.concatenate([_numbers(table) for table in tables]), weighted=weighted)


def _delimiter(line: str) -> str:
    try:
        return csv.Sniffer().sniff(line, ",;\t| ").delimiter
    except csv.Error:
        return ","


def _checked(table: Any, name: str) -> Any:
    for number, column in enumerate(table.columns, 1):
        kind = column.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
            value = column[0]
            raise UserError(
                f"Failed to load csv data with exception:\n{name}, column {number} holds what is no number, "
                f"such as {value}"
            )
    return table


def _numbers(table: Any) -> np.ndarray[Any, Any]:
    columns = [column.cast(pa.float32()).to_numpy() for column in table.columns]
    return np.column_stack(columns)


def _labelled(values: np.ndarray[Any, Any], *, weighted: bool) -> Any:
    """The label is the first column, the weight, where there is one, the second."""
    if values.shape[1] < (3 if weighted else 2):
        raise UserError("The data hold no features beside the label")
    features = values[:, 2:] if weighted else values[:, 1:]
    return xgb.DMatrix(features, label=values[:, 0], weight=values[:, 1] if weighted else None)


def _read_parquet(files: list[Path], _weighted: bool) -> Any:  # noqa: FBT001 -- one of a table of readers
    try:
        tables = [_checked(pq.read_table(path), path.name) for path in files]
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"Failed to load parquet data with exception:\n{error}") from error
    return _labelled(np.concatenate([_numbers(table) for table in tables]), weighted=False)


def _read_libsvm(files: list[Path], _weighted: bool) -> Any:  # noqa: FBT001 -- one of a table of readers
    lines = (line for path in files for line in path.read_text(encoding="utf-8").splitlines())
    try:
        features, labels, weights = _libsvm(lines)
    except ValueError as error:
        raise UserError(f"Failed to load libsvm data with exception:\n{error}") from error
    return xgb.DMatrix(features, label=labels, weight=weights if any(weights) else None)


def _libsvm(lines: Iterable[str]) -> tuple[csr_matrix, list[float], list[float]]:
    """Lines of `label[:weight] index:value …`; a line without label has features only."""
    labels, weights = [], []
    starts, indices, values = [0], [], []
    for number, line in enumerate(lines, 1):
        tokens = line.split()
        if not tokens:
            continue
        try:
            first, _, weight = tokens[0].partition(":")
            labels.append(float(first))
            weights.append(float(weight or 0))
            for token in tokens[1:]:
                index, _, value = token.partition(":")
                indices.append(int(index))
                values.append(float(value))
        except ValueError:
            raise ValueError(f"line {number} is not LIBSVM: {line[:50]!r}") from None
        starts.append(len(indices))
    columns = max(indices, default=0) + 1
    return csr_matrix((values, indices, starts), shape=(len(labels), columns)), labels, weights


_READERS = {"csv": _read_csv, "libsvm": _read_libsvm, "parquet": _read_parquet}


def _csv_content(text: str) -> np.ndarray[Any, Any]:
    delimiter = _delimiter(text.partition("\n")[0][:512])
    rows = [
        [cell or "nan" for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row
    ]
    return np.array(rows).astype(float)


def _libsvm_content(text: str) -> csr_matrix:
    # A request has no labels, or has them as the training data do.
    lines = text.splitlines()
    return _libsvm(line if ":" not in line.split(" ")[0] else f"0 {line}" for line in lines)[0]


_CONTENT = {"csv": _csv_content, "libsvm": _libsvm_content}


def content_matrix(kind: str, text: str) -> Any:
    """The matrix of a request's body; raises ValueError."""
    return xgb.DMatrix(_CONTENT[kind](text.strip()))
