"""The file imdb.npz of Keras's data set `imdb`, without running what is in it.

Its arrays of reviews are arrays of lists, which numpy keeps as pickles, and a pickle may call any function.
So `allow_pickle` stays off: the lists are read by an unpickler that knows the few names that an array of
lists needs, and answers each with a harmless stand-in of its own; a file that asks for anything else is
refused.
"""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

import contract

NAMES = ("x_train", "y_train", "x_test", "y_test")


class _Array:
    """Stands in for numpy.ndarray: keeps the list of items that an array's state ends with."""

    items: list[Any]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.items = state[-1]


class _Type:
    """Stands in for numpy.dtype, of which nothing is needed."""

    def __init__(self, *_: object) -> None:
        """Take what a pickled dtype comes with."""

    def __setstate__(self, state: object) -> None:
        """Pass over what a pickled dtype comes with."""


def _array(*_: object) -> _Array:
    return _Array()


def _latin(text: str, _encoding: str = "latin1") -> bytes:
    return text.encode("latin1")


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _latin,  # how an old pickle writes bytes
}


class _ListsOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which a list of numbers needs not"
            ) from None


def read(path: Path) -> dict[str, tuple[list[list[int]], list[int]]]:
    """The reviews, each a list of the ranks of its words, and their labels: for `train` and for `test`.

    Raises:
        UserError: a broken file, an array that is missing or holds something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = {name: _read_array(archive.read(f"{name}.npy")) for name in NAMES}
    except KeyError as error:
        raise contract.UserError(f"{path.name}: {error.args[0]}") from error
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, zlib.error) as error:
        raise contract.UserError(f"{path.name} is no whole imdb.npz: {error}") from error
    parts = {part: (found[f"x_{part}"], found[f"y_{part}"]) for part in ("train", "test")}
    for part, (rows, labels) in parts.items():
        _check(f"{path.name}, {part}", rows, labels)
    return parts


def _read_array(content: bytes) -> list[Any]:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in header:
        raise ValueError(f"unknown version {version} of an array")
    _, _, dtype = header[version](file)
    if dtype.hasobject:
        try:
            return list(_ListsOnly(file).load().items)
        except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"a damaged array: {error}") from error
    file.seek(0)
    return np.load(file, allow_pickle=False).tolist()


def _check(place: str, rows: list[Any], labels: list[Any]) -> None:
    if not rows or len(rows) != len(labels):
        raise contract.UserError(f"{place}: {len(rows)} reviews with {len(labels)} labels")
    for number, row in enumerate(rows):
        if type(row) is not list or not all(type(rank) is int and rank > 0 for rank in row):
            raise contract.UserError(f"{place}: review {number} is no list of ranks from 1")
    if not set(labels) <= {0, 1}:
        raise contract.UserError(f"{place}: a label is neither 0 nor 1")
