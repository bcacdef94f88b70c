"""A process that stands for a container: its own session, its output line by line, a sure end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

ENTRY = Path(__file__).parent / "container"
STOP_SECONDS = 120
"""How long a container may take to end after SIGTERM before it is killed, as on AWS."""


# These need nothing but the standard library, and start at once without the rest.
_FLAGS = {"train": ("-I", "-S"), "execute": ("-I", "-S")}


class Container:
    """One running entry point (a module of `container/`) in the environment of `python`.

    The container holds the other end of its standard input: when this server dies, however that happens, the
    pipe closes and the container kills itself and its children.
    """

    def __init__(
        self,
        python: Path,
        entry: str,
        folder: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
        arguments: Sequence[str] = (),
    ) -> None:
        self._process = subprocess.Popen(
            [str(python), *_FLAGS.get(entry, ()), str(ENTRY), entry, str(folder), *arguments],
            cwd=folder,
            # The environment's own programs (pip, torchrun) come before the machine's.
            env={**environment, "PATH": f"{python.parent}{os.pathsep}{environment.get('PATH', os.defpath)}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._on_line = on_line
        self._reader = threading.Thread(target=self._read, name=f"{entry}-log", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        if self._process.stdout is None:
            return
        for line in self._process.stdout:
            self._on_line(line.decode("utf-8", "replace").rstrip("\r\n"))

    def wait(self, seconds: float | None = None) -> int | None:
        """The exit code once it has ended and its output is read; None if that takes longer."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        # What its first process leaves behind ends with a container, and lets go of the output.
        self._signal(signal.SIGKILL)
        self._reader.join(timeout=2)
        return code

    def memory(self, *, exact: bool = False) -> int:
        """The bytes of memory that its processes hold together.

        What they share counts for each of them, which costs little to ask, or once, where it is to be exact.
        """
        total = 0
        with suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            for process in (first, *first.children(recursive=True)):
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    held = process.memory_full_info() if exact else process.memory_info()
                    total += getattr(held, "pss", held.rss)
        return total

    def terminate(self) -> None:
        """Ask every process of the container to end (SIGTERM)."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End every process of the container at once, those that left its session too."""
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        self._signal(signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def base_environment() -> dict[str, str]:
    """What every container starts from: a few variables of the host, none of this server's Python."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
    inherited = {name: os.environ[name] for name in kept if name in os.environ}
    return {**inherited, "PYTHONUNBUFFERED": "1"}
