"""Start, find and stop the embedded AWS: a server process of its own, `python -m localaws`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

STATE = Path(".localaws")
"""The folder of everything the embedded AWS writes: `data` of a server, `cache` of environments."""

START_SECONDS = 30.0
STOP_SECONDS = 20.0


class EmbeddedError(Exception):
    """The embedded AWS did not start or stop; the message says why and what to do."""


@dataclass(frozen=True)
class Running:
    """An embedded AWS that answers."""

    pid: int
    endpoint: str
    data: Path

    def environment(self, account: str, region: str) -> dict[str, str]:
        """The variables that point any AWS client, the CDK command too, at it as `account` in `region`."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def command(data: Path, cache: Path, port: int = 0) -> list[str]:
    """The command line that serves an embedded AWS from `data`."""
    where = ["--data", str(data), "--cache", str(cache), "--port", str(port)]
    return [sys.executable, "-m", "localaws", *where]


def find(data: Path) -> Running | None:
    """The server that answers for `data`, or None."""
    try:
        said = json.loads((data / "server.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Running(said["pid"], said["endpoint"], data) if _lives(said["pid"]) else None


def wait_until_ready(process: subprocess.Popen[bytes], data: Path) -> Running:
    """Wait for a server just started with `command`; raises EmbeddedError with its last words if it ends."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        running = find(data)
        if running is not None and running.pid == process.pid:
            return running
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise EmbeddedError(said or f"the embedded AWS ended at once: see {data / 'server.log'}")
        time.sleep(0.05)
    process.kill()
    raise EmbeddedError(f"the embedded AWS was not ready in {START_SECONDS:.0f} s: see {data / 'server.log'}")


def stop(running: Running) -> None:
    """Ask the server to stop and wait until it has; it ends all that it started."""
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not _lives(running.pid):
            return
        time.sleep(0.05)
    raise EmbeddedError(f"process {running.pid} still runs {STOP_SECONDS:.0f} s after its end was asked for")


def _lives(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
