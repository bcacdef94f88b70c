"""Preparing text: rows a second of topics_blazingtext's `prepare.py`, against a plain loop in one process.

The loop is what one would write: csv.reader, one regular expression, one line a row. Both read the same file
of DBpedia's layout, whole programs with their start, and write the same lines.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, ratio, timed

FOLDER = Path(__file__).resolve().parent.parent / "training_scripts" / "topics_blazingtext"
ROWS = 200_000
BOUND = 0.59
"""Of the plain loop's time: at least 1.7 times its speed on two cores."""
PLAIN = """
import csv, pathlib, re
TOKEN = re.compile(r"[^\\W_]+(?:['\\u2019][^\\W_]+)*|[^\\w\\s]")
classes = pathlib.Path("data/topics/classes.txt").read_text().split()
for source, target in (("train", "plain.train"), ("test", "plain.validation")):
    with open(f"data/topics/{source}.csv", newline="") as rows, open(target, "w") as lines:
        for number, title, abstract in csv.reader(rows):
            tokens = TOKEN.findall(title.lower()) + TOKEN.findall(abstract.lower())
            lines.write(f"__label__{classes[int(number) - 1]} {' '.join(tokens)}\\n")
"""


def figures() -> list[Figure]:
    """The ratio of the two, or nothing on a machine with a single core."""
    if len(os.sched_getaffinity(0)) == 1:
        return []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        _write_rows(place / "data" / "topics")
        prepare = [sys.executable, str(FOLDER / "prepare.py"), "--keep", "1"]
        found = ratio(
            "text preparation, in parallel ÷ a plain loop",
            BOUND,
            lambda: timed(lambda: _run(prepare, place)),
            lambda: timed(lambda: _run([sys.executable, "-c", PLAIN], place)),
        )
        _check(place)
    return [found]


def _write_rows(folder: Path) -> None:
    """Rows whose lengths and words are spread as those of an encyclopaedia's first paragraphs."""
    source = random.Random(0)  # noqa: S311 -- rows to measure with
    words = [f"{'aeiou'[n % 5]}{n:x}" for n in range(20_000)]
    folder.mkdir(parents=True)
    (folder / "classes.txt").write_text("Film\nPlant\n")
    with (folder / "train.csv").open("w") as file:
        for number in range(ROWS):
            chosen = " ".join(source.choices(words, k=source.randint(20, 80)))
            file.write(f'{number % 2 + 1},"Title {number}","{chosen}, and so on."\n')
    (folder / "test.csv").write_text('1,"One","row."\n')


def _run(command: list[str], place: Path) -> None:
    path = os.pathsep.join([str(FOLDER), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        command, cwd=place, env={**os.environ, "PYTHONPATH": path}, check=True, stdout=subprocess.DEVNULL
    )


def _check(place: Path) -> None:
    """Both made the same lines; the preparation shuffles them."""
    ours = (place / "data/train/topics.train").read_text().splitlines()
    if sorted(ours) != sorted((place / "plain.train").read_text().splitlines()):
        raise RuntimeError("the preparation and the plain loop differ")
