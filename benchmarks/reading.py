"""Reading a channel's numbers: the scripts' table reader against np.loadtxt, in time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Figure

SCRIPTS = Path(__file__).resolve().parent.parent / "training_scripts"
ROWS = 10_000_000
COLUMNS = ("y", "x")
READERS = {
    "tables.read": f"import tables; table = tables.read(folder, {COLUMNS!r}); total = table['y'].sum()",
    "np.loadtxt": "table = np.loadtxt(folder / 'points.csv', delimiter=','); total = table[:, 0].sum()",
}
# A process of its own for each: its peak memory is nobody else's, and imports are not counted as reading.
PROGRAM = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
import pyarrow.csv
sys.path.insert(0, sys.argv[1])
folder = Path(sys.argv[2])
started = time.perf_counter()
{reader}
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"seconds": seconds, "megabytes": peak, "sum": float(total)}}))
"""


def figures() -> list[Figure]:
    """Time and peak memory of reading ten million rows, as shares of what np.loadtxt takes; one run each."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "train"
        folder.mkdir()
        _write(folder / "points.csv")
        ours, theirs = (_run(reader, folder) for reader in READERS.values())
    if ours["sum"] != theirs["sum"]:
        raise RuntimeError(f"the readers differ: {ours['sum']} and {theirs['sum']}")
    what = f"{ROWS // 1_000_000} million rows of CSV: the scripts' reader ÷ np.loadtxt"
    return [
        _ratio(f"time to read {what}", 0.6, ours, theirs, "seconds", "s"),
        _ratio(f"peak memory to read {what}", 1.5, ours, theirs, "megabytes", "MB"),
    ]


def _write(path: Path) -> None:
    source = np.random.default_rng(0)
    with path.open("w", encoding="ascii") as file:
        for _ in range(10):
            values = source.uniform(-5000, 5000, ROWS // 10 * len(COLUMNS)).round(3)
            cells = map(str, values.tolist())
            file.writelines(f"{y},{x}\n" for y, x in zip(cells, cells, strict=True))


def _run(reader: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", PROGRAM.format(reader=reader), str(SCRIPTS), str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _ratio(
    what: str, bound: float, ours: dict[str, Any], theirs: dict[str, Any], key: str, unit: str
) -> Figure:
    detail = f"{ours[key]:.1f} {unit} against {theirs[key]:.1f} {unit}"
    return Figure(what, ours[key] / theirs[key], bound, "x", detail)


if __name__ == "__main__":
    for figure in figures():
        print(f"{figure.what}: {figure.measured:.2f} x ({figure.detail})")
