"""Checkpoints that are whole or refused: each begins with a digest of the rest, and the last two are kept."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

import contract

KEPT = 2
_DIGEST_BYTES = 32
_NAME = "epoch-{:06d}.pt"


def write(folder: Path, epoch: int, state: dict[str, Any]) -> None:
    """Write the state after an epoch, then forget all but the newest two."""
    content = io.BytesIO()
    torch.save(state, content)
    # SageMaker carries files away as they are: under its own name the file is whole.
    with contract.writing(folder / _NAME.format(epoch)) as file:
        file.write(hashlib.sha256(content.getbuffer()).digest())
        file.write(content.getbuffer())
    for old in _newest_first(folder)[KEPT:]:
        old.unlink()


def read_newest(folder: Path) -> dict[str, Any] | None:
    """The state of the newest checkpoint that is whole; None where there is none at all.

    Raises:
        UserError: there are checkpoints, and none of them is whole, or the newest is no checkpoint of ours.
    """
    found = _newest_first(folder)
    for path in found:
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST_BYTES:]).digest() == content[:_DIGEST_BYTES]:
            with of_this_version(folder):
                state: dict[str, Any] = torch.load(
                    io.BytesIO(content[_DIGEST_BYTES:]), map_location="cpu", weights_only=True
                )
            return state
        print(f"checkpoint {path.name} is corrupt; looking for the one before", flush=True)
    if found:
        names = ", ".join(path.name for path in found)
        raise contract.UserError(
            f"no checkpoint in {folder.name} is whole ({names}): remove them to start from the beginning"
        )
    return None


@contextmanager
def of_this_version(folder: Path) -> Iterator[None]:
    """Turn what goes wrong with the content of a whole checkpoint into a UserError that says what to do."""
    try:
        yield
    except Exception as error:  # torch raises many kinds: whatever it is, the checkpoint is of no use
        if not isinstance(contract.classify(error), contract.AlgorithmError):
            raise
        raise contract.UserError(
            f"the newest checkpoint in {folder.name} is of another version of this script "
            f"({type(error).__name__}: {error}): remove the checkpoints to start from the beginning"
        ) from error


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(_NAME.format(0).replace("000000", "*")), reverse=True)
