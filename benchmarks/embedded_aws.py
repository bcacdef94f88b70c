"""The embedded AWS: how soon it answers; `path` measures its memory after the demo."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from atelier import embedded
from benchmarks.measure import Figure, median, timed


def figures() -> list[Figure]:
    """Seconds until it answers."""
    return [median("the embedded AWS is ready", 4.0, "s", _start)]


def _start() -> float:
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        serve = embedded.serve(Path(scratch) / "data", Path(scratch) / "cache")
        return timed(lambda: stack.enter_context(serve))
