"""What the demo shows: one line a phase as it ends, and under it what happens meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape


def clipped(text: str, length: int) -> str:
    """On one line, and no longer than `length`."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 2]} …"


@dataclass
class Phase:
    """A step of the demo while it runs; `note` ends up beside its title."""

    title: str
    note: str = ""


@dataclass
class Screen:
    """Prints to `console` and remembers how long each phase took, in seconds."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, title: str) -> Iterator[Phase]:
        """Show `title` with a spinner while the block runs, then as done with its time."""
        started = time.monotonic()
        phase = Phase(title)
        with self.console.status(f"{title} …"):
            yield phase
        took = time.monotonic() - started
        self.seconds[title] = round(took, 2)
        note = escape(phase.note)
        line = f"[green]✓[/] [bold]{title:<14}[/] {note} [dim]{took:.1f} s[/]"
        self.console.print(line, highlight=False, soft_wrap=True)

    def detail(self, text: str, style: str = "dim") -> None:
        """One line under the phase that runs."""
        self.console.print(f"  [{style}]{escape(text)}[/]", highlight=False, soft_wrap=True)
