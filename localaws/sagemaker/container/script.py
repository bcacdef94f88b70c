"""The script's process: what it is started with, what it says, and how it ended."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .contract import Job, Machine

_TAIL_LINES = 200
_TAG = re.compile(r"^\[[^\]]*\]<std(out|err)>: ?")

Reword = Callable[[bytes], bytes]


class LaunchFailed(Exception):
    """The script cannot be started as it is asked for; the message says why and what to do."""


@dataclass(frozen=True)
class Launch:
    """What every way to start a script needs."""

    job: Job
    machine: Machine
    folder: Path
    """The job's folder on this host, by its own name; `job.base` may be where it is mounted."""
    named: bool
    """Whether the hosts' names resolve."""
    variables: Mapping[str, str]

    @property
    def command(self) -> list[str]:
        """The script with its arguments, as this host alone would run it."""
        interpreter = ["/bin/sh"] if self.job.program.endswith(".sh") else [sys.executable]
        return [*interpreter, *self.program]

    @property
    def program(self) -> list[str]:
        """The script with its arguments."""
        return [self.job.program, *self.job.arguments()]

    def address(self, host: str) -> str:
        """Where a host is reached."""
        return host if self.named else "127.0.0.1"

    def start(
        self,
        command: Sequence[str],
        variables: Mapping[str, str] | None = None,
        reword: Reword | None = None,
    ) -> Child:
        """Start a command in the code's folder; `variables` come over the script's own."""
        return Child(command, Path(self.job.code), {**self.variables, **(variables or {})}, reword)


class Child:
    """A process whose output goes to the log as it comes; the last lines of its standard error are kept."""

    def __init__(
        self, command: Sequence[str], folder: Path, variables: Mapping[str, str], reword: Reword | None = None
    ) -> None:
        """`reword` changes each line on its way to the log."""
        self.command = list(command)
        piped = None if reword is None else subprocess.PIPE
        self._process = subprocess.Popen(
            self.command, cwd=folder, env=variables, stdout=piped, stderr=subprocess.PIPE
        )
        self._tail: deque[bytes] = deque(maxlen=_TAIL_LINES)
        self._readers = [
            threading.Thread(target=_pass_on, args=(stream, reword, tail), daemon=True)
            for stream, tail in ((self._process.stdout, None), (self._process.stderr, self._tail))
            if stream is not None
        ]
        for reader in self._readers:
            reader.start()

    def wait(self) -> int:
        """The exit code, once it has ended."""
        return self._process.wait()

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def errors(self) -> list[str]:
        """The last lines of its standard error, without MPI's tags, once nothing holds the stream."""
        for reader in self._readers:
            reader.join(timeout=1)
        lines = b"".join(self._tail).decode("utf-8", "replace").splitlines()
        return [_TAG.sub("", line) for line in lines]


def _pass_on(stream: IO[bytes], reword: Reword | None, tail: deque[bytes] | None) -> None:
    for line in stream:
        shown = line if reword is None else reword(line)
        sys.stdout.buffer.write(shown)
        sys.stdout.buffer.flush()
        if tail is not None:
            tail.append(shown)


def say(text: str) -> None:
    """Write a line of the launcher's own to the log."""
    print(f"sagemaker-training: {text}", flush=True)  # noqa: T201 -- standard output is the job's log
