"""The table reader: right numbers, and faults named by file, line and column."""

from __future__ import annotations

import gzip
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tables
from contract import UserError

COLUMNS = ("y", "x")
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def channel(folder, **files):
    """A channel with the given files."""
    folder = folder / "train"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read_or_refusal(folder):
    """The channel's table, or the UserError."""
    try:
        return tables.read(folder, COLUMNS)
    except UserError as error:
        return error


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_numbers_arrive_as_they_were_written(tmp_path_factory, rows, end, mark):
    """To the last digit, whatever ends lines, with or without the mark of UTF-8."""
    text = "".join(f"{y!r},{x!r}{end}" for y, x in rows)
    folder = channel(tmp_path_factory.mktemp("data"), a=("\ufeff" if mark else "") + text)
    table = tables.read(folder, COLUMNS)
    assert list(zip(table["y"].tolist(), table["x"].tolist(), strict=True)) == rows
    assert table["y"].dtype == np.float64


@given(st.text(alphabet=st.sampled_from('0123456789.,-+eE"\n\r nanif\ufeffé\0 \t')))
def test_a_file_is_read_or_its_fault_is_named(tmp_path_factory, text):
    """Whatever is in it: finite numbers in two columns, or a UserError that names the file."""
    folder = channel(tmp_path_factory.mktemp("data"), a=text)
    table = read_or_refusal(folder)
    if isinstance(table, UserError):
        assert str(table).startswith("train/a.csv")
    else:
        assert len(table["y"]) == len(table["x"]) > 0
        assert all(math.isfinite(value) for value in [*table["y"], *table["x"]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2\n3\n", r"train/a\.csv line 2: 1 columns, expected 2 \(y,x\)"),
        ("1,2\n\n3,4,5\n", r"train/a\.csv line 3: 3 columns, expected 2 \(y,x\)"),
        ("1,2\n3,many\n", r"train/a\.csv line 2, column x: 'many' is not a number$"),
        ("y,x\n3,4\n", r"train/a\.csv line 1, column y: 'y' is not a number: the file must have no header"),
        ("1,2\n3,\n", r"train/a\.csv line 2, column x: '' is not a number"),
        ("1,nan\n", r"train/a\.csv line 1, column x: 'nan' is not a finite number"),
        ("1,2\n1e400,2\n", r"train/a\.csv line 2, column y: '1e400' is not a finite number"),
        ("", r"train/a\.csv is empty"),
        ("\n\n", r"train/a\.csv holds no rows"),
        (b"\x89PNG\r\n\x1a\n\xff\xff", r"train/a\.csv"),
        ("1_000,2\n", r"train/a\.csv.*1_000"),
    ],
)
def test_a_fault_is_named_by_file_line_and_column(tmp_path, content, message):
    """As a person counts them, also where empty lines stand before."""
    with pytest.raises(UserError, match=message):
        tables.read(channel(tmp_path, a=content), COLUMNS)


def test_a_fault_far_down_a_large_file_is_found(tmp_path):
    """Where pyarrow reads in blocks, and does not know of lines."""
    lines = ["1.5,2.5\n"] * 300_000
    lines[250_000] = "1.5,2.5,3.5\n"
    with pytest.raises(UserError, match=r"train/a\.csv line 250001: 3 columns"):
        tables.read(channel(tmp_path, a="".join(lines)), COLUMNS)


def test_all_files_are_read_in_the_order_of_their_names(tmp_path):
    """Marks of other programs are passed over, compressed files are opened."""
    folder = channel(tmp_path, b="3,4\n", a="1,2\n")
    (folder / "_SUCCESS").touch()
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / "deep").mkdir()
    (folder / "deep" / "c.csv.gz").write_bytes(gzip.compress(b"5,6\n"))
    assert tables.read(folder, COLUMNS)["y"].tolist() == [1, 3, 5]
    (folder / "deep" / "c.csv.gz").write_bytes(gzip.compress(b"5,six\n"))
    with pytest.raises(UserError, match=r"train/deep/c\.csv\.gz line 1, column x: 'six'"):
        tables.read(folder, COLUMNS)


def test_a_channel_without_files_is_refused(tmp_path):
    """The channel exists: its prefix held nothing."""
    with pytest.raises(UserError, match="channel 'train' holds no files: upload CSV with the columns y,x"):
        tables.read(channel(tmp_path), COLUMNS)
