"""Generate a small corpus with the layout and the classes of the DBpedia ontology data set.

    python example.py FOLDER

writes FOLDER/topics/{classes.txt,train.csv,test.csv} and FOLDER/requests.json. An abstract is three sentences
of six words that tell something: of its own class in 45 of 100 places, of any class in the others, strung
together by words that all classes share. A row thus has more words of its class than of another, some rows
are hard, and a model has 140 words to learn. Rows come sorted by class, as in the original, and the fifth of
them that the reference keeps is enough to learn from.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from pathlib import Path

import text

WORDS = {
    "Company": "company manufacturer headquartered founded subsidiary retailer software products bank firm",
    "EducationalInstitution": "university college school campus students faculty education academy degree",
    "Artist": "singer songwriter painter musician guitarist sculptor debut performer recording",
    "Athlete": "footballer plays striker midfielder swimmer professional championships league coach pitcher",
    "OfficeHolder": "politician senator elected minister republican governor parliament mayor member",
    "MeanOfTransportation": "ship aircraft locomotive built navy destroyer engine launched submarine steam",
    "Building": "church building house museum listed architect constructed cathedral historic hotel",
    "NaturalPlace": "river lake mountain tributary flows peak elevation volcano glacier valley",
    "Village": "village population census district municipality county households rural inhabitants province",
    "Animal": "species moth snail found beetle genus fish wingspan family endemic",
    "Plant": "plant flowering shrub orchid leaves native tree perennial herb seeds",
    "Album": "album released studio track records label songs compilation band single",
    "Film": "film directed starring comedy drama screenplay thriller cast produced premiere",
    "WrittenWork": "novel book published author journal magazine fiction newspaper story edited",
}
SHARED = ["the", "a", "of", "in", "and", "is", "was", "it", "by", "with", "from", "to"]
NAMES = ["Alder", "Brook", "Carver", "Dale", "Elm", "Fenwick", "Grange", "Harrow", "Ivory", "Keld"]
SENTENCES, LENGTH, OWN_SHARE = 3, 6, 0.45
TRAIN_ROWS, TEST_ROWS = 3000, 100  # of each class


def write(folder: Path, seed: int = 0) -> None:
    """Write the corpus, the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 -- an example, no secret
    place = folder / "topics"
    place.mkdir(parents=True, exist_ok=True)
    (place / "classes.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    for name, rows in (("train.csv", TRAIN_ROWS), ("test.csv", TEST_ROWS)):
        with (place / name).open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
            for number, words in enumerate(WORDS.values(), 1):
                table.writerows((number, title(rng), abstract(rng, words.split())) for _ in range(rows))
    # A request is split into tokens as the training's lines are.
    asked = {name: text.tokens(abstract(rng, WORDS[name].split())) for name in ("Film", "Plant", "Athlete")}
    requests = [
        {
            "content_type": "application/json",
            "body": json.dumps({"instances": [" ".join(tokens)]}),
            "about": name,
        }
        for name, tokens in asked.items()
    ]
    (folder / "requests.json").write_text(json.dumps(requests, indent=1) + "\n", encoding="utf-8")


def title(rng: random.Random) -> str:
    """Two names, which tell nothing of the class."""
    return " ".join(rng.sample(NAMES, 2))


def abstract(rng: random.Random, own: list[str]) -> str:
    """Three sentences, most of whose words are a class's own."""
    every = [word for words in WORDS.values() for word in words.split()]
    sentences = []
    for _ in range(SENTENCES):
        words = [
            word
            for _ in range(LENGTH)
            for word in (rng.choice(SHARED), rng.choice(own if rng.random() < OWN_SHARE else every))
        ]
        sentences.append(" ".join(words).capitalize() + ".")
    return " ".join(sentences)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
