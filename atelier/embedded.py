"""Start, find and stop the embedded AWS: a server process of its own, `python -m localaws`."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".localaws"
"""The folder of everything the embedded AWS writes: `data` of a server, `cache` of environments."""

CONTAINERS = ROOT / "containers"
"""The folder of the team's own images, each with the files that its image runs."""

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


@contextmanager
def serve(data: Path, cache: Path = STATE / "cache", port: int = 0) -> Iterator[Running]:
    """Serve an embedded AWS from `data` while the block runs; it ends with this process, even a killed one.

    Args:
        data: the folder for all that the server writes.
        cache: the folder of Python environments, which may be shared.
        port: the port of 127.0.0.1; 0 takes a free one.

    Raises:
        EmbeddedError: it did not come up; the message holds its last words.
    """
    where = ["--data", str(data), "--cache", str(cache), "--port", str(port)]
    if CONTAINERS.is_dir():
        where += ["--containers", str(CONTAINERS)]
    process = subprocess.Popen(
        [sys.executable, "-m", "localaws", *where, "--with-stdin"],
        # CDK's own handlers load their AWS SDK from here, as from Lambda's Node runtime.
        env={**os.environ, "NODE_PATH": str(ROOT / "node_modules")},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Ctrl-C is for the one who serves: the server is stopped in order, not hit beside it.
        start_new_session=True,
    )
    try:
        yield _wait_until_ready(process, data)
    finally:
        process.terminate()
        process.communicate()


def find(data: Path) -> Running | None:
    """The server that answers for `data`, or None."""
    try:
        said = json.loads((data / "server.json").read_text(encoding="utf-8"))
        running = Running(said["pid"], said["endpoint"], data)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return running if _locked(data) and _lives(running.pid) else None


def wait(running: Running) -> None:
    """Return when the server has been stopped.

    Raises:
        EmbeddedError: it ended without being asked to.
    """
    while _lives(running.pid):
        time.sleep(0.2)
    # One that ends in order takes its address away; a killed one cannot.
    if (running.data / "server.json").exists():
        raise EmbeddedError(f"the embedded AWS was killed or failed: see {running.data / 'server.log'}")


def stop(running: Running) -> None:
    """Ask the server to stop and wait until it has; it ends all that it started."""
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not _lives(running.pid):
            return
        time.sleep(0.05)
    raise EmbeddedError(f"process {running.pid} still runs {STOP_SECONDS:.0f} s after its end was asked for")


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path) -> Running:
    log = data / "server.log"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        running = find(data)
        if running is not None and running.pid == process.pid:
            return running
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise EmbeddedError(said or f"the embedded AWS ended at once: see {log}")
        time.sleep(0.05)
    raise EmbeddedError(f"the embedded AWS was not ready in {START_SECONDS:.0f} s: see {log}")


def _locked(data: Path) -> bool:
    """Whether a server holds the folder: what a killed one left names a process that may be anybody's."""
    try:
        with (data / "lock").open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _lives(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
