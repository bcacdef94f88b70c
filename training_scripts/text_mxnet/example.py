"""Generate a small review corpus (see small_reviews.py), and a request for the endpoint.

    python example.py FOLDER

writes FOLDER/{train,validation}/reviews.csv and FOLDER/requests.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import small_reviews

SIZES = {"train": 1600, "validation": 400}
ASKED = ["The acting was superb and the story was not dull.", "The plot was awful, the music was not superb."]


def write(folder: Path) -> None:
    """Write the corpus and the request, the same at every call."""
    small_reviews.write_tables(folder, SIZES)
    request = {
        "content_type": "application/json",
        "body": json.dumps({"inputs": ASKED}),
        "about": "two reviews",
    }
    (folder / "requests.json").write_text(json.dumps([request], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
