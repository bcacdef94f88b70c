"""Text preparation that the text jobs share: tokens, the rows of big CSV files, work spread over processes.

Standard library only, Python 3.8 or newer; linked into the script folders that use it.
"""

from __future__ import annotations

import csv
import html
import io
import multiprocessing
import os
import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

import contract

Item = TypeVar("Item")
Result = TypeVar("Result")

PART_BYTES = 4 * 2**20
"""A file is handed out in parts of this size: small enough to share evenly, worth the handing out."""

_WORD = r"[^\W_]+(?:['\u2019][^\W_]+)*"  # an apostrophe, straight or curled, within a word is part of it
# An underscore is no part of a token: no text can forge a `__label__`.
_TOKENS = re.compile(rf"{_WORD}|[^\w\s]")
_WORDS = re.compile(_WORD)
_SPACED = [("_", " "), *((mark, f" {mark} ") for mark in string.punctuation if mark not in "'_")]
_LONE_APOSTROPHES = re.compile(r"(?<![a-z0-9])'|'(?![a-z0-9])")
_TAGS = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>|<![^<>]*>", re.DOTALL)


def tokens(text: str) -> list[str]:
    """Words in lower case, and each punctuation mark on its own, in the order of the text."""
    lowered = text.lower()
    if not (lowered.isascii() and lowered.isprintable()):
        return _TOKENS.findall(lowered)
    # The same for plain text, two to three times as fast: a search for a mark costs less than a match a word.
    for mark, spaced in _SPACED:
        if mark in lowered:
            lowered = lowered.replace(mark, spaced)
    if "'" in lowered:
        lowered = _LONE_APOSTROPHES.sub(" ' ", lowered)
    return lowered.split()


def words(text: str) -> list[str]:
    """Words in lower case without punctuation."""
    return _WORDS.findall(text.lower())


def without_html(text: str) -> str:
    """The text with a space for each tag or comment, and with characters for their names (`&amp;`)."""
    return html.unescape(_TAGS.sub(" ", text))


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class InOrder(Protocol):
    """Does some work on every item of a sequence, and gives the results in the items' order."""

    def __call__(self, work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """`work(item)` of every item; `work` is a function of a module, for it is sent by name."""


@contextmanager
def workers(processes: int) -> Iterator[InOrder]:
    """So many processes that share work (0: one a core); the result is the same for any number of them.

    Raises:
        PlatformError: a process was killed, most often for want of memory.
    """
    processes = processes or cores()
    if processes == 1:
        yield cast(InOrder, map)
        return
    # Spawned, not forked: a fork of a program with threads (a test runner's, a framework's) can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        try:
            yield cast(InOrder, pool.map)
        except BrokenProcessPool:
            raise contract.PlatformError(
                "a process that prepared text was killed: choose an instance with more memory"
            ) from None


def batches(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """The items in runs of `size`, the last one shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]


@dataclass(frozen=True)
class Part:
    """Some whole records of a CSV file: `size` bytes from `start`, the first of them on line `line`."""

    path: Path
    start: int
    size: int
    line: int


def parts(path: Path, size: int = PART_BYTES) -> list[Part]:
    """The file in parts of at least `size` bytes that end with a record.

    A record ends with a line, unless an odd number of quotation marks precede: then the line break is part
    of a quoted field. Counting is far faster than parsing, which is left to those who get the parts.
    """
    found: list[Part] = []
    start, line = 0, 1
    with path.open("rb") as file:
        while block := file.read(size):
            length, quotes, lines = len(block), block.count(b'"'), block.count(b"\n")
            ended = block.endswith(b"\n")
            while (not ended or quotes % 2) and (rest := file.readline()):
                length, quotes, lines = length + len(rest), quotes + rest.count(b'"'), lines + 1
                ended = True
            found.append(Part(path, start, length, line))
            start, line = start + length, line + lines
    return found


def rows(part: Part, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Each record of a part with the line it begins on; empty lines are passed over.

    Raises:
        UserError: a record without exactly these columns, wrong quotation marks, text that is not UTF-8.
    """
    line = part.line
    reader = csv.reader(io.StringIO(_content(part), newline="\n"), strict=True)
    try:
        for cells in reader:
            if cells and len(cells) != len(columns):
                expected = f"expected {len(columns)} ({','.join(columns)})"
                raise contract.UserError(f"{place(part.path, line)}: {len(cells)} columns, {expected}")
            if cells:
                yield line, cells
            line = part.line + reader.line_num
    except csv.Error as error:
        raise contract.UserError(f"{place(part.path, line)}: {error}") from None


def _content(part: Part) -> str:
    with part.path.open("rb") as file:
        file.seek(part.start)
        return _decoded(file.read(part.size), part)


def read(path: Path) -> str:
    """A small file of text, such as one word a line.

    Raises:
        UserError: text that is not UTF-8.
    """
    content = path.read_bytes()
    return _decoded(content, Part(path, 0, len(content), 1))


def _decoded(content: bytes, part: Part) -> str:
    try:
        # Spreadsheets mark UTF-8 with three bytes that are no part of the first cell.
        return content.decode("utf-8" if part.start else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = part.line + content.count(b"\n", 0, error.start)
        raise contract.UserError(f"{place(part.path, line)} is not UTF-8 text: save it as UTF-8") from None


def place(path: Path, line: int) -> str:
    """Where something is wrong: channel, file and line."""
    return f"{path.parent.name}/{path.name} line {line}"


def required(path: Path) -> Path:
    """The path, when there is such a file and it is not empty.

    Raises:
        UserError: there is none, or nothing in it.
    """
    if not path.is_file():
        raise contract.UserError(f"{path.parent.name} holds no {path.name}: upload it")
    if not path.stat().st_size:
        raise contract.UserError(f"{path.parent.name}/{path.name} is empty")
    return path


def csv_files(folder: Path) -> list[Path]:
    """The CSV files of a folder and what is below it, in the order of their names.

    Raises:
        UserError: there is none.
    """
    found = sorted(path for path in folder.rglob("*.csv") if path.is_file())
    if not found:
        raise contract.UserError(f"{folder.name} holds no CSV file: upload at least one")
    return found


def write(path: Path, content: bytes) -> None:
    """Write a file that is there once it is whole."""
    with contract.writing(path) as file:
        file.write(content)


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write lines to a file that is there once it is whole; their number."""
    count = 0
    with contract.writing(path) as file:
        for count, line in enumerate(lines, 1):  # noqa: B007 -- the last number is their number
            file.write(f"{line}\n".encode())
    return count
