"""Write the example's data: `python example.py FOLDER` makes the channels, and requests for the endpoint.

The 150 flowers are Fisher's (iris.csv, 1936, in the public domain): every fifth goes to validation.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROWS = Path(__file__).with_name("iris.csv")


def write(folder: Path) -> None:
    """Write `train/iris.csv`, `validation/iris.csv` (no header) and `requests.json`."""
    rows = ROWS.read_text(encoding="utf-8").splitlines(keepends=True)[1:]
    parts = {
        "train": [row for number, row in enumerate(rows) if number % 5],
        "validation": rows[::5],
    }
    for part, lines in parts.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / "iris.csv").write_text("".join(lines), encoding="utf-8")
    requests = [
        {
            "content_type": "text/csv",
            "body": "5.1,3.5,1.4,0.2\n6.0,2.7,5.1,1.6\n6.3,3.3,6.0,2.5\n",
            "about": "a setosa, a hard versicolor, a virginica",
        },
        {
            "content_type": "application/json",
            "body": '{"instances": [[5.1, 3.5, 1.4, 0.2]]}',
            "about": "the first as JSON, with probabilities",
        },
    ]
    (folder / "requests.json").write_text(json.dumps(requests, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
