"""Read an array of a channel from an .npy file, with errors that name the file; no pickle in it is run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from contract import UserError

_IN_MEMORY_BYTES = 2**30


def read(path: Path, remedy: str) -> np.ndarray:
    """The array of a file that has at least one row.

    Up to 1 GiB is read at once; more stays on disk, mapped into memory, and is read as it is needed.

    Args:
        path: `<channel>/<name>.npy`.
        remedy: what to do where there is no such file.

    Raises:
        UserError: no such file, an empty or damaged one, one with a pickle, an array without rows.
    """
    place = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        raise UserError(f"{place} is missing: {remedy}")
    size = path.stat().st_size
    if not size:
        raise UserError(f"{place} is empty: expected an array in numpy's format")
    try:
        found = np.load(path, mmap_mode=None if size <= _IN_MEMORY_BYTES else "r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise UserError(f"{place} is no whole NPY file without pickles: {error}") from None
    if not isinstance(found, np.ndarray):
        raise UserError(f"{place} is an archive of arrays (.npz): expected one array")
    if not found.size:
        raise UserError(f"{place} is of shape {found.shape}, which holds nothing")
    return found


def first(wrong: np.ndarray) -> int:
    """The first row of which something is wrong, from 0.

    Args:
        wrong: whether it is, of shape (n, …).
    """
    return int(wrong.reshape(len(wrong), -1).any(axis=1).argmax())
