"""Generate a small review corpus (see small_reviews.py), and requests for the endpoint.

    python example.py FOLDER

writes FOLDER/reviews/aclImdb_v1.tar.gz and FOLDER/requests.json. A request is what the model was trained on:
a bag of the words that the job's preparation, with its default arguments, finds in these reviews.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import prepare
import reviews
import small_reviews

SIZES = {"train": 2000, "test": 800}
ASKED = (
    "The acting was superb and the story gripping. A delightful film!",
    "What a dull plot, and the dialogue was awful.",
)


def write(folder: Path) -> None:
    """Write the corpus and the requests, the same at every call."""
    small_reviews.write_archive(folder / "reviews", SIZES)
    declared = json.loads((Path(__file__).parent / "prepare.json").read_text(encoding="utf-8"))
    default = {name: facts["default"] for name, facts in declared.items()}
    found = reviews.read(folder / "reviews")["train"]
    train, _ = prepare.split(found, default["validation"], default["seed"])
    documents = prepare.all_stems([one.text for one in train])
    words = prepare.vocabulary(documents, default["vocabulary"])
    columns = {word: number for number, word in enumerate(words)}
    requests = [
        {"content_type": "text/csv", "body": prepare.row(prepare.stems(asked), columns), "about": asked}
        for asked in ASKED
    ]
    (folder / "requests.json").write_text(json.dumps(requests, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
