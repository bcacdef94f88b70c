"""Tables on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

WIDE = 200
"""The width of a table where no terminal says how wide it is: a pipe or a file breaks no lines."""


def new_table() -> Table:
    """A table without lines, whose columns and rows the caller adds."""
    return Table(box=None, pad_edge=False, header_style="bold")


def show(table: Table) -> None:
    """Print a table on standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    console.print(table)
