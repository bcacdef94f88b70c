"""The warm workers of one function: an event takes an idle one or has another started."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from localaws.lambda_.sandbox import Sandbox


class Pool:
    """Workers of one version of code and configuration; `launch` starts another."""

    def __init__(self, launch: Callable[[], Sandbox]) -> None:
        self._launch = launch
        self._idle: list[tuple[float, Sandbox]] = []
        self._busy: set[Sandbox] = set()
        self._retired = self._killed = False
        self._lock = threading.Lock()

    def acquire(self) -> Sandbox:
        """An idle worker, the one used last, or a new one."""
        with self._lock:
            sandbox = self._idle.pop()[1] if self._idle else None
        if sandbox is not None and not sandbox.alive:
            sandbox.close()
            sandbox = None
        sandbox = sandbox or self._launch()
        with self._lock:
            self._busy.add(sandbox)
        if self._killed:
            sandbox.kill()
        return sandbox

    def release(self, sandbox: Sandbox) -> None:
        """Keep the worker for the next event, or end it when it is spent or the pool retired."""
        with self._lock:
            self._busy.discard(sandbox)
            keep = not self._retired and not sandbox.spent
            if keep:
                self._idle.append((time.monotonic(), sandbox))
        if not keep:
            sandbox.close()

    def reap(self, idle_seconds: float) -> None:
        """End the workers that have been idle for longer."""
        oldest = time.monotonic() - idle_seconds
        with self._lock:
            stale = [sandbox for since, sandbox in self._idle if since < oldest]
            self._idle = [entry for entry in self._idle if entry[0] >= oldest]
        for sandbox in stale:
            sandbox.close()

    def retire(self) -> None:
        """End the idle workers now and the busy ones after their event."""
        self._retired = True
        self.reap(0)

    def kill(self) -> None:
        """End every worker at once, whatever it does, and each that is being started."""
        self._killed = True
        self.retire()
        with self._lock:
            busy = list(self._busy)
        for sandbox in busy:
            sandbox.kill()
