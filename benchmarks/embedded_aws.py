"""The embedded AWS: how soon it answers; `path` measures its memory after the demo."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from atelier import embedded
from benchmarks.measure import Figure, median, timed


def figures() -> list[Figure]:
    """Seconds until it answers."""
    return [median("the embedded AWS is ready", 4.0, "s", _start)]


def _start() -> float:
    with tempfile.TemporaryDirectory() as scratch:
        data, cache = Path(scratch) / "data", Path(scratch) / "cache"
        process = subprocess.Popen(embedded.command(data, cache), stderr=subprocess.PIPE)
        try:
            return timed(lambda: embedded.wait_until_ready(process, data))
        finally:
            process.terminate()
            process.wait()
