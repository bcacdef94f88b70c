"""A container's processes end with it, and it ends with the server that started it, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SET_CHILD_SUBREAPER = 36


def hold() -> None:
    """From now on end everything when standard input, whose other end the server holds, is closed."""
    if sys.platform.startswith("linux"):
        # What leaves its parent and its session becomes this process's child, so that it can be found.
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    threading.Thread(target=_watch, args=(os.dup(0),), name="lifeline", daemon=True).start()
    # Nothing that this process starts may take the watcher's bytes.
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)


def end_children() -> None:
    """Kill every process that descends from this one."""
    for pid in _descendants(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 1024):
        pass
    end_children()
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)  # started by hand, it is not alone in its group


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text(encoding="ascii").split():
                yield int(child)
                yield from _descendants(int(child))
