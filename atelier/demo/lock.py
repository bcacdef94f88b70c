"""One demo at a time in a clone, since all share one folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atelier.demo.journey import JourneyError


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file while the block runs; it holds this process's id.

    The system gives the lock up when the process ends, even a killed one.

    Raises:
        JourneyError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip()
            raise JourneyError(
                f"a demo runs already in this clone, process {pid}: wait for its end, or end it"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
