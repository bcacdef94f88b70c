"""Measure everything and print a table; exit with 1 when a promise does not hold."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from benchmarks import (
    cold_start,
    embedded_aws,
    environments,
    gpu,
    overhead,
    path,
    preparation,
    reading,
    synth,
)
from benchmarks.measure import ROUNDS, Figure


def main() -> None:
    """Run every benchmark, the quick ones first."""
    # A table of sentences needs room, also where the output goes to a file.
    console = Console(width=None if sys.stdout.isatty() else 140)
    figures: list[Figure] = []
    for module in (
        embedded_aws,
        cold_start,
        reading,
        preparation,
        synth,
        environments,
        overhead,
        path,
        gpu,
    ):
        with console.status(f"measuring {module.__name__.rpartition('.')[2]} …"):
            figures += module.figures()
    table = Table("what", "measured", "bound", "detail", "", title=f"medians of {ROUNDS}")
    for figure in figures:
        verdict = "[green]holds[/]" if figure.holds else "[red]exceeded[/]"
        measured, bound = f"{figure.measured:.2f} {figure.unit}", f"{figure.bound:g} {figure.unit}"
        table.add_row(figure.what, measured, bound, figure.detail, verdict)
    console.print(table)
    if not gpu.has_gpu():
        console.print("no GPU: bf16 against fp32 was not measured")
    sys.exit(not all(figure.holds for figure in figures))


if __name__ == "__main__":
    main()
