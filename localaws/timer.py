"""Work that begins later: one thread that sleeps until the next piece is due."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any


class Timer:
    """Hands work to `run(work, *args)` when its time has come; `run` must not block."""

    def __init__(self, name: str, run: Callable[..., object]) -> None:
        self._name = name
        self._run = run
        self._due: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def after(self, seconds: float, work: Callable[..., object], *args: Any) -> None:
        """Have `work(*args)` run `seconds` from now; never, if the timer is stopped before."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), work, args))
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        """Forget all pending work and end the thread."""
        with self._changed:
            self._stopped = True
            self._due.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is None or wait > 0:
                    # A condition cannot wait for longer than some years; a schedule may.
                    self._changed.wait(min(wait, threading.TIMEOUT_MAX) if wait is not None else None)
                    continue
                _, _, work, args = heapq.heappop(self._due)
            self._run(work, *args)
