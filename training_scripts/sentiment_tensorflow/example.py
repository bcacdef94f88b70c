"""Generate a small review corpus (see small_reviews.py), and requests for the endpoint.

    python example.py FOLDER

writes FOLDER/reviews/aclImdb_v1.tar.gz, in the layout of the original, and FOLDER/requests.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import small_reviews

SIZES = {"train": 1600, "test": 600}
ASKED = ("The acting was superb and the story was not dull.", "The plot was awful, the music was not superb.")


def write(folder: Path) -> None:
    """Write the corpus and the requests, the same at every call."""
    small_reviews.write_archive(folder / "reviews", SIZES)
    requests = [
        {
            "content_type": "application/json",
            "body": json.dumps({"instances": ASKED}),
            "about": "two reviews",
        },
        {"content_type": "text/plain", "body": ASKED[0], "about": "one review as plain text"},
    ]
    (folder / "requests.json").write_text(json.dumps(requests, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
