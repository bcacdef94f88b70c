"""The records of a batch transform: split, batched, filtered, joined with what the model answers.

Records are CSV rows or JSON texts. A filter is a JSONPath as SageMaker takes it for them: `$`, `$.name`,
`$['a','b']`, `$[0]`, `$[-1]`, `$[1:3]` and `$[0,2]`, one after the other.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

Filter: TypeAlias = Callable[[Any], Any]

CSV = "text/csv"
_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)"
    r"|\[(?P<slice>-?\d*:-?\d*)\]"
    r"|\[(?P<numbers>-?\d+(\s*,\s*-?\d+)*)\]"
    r"|\[(?P<names>'[^']*'(\s*,\s*'[^']*')*)\]"
)


class BadRecord(ValueError):
    """A record, a filter or an answer cannot be used; the message says which and why."""


def parse_filter(text: str) -> Filter:
    """The function that a JSONPath stands for; raises BadRecord for one that is not taken."""
    if not text.startswith("$"):
        raise BadRecord(f"the JSONPath {text!r} does not begin with $")
    steps: list[Filter] = []
    position = 1
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise BadRecord(f"the JSONPath {text!r} is not taken from {text[position:]!r} on")
        steps.append(_step(match))
        position = match.end()

    def apply(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return apply


def _step(match: re.Match[str]) -> Filter:
    if match["slice"] is not None:
        start, end = (int(part) if part else None for part in match["slice"].split(":"))
        return lambda value: value[start:end]
    if match["numbers"] is not None:
        numbers = [int(part) for part in match["numbers"].split(",")]
        return lambda value: value[numbers[0]] if len(numbers) == 1 else [value[index] for index in numbers]
    names = [match["name"]] if match["name"] else re.findall(r"'([^']*)'", match["names"])
    return lambda value: value[names[0]] if len(names) == 1 else {name: value[name] for name in names}


def split(content: bytes, kind: str) -> list[bytes]:
    """The records of a file: its lines, or the whole (`kind` Line or None)."""
    return [line for line in content.splitlines() if line.strip()] if kind == "Line" else [content]


def batches(records: Iterable[bytes], most: int, *, single: bool) -> Iterator[list[bytes]]:
    """Records by requests of at most `most` bytes; raises BadRecord for one that is larger by itself."""
    batch: list[bytes] = []
    size = 0
    for record in records:
        if len(record) > most:
            raise BadRecord(f"Too much data for max payload size: a record of {len(record)} bytes")
        if batch and (single or size + len(record) + 1 > most):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record) + 1
    if batch:
        yield batch


def filtered(record: bytes, chosen: Filter, content_type: str) -> bytes:
    """The part of an input record that the model is asked about."""
    return _written(_applied(chosen, _read(record, content_type)), content_type)


def joined(record: bytes, answer: bytes, chosen: Filter, content_type: str) -> bytes:
    """An input record with the model's answer to it, and of that what the output filter leaves."""
    source = _read(record, content_type)
    if content_type == CSV:
        both: Any = [*source, *_read(answer, CSV)]
    else:
        output = _read(answer, content_type)
        both = (
            {**source, "SageMakerOutput": output}
            if isinstance(source, dict)
            else {"SageMakerInput": source, "SageMakerOutput": output}
        )
    return _written(_applied(chosen, both), content_type)


def output_filtered(answer: bytes, chosen: Filter, content_type: str) -> bytes:
    """What the output filter leaves of an answer that is joined with nothing."""
    return _written(_applied(chosen, _read(answer, content_type)), content_type)


def answers_of(response: bytes, count: int) -> Sequence[bytes]:
    """The answer to each of `count` records that were asked about together; raises BadRecord."""
    lines = [response] if count == 1 else response.splitlines()
    if len(lines) != count:
        raise BadRecord(f"Fail to join data: {count} input records, but {len(lines)} predictions")
    return [line.strip() for line in lines]


def _applied(chosen: Filter, value: Any) -> Any:
    try:
        return chosen(value)
    except (LookupError, TypeError) as error:
        raise BadRecord(f"a filter does not fit a record: {type(error).__name__}: {error}") from error


def _read(record: bytes, content_type: str) -> Any:
    try:
        text = record.decode("utf-8")
        if content_type == CSV:
            return next(csv.reader([text]), [])
        return json.loads(text)
    except (ValueError, csv.Error) as error:
        raise BadRecord(f"a record is not {content_type}: {error}") from error


def _written(value: Any, content_type: str) -> bytes:
    if content_type != CSV:
        return json.dumps(value).encode()
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return text.getvalue().encode()
