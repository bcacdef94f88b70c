"""Rows `class,title,abstract` as BlazingText's lines."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

import contract
import text

PROGRAM = Path(contract.__file__).parent / "topics_blazingtext" / "prepare.py"
CLASSES = ["Company", "WrittenWork"]


@pytest.fixture
def prepare(load):
    """The preparation's functions."""
    return load("topics_blazingtext", "prepare")


@pytest.fixture
def corpus(load, tmp_path):
    """The example's data, where a preparation by hand looks for it."""
    load("topics_blazingtext", "example").write(tmp_path / "data")
    return tmp_path / "data"


def run(*arguments, code=0):
    """Run the program in the current folder; what it says."""
    result = subprocess.run(
        [sys.executable, PROGRAM, *arguments], capture_output=True, text=True, check=False
    )
    assert result.returncode == code, result.stderr
    return result.stdout + result.stderr


def write(path, *rows):
    """A file of rows as they are."""
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def part_of(path):
    """The file as one part."""
    (part,) = text.parts(path)
    return part


def test_a_row_becomes_its_label_and_tokens(prepare, tmp_path):
    """In the order of the file; what looks like a label in the text is none."""
    path = write(tmp_path / "t.csv", '2,"A ""Tale""","By __label__Company,\nnow."', "1,Acme,Makes things!")
    assert prepare.prepared(part_of(path), CLASSES).content.decode().splitlines() == [
        '__label__WrittenWork a " tale " by label company , now .',
        "__label__Company acme makes things !",
    ]


def test_a_class_of_several_words_is_one_label(prepare, tmp_path):
    """BlazingText parts labels from text at spaces."""
    path = write(tmp_path / "classes.txt", "Written Work", "Natural  Place", "")
    assert prepare.read_classes(path) == ["Written_Work", "Natural_Place"]


def test_any_number_of_processes_writes_the_same_files(corpus):
    """The parts differ in who works on them, not in what becomes of them."""
    written = []
    for processes in ("1", "3"):
        run("--processes", processes)
        written.append([path.read_bytes() for path in sorted(corpus.glob("*/topics.*"))])
    assert written[0] == written[1]


def test_validation_is_whole_and_in_order_and_training_a_shuffled_share(corpus):
    """Every class is kept in about the share asked for, and no class stands together."""
    assert "validation: 1400 lines of 14 classes" in run("--keep", "0.2", "--processes", "1")
    train = (corpus / "train/topics.train").read_text(encoding="utf-8").splitlines()
    labels = [line.split()[0] for line in train]
    assert len(train) == pytest.approx(0.2 * 42_000, rel=0.05)
    assert set(Counter(labels).values()) <= set(range(480, 720))
    assert sum(one == other for one, other in pairwise(labels)) < 0.15 * len(labels)
    validation = (corpus / "validation/topics.validation").read_text(encoding="utf-8").splitlines()
    in_order = [line.split()[0] for line in validation]
    assert in_order == sorted(in_order, key=in_order.index)


def test_what_is_kept_is_kept_when_rows_are_added(prepare, tmp_path):
    """And another seed keeps others, in another order."""
    rows = [f"1,title {number},abstract" for number in range(400)]
    few, many = write(tmp_path / "few.csv", *rows[:200]), write(tmp_path / "many.csv", *rows)

    def kept(path, seed, keep=0.5):
        some = prepare.prepared(part_of(path), CLASSES, keep, seed)
        return prepare.shuffled([some]).content.splitlines()

    first = kept(few, 0)
    assert set(first) < set(kept(many, 0))
    assert 60 < len(first) < 140
    assert first != sorted(first)
    assert first != kept(few, 1)
    assert len(kept(few, 0, keep=1)) == 200


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {"train.csv": "class,title,abstract\n"},
            "column class: 'class': expected a class from 1 to 2; the file",
        ),
        (
            {"train.csv": "1,a,b\n3,a,b\n"},
            "topics/train.csv line 2, column class: '3': expected a class from 1",
        ),
        (
            {"train.csv": "1,a,b\n1,a\n"},
            "topics/train.csv line 2: 2 columns, expected 3 (class,title,abstract)",
        ),
        ({"test.csv": "1,a,b\n\xb2,a,b\n"}, "topics/test.csv line 2, column class"),
        ({"train.csv": ""}, "topics/train.csv is empty"),
        ({"train.csv": "\n\n"}, "train holds no rows"),
        ({"test.csv": None}, "topics holds no test.csv"),
        ({"classes.txt": None}, "topics holds no classes.txt"),
        ({"classes.txt": "A\n\nB\n"}, "topics/classes.txt line 2 is empty"),
    ],
)
def test_bad_input_is_named_in_one_line(tmp_path, files, reason):
    """Exit code 10, the line in output/failure, and nothing written for the training."""
    good = {"classes.txt": "Company\nWrittenWork\n", "train.csv": "1,a,b\n", "test.csv": "2,a,b\n"}
    folder = tmp_path / "data" / "topics"
    folder.mkdir(parents=True)
    for name, content in {**good, **files}.items():
        if content is not None:
            (folder / name).write_text(content, encoding="utf-8")
    run("--processes", "1", "--keep", "1", code=10)
    failure = (tmp_path / "output/failure").read_text(encoding="utf-8")
    assert failure.startswith("UserError: ")
    assert reason in failure
    assert not list(tmp_path.glob("data/*/topics.*"))


@pytest.mark.parametrize(("name", "value"), [("keep", "0"), ("keep", "1.5"), ("keep", "half"), ("part", "1")])
def test_a_wrong_argument_is_named(tmp_path, name, value):
    """Before any file is read."""
    run(f"--{name}", value, code=10)
    assert f"hyperparameter {name}" in (tmp_path / "output/failure").read_text().replace("'", "")
