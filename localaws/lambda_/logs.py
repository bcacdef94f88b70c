"""What a worker prints, as events of its CloudWatch log stream."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from moto.logs.exceptions import ResourceAlreadyExistsException
from moto.logs.models import logs_backends

_FLUSH_SECONDS = 0.5


class LogStream:
    """One log stream, created with its group when the first line comes.

    Lines are written to moto's backend directly: a call over HTTP for each event would cost more than
    most functions take.
    """

    def __init__(self, account: str, region: str, group: str, name: str) -> None:
        self._backend = logs_backends[account][region]
        self.group = group
        self.name = name
        self._partial = b""
        self._pending: list[dict[str, Any]] = []
        self._flushed = time.monotonic()
        self._recent: list[str] = []

    def write(self, chunk: bytes) -> None:
        """Take what was printed; complete lines become events, shown within half a second."""
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        for line in lines:
            self._add(line.decode(errors="replace"))
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()

    def line(self, text: str) -> None:
        """Add an event of Lambda's own; what was printed before without a line end is one as well."""
        if self._partial:
            self.write(b"\n")
        self._add(text)

    def _add(self, text: str) -> None:
        if not text.strip():
            return  # CloudWatch takes no empty events
        self._pending.append({"timestamp": int(time.time() * 1000), "message": text + "\n"})
        self._recent.append(text + "\n")

    def begin(self) -> None:
        """An invocation begins: `tail` gives what follows."""
        self._recent.clear()

    def tail(self, size: int) -> bytes:
        """The last `size` bytes of the invocation's log."""
        return "".join(self._recent).encode()[-size:]

    def flush(self) -> None:
        """Put what is pending into the log stream."""
        self._flushed = time.monotonic()
        if not self._pending:
            return
        pending, self._pending = sorted(self._pending, key=lambda event: event["timestamp"]), []
        # Two workers may meet here; and the group or stream may have been deleted under a warm one.
        with contextlib.suppress(ResourceAlreadyExistsException):
            self._backend.create_log_group(self.group, {})
        with contextlib.suppress(ResourceAlreadyExistsException):
            self._backend.create_log_stream(self.group, self.name)
        self._backend.put_log_events(self.group, self.name, pending)
