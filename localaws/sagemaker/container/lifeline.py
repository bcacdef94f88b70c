"""A container's process ends with the server that started it, however that server ends."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path


def hold() -> None:
    """Kill this process's whole group when standard input, whose other end the server holds, is closed."""
    threading.Thread(target=_watch, args=(os.dup(0),), name="lifeline", daemon=True).start()
    # Nothing that this process starts may take the watcher's bytes.
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 1024):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)
