"""The content types that every framework's server reads and writes: JSON, CSV and NPY.

As in AWS's toolkit a CSV body becomes an array without dimensions of length one, so that a single column or
row has one dimension only. Unlike there, a body that does not parse, an empty array, and null or NaN in JSON
are the client's fault (400); a model that takes missing values gets them as `nan` in CSV, in NPY, or through
an input_fn. NPY is read without pickles, which would run whatever they hold. Without numpy in the
environment, lists stand for arrays.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

try:
    import numpy as np
except ImportError:
    np = None  # type: ignore[assignment, unused-ignore]

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
TEXT = (JSON, CSV)


class Refused(Exception):
    """A request that cannot be answered: an HTTP status and a reason for the client."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def base_type(header: str) -> str:
    """A media type without its parameters, such as `text/csv` for `text/csv; charset=utf-8`."""
    return header.partition(";")[0].strip().lower()


def to_text(body: bytes) -> str:
    """The body as text; 400 where it is not UTF-8."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(400, f"the body is not UTF-8 text (byte {error.start})") from error


def decode(body: bytes, content_type: str) -> Any:
    """The array that a request's body holds.

    Raises:
        Refused: 415 for a content type that is not taken, 400 for a body that does not parse.
    """
    reader = _READERS.get(base_type(content_type))
    if reader is None:
        raise Refused(415, f"content type {content_type!r} is not supported: send {', '.join(_READERS)}")
    return reader(body)


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """A prediction in the best content type of an Accept header, with that type; 406 where none fits."""
    chosen = negotiate(accept, list(_WRITERS))
    return _WRITERS[chosen](prediction), chosen


def negotiate(accept: str, offered: Sequence[str]) -> str:
    """The offered type that an Accept header prefers; the first one for anything."""
    wishes = []
    for position, part in enumerate(accept.split(",")):
        quality = 1.0
        for parameter in part.split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _quality(value)
        wishes.append((-quality, position, base_type(part)))
    for weight, _, wish in sorted(wishes):
        for candidate in offered:
            if weight < 0 and (wish in ("*/*", "", candidate) or wish == candidate.partition("/")[0] + "/*"):
                return candidate
    raise Refused(406, f"accept {accept!r} is not supported: ask for {', '.join(offered)}")


def _quality(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0


def _read_json(body: bytes) -> Any:
    try:
        data = json.loads(to_text(body), parse_constant=_refuse_constant)
        _check_values(data)
    except ValueError as error:
        raise Refused(400, f"the body is not JSON: {error}") from error
    except RecursionError:
        raise Refused(400, "the body is JSON nested too deeply") from None
    return data if np is None else _array(data)


def _refuse_constant(name: str) -> Any:
    raise Refused(400, f"the body is not JSON: {name} is no JSON value")


def _check_values(data: Any) -> None:
    """Refuse what no model takes: null, and arrays that hold nothing."""
    if data is None:
        raise Refused(400, "the body holds null where a value must stand")
    if data == []:
        raise Refused(400, "the body holds an empty array")
    if isinstance(data, list):
        for item in data:
            if item is None or isinstance(item, list):
                _check_values(item)


def _array(data: Any) -> Any:
    try:
        return np.array(data)
    except ValueError as error:
        raise Refused(400, f"the body's rows differ in length: {error}") from error


def _read_csv(body: bytes) -> Any:
    lines = to_text(body).splitlines()
    try:
        rows = [(number, row) for number, row in enumerate(csv.reader(lines, strict=True), 1) if row]
    except csv.Error as error:
        raise Refused(400, f"the body is not CSV: {error}") from error
    if not rows:
        raise Refused(400, "the body holds no rows")
    width = len(rows[0][1])
    table = []
    for number, row in rows:
        if len(row) != width:
            raise Refused(400, f"line {number} has {len(row)} columns, the lines before it {width}")
        table.append([_number(cell, number, column) for column, cell in enumerate(row, 1)])
    return table if np is None else np.array(table).squeeze()


def _number(cell: str, line: int, column: int) -> float:
    try:
        return float(cell)
    except ValueError:
        raise Refused(400, f"line {line}, column {column}: {cell[:40]!r} is not a number") from None


def _read_npy(body: bytes) -> Any:
    if np is None:
        raise Refused(415, f"{NPY} needs numpy in the model's environment")
    try:
        array = np.load(io.BytesIO(body), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise Refused(400, f"the body is not an NPY array without pickles: {error}") from error
    if array.size == 0:
        raise Refused(400, "the body holds an empty array")
    return array


def _plain(value: Any) -> Any:
    """What json cannot write itself: arrays and tensors give their lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON: write an output_fn")


def _write_json(prediction: Any) -> bytes:
    return json.dumps(prediction, default=_plain).encode()


def _write_csv(prediction: Any) -> bytes:
    rows = prediction.tolist() if hasattr(prediction, "tolist") else prediction
    rows = rows if isinstance(rows, list) else [rows]
    text = io.StringIO()
    table = [row if isinstance(row, list) else [row] for row in rows]
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue().encode()


def _write_npy(prediction: Any) -> bytes:
    if np is None:
        raise Refused(406, f"{NPY} needs numpy in the model's environment")
    content = io.BytesIO()
    np.save(content, np.asarray(prediction), allow_pickle=False)
    return content.getvalue()


_READERS: dict[str, Callable[[bytes], Any]] = {JSON: _read_json, CSV: _read_csv, NPY: _read_npy}
_WRITERS: dict[str, Callable[[Any], bytes]] = {JSON: _write_json, CSV: _write_csv, NPY: _write_npy}
