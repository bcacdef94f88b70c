"""One process that runs a function: it takes one event at a time and keeps its state between them.

Events and answers travel over a socket pair as a line of JSON (with the `length` of what follows) and
that many bytes. Standard output and error come over one pipe, so that their order is kept. A second
pipe, never written to, tells the worker that the server is gone, however it went.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_CHUNK = 2**20
_CHECK_SECONDS = 1.0


class WorkerExited(Exception):
    """The process ended instead of answering; the message says how, in AWS's words."""


class WorkerTimedOut(Exception):
    """The deadline passed before an answer came."""


@dataclass(frozen=True)
class Reply:
    """What a worker answered: `kind` is ready, result, error or init_error; the payload is JSON."""

    kind: str
    payload: bytes


class Worker:
    """A started process; `output` takes what it prints, as it prints it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        task_root: Path,
        scratch: Path,
        output: Callable[[bytes], None],
    ) -> None:
        """Start it: `command` and then the two file descriptors and the handler's name (from `_HANDLER`)."""
        scratch.mkdir(parents=True)
        self._scratch = scratch
        self._output = output
        self._buffer = b""
        self._channel, channel = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        self._process = subprocess.Popen(
            [*command, str(channel.fileno()), str(lifeline), environment["_HANDLER"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            cwd=task_root,
            env={**environment, "TMPDIR": str(scratch), "HOME": str(scratch)},
            pass_fds=(channel.fileno(), lifeline),
            start_new_session=True,
        )
        channel.close()
        os.close(lifeline)
        self._log = self._process.stdout.fileno()  # type: ignore[union-attr]
        os.set_blocking(self._log, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._channel, selectors.EVENT_READ)
        self._selector.register(self._log, selectors.EVENT_READ)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def memory_mb(self) -> int:
        """Resident memory, in MB; 0 when the process is gone."""
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(self._process.pid).memory_info().rss // 2**20)
        return 0

    def send(self, header: dict[str, Any], payload: bytes) -> None:
        """Hand over one event."""
        head = json.dumps({**header, "length": len(payload)}).encode() + b"\n"
        # A worker that has died shows when its answer is read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._channel.sendall(head + payload)

    def receive(self, seconds: float) -> Reply:
        """The next answer, waited for at most `seconds`; raises WorkerTimedOut or WorkerExited."""
        deadline = time.monotonic() + seconds
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self._drain()
                raise WorkerTimedOut
            ready = self._selector.select(min(remaining, _CHECK_SECONDS))
            if not ready and not self.alive:
                raise self._exited()  # something that it forked keeps the channel open
            for key, _ in ready:
                if key.fd == self._log:
                    self._drain()
                else:
                    self._read()
            reply = self._parse()
            if reply is not None:
                # What was printed before the answer was sent is in the pipe by now.
                self._drain()
                return reply

    def kill(self) -> None:
        """End the process with all that it started; whoever waits for its answer is told."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process and remove its folder; nobody may use the worker after."""
        self.kill()
        self._process.wait()
        self._selector.close()
        self._channel.close()
        self._process.stdout.close()  # type: ignore[union-attr]
        os.close(self._lifeline)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _read(self) -> None:
        try:
            chunk = self._channel.recv(_CHUNK)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            raise self._exited()
        self._buffer += chunk

    def _exited(self) -> WorkerExited:
        self._drain()
        try:
            code = self._process.wait(_CHECK_SECONDS)
        except subprocess.TimeoutExpired:  # it closed the channel and lives on
            self._process.kill()
            code = self._process.wait()
        return WorkerExited(_how(code))

    def _parse(self) -> Reply | None:
        head, newline, body = self._buffer.partition(b"\n")
        if not newline:
            return None
        header = json.loads(head)
        if len(body) < header["length"]:
            return None
        self._buffer = b""
        return Reply(header["kind"], body)

    def _drain(self) -> None:
        """Pass on what has been printed so far."""
        while True:
            try:
                chunk = os.read(self._log, _CHUNK)
            except BlockingIOError:
                return
            if not chunk:
                # Closed by the worker: never readable again.
                with contextlib.suppress(KeyError):
                    self._selector.unregister(self._log)
                return
            self._output(chunk)


def _how(code: int) -> str:
    if code == 0:
        return "Runtime exited without providing a reason"
    if code < 0:
        return f"Runtime exited with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"
    return f"Runtime exited with error: exit status {code}"
