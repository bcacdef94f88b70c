"""What is wrong with the data or hyperparameters of any program: told in one line, before a framework loads.

Each kind of data has the same faults; a new program or a new fault is a line of a table.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import contract
from atelier import embedded

SCRIPTS = embedded.ROOT / "training_scripts"


def write(path, content):
    """A file of text or bytes, or an array, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=True)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def npy(array):
    """The bytes of an array's file."""
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


POINTS = {f"{part}/points.csv": "1,2\n3,4\n" for part in ("train", "validation")}
TEXTS = {f"{part}/texts.csv": "good,fine\nbad,poor\n" for part in ("train", "validation")}
TRANSFORMER = {**TEXTS, "model/config.json": "{}", "model/vocab.txt": "a"}
IMAGES = {
    f"{part}/{name}.npy": array
    for part in ("train", "validation")
    for name, array in (("images", np.zeros((4, 8, 8), np.uint8)), ("labels", np.array([0, 1, 0, 1])))
}
ROWS = {
    f"{part}/{axis}_{part}.npy": array
    for part in ("train", "test")
    for axis, array in (("x", np.full((4, 400), 7, np.int32)), ("y", np.array([0, 1, 0, 1], np.uint8)))
}
ROWS["train/vocabulary.txt"] = "a\nfilm\n"
FILMS = {
    f"reviews/{part}/{label}/0_5.txt": f"A {label} film, number {number}, of great length"
    for number, (part, label) in enumerate((p, x) for p in ("train", "test") for x in ("pos", "neg"))
}
TOPICS = {
    "topics/classes.txt": "Company\nFilm\n",
    "topics/train.csv": "1,a,b\n2,c,d\n",
    "topics/test.csv": "1,e,f\n",
}

PROGRAMS = {
    "curve_sklearn/train": (POINTS, []),
    "curve_pytorch/train": (POINTS, []),
    "curve_tensorflow/train": (POINTS, []),
    "images_pytorch/train": (IMAGES, ["--batch_size", "2"]),
    "sentiment_tensorflow/train": (ROWS, []),
    "text_huggingface/train": (TRANSFORMER, []),
    "text_mxnet/train": (TEXTS, []),
    "sentiment_tensorflow/prepare": (FILMS, ["--processes", "1"]),
    "sentiment_xgboost/prepare": (FILMS, ["--processes", "1"]),
    "topics_blazingtext/prepare": (TOPICS, ["--processes", "1", "--keep", "1"]),
}
FRAMEWORKS = {
    "curve_sklearn": "joblib",
    "curve_pytorch": "torch",
    "curve_tensorflow": "tensorflow",
    "images_pytorch": "torch",
    "sentiment_tensorflow": "tensorflow",
    "text_huggingface": "transformers",
    "text_mxnet": "mxnet",
}

# Of each kind of data: a file, what is put into its place (...: no file; None: no folder), and the line.
FAULTS = {
    id(POINTS): {
        "wrong column": (
            "train/points.csv",
            "1,2\n1,2,3\n",
            "train/points.csv line 2: 3 columns, expected 2 (y,x)",
        ),
        "missing channel": (
            "validation/points.csv",
            None,
            "channel 'validation' is missing: put its files into",
        ),
        "empty file": (
            "train/points.csv",
            "",
            "train/points.csv is empty: expected rows with the columns y,x",
        ),
        "wrong cell": (
            "validation/points.csv",
            "1,2\n3,many\n",
            "validation/points.csv line 2, column x: 'many' is not a number",
        ),
        "header": (
            "train/points.csv",
            "y,x\n1,2\n",
            "train/points.csv line 1, column y: 'y' is not a number: the file must have no header",
        ),
        "no number": (
            "train/points.csv",
            "inf,2\n",
            "train/points.csv line 1, column y: 'inf' is not a finite number",
        ),
        "other file": ("train/points.csv", b"\xff\xfe\n", "train/points.csv is not UTF-8 text after line 0"),
    },
    id(TEXTS): {
        "wrong column": (
            "train/texts.csv",
            "good,fine\nbad\n",
            "train/texts.csv line 2: 1 columns, expected 2 (label,text)",
        ),
        "missing channel": (
            "validation/texts.csv",
            None,
            "channel 'validation' is missing: put its files into",
        ),
        "empty file": (
            "train/texts.csv",
            "",
            "train/texts.csv holds no rows: expected the columns label,text",
        ),
        "wrong cell": (
            "validation/texts.csv",
            "good,fine\nodd,so\n",
            "validation/texts.csv line 2, column label: 'odd' does not occur in train",
        ),
        "empty cell": (
            "train/texts.csv",
            "good,fine\nbad, \n",
            "train/texts.csv line 2, column text is empty",
        ),
        "one label": ("train/texts.csv", "good,fine\n", "every row of train has the label 'good'"),
        "other file": ("train/texts.csv", b"good,\xff\n", "train/texts.csv line 1 is not UTF-8 text"),
    },
    id(IMAGES): {
        "wrong column": (
            "validation/images.npy",
            np.zeros((4, 9, 9), np.uint8),
            "validation/images.npy: images of (9, 9, 1), those of the training have (8, 8, 1)",
        ),
        "missing channel": (
            "validation/images.npy",
            None,
            "channel 'validation' is missing: put its files into",
        ),
        "missing file": (
            "train/labels.npy",
            ...,
            "train/labels.npy is missing: upload images.npy and labels.npy",
        ),
        "empty file": ("train/images.npy", "", "train/images.npy is empty"),
        "no rows": (
            "train/images.npy",
            np.zeros((0, 8, 8), np.uint8),
            "train/images.npy is of shape (0, 8, 8)",
        ),
        "wrong cell": (
            "validation/labels.npy",
            np.array([0, 1, 2, 1]),
            "validation/labels.npy, row 2: class 2 does not occur in the training, which has 0 to 1",
        ),
        "absurd label": (
            "train/labels.npy",
            np.array([0, 1, 2_000_000_000, 1]),
            "train/labels.npy, row 2: class 2000000000, but no image is of class 2: number the classes 0, 1",
        ),
        "no class 0": (
            "train/labels.npy",
            np.array([1, 2, 1, 2]),
            "train/labels.npy, row 0: class 1, but no image is of class 0: number the classes 0, 1",
        ),
        "negative label": (
            "train/labels.npy",
            np.array([0, -1, 0, 1]),
            "train/labels.npy, row 1: class -1 is negative",
        ),
        "wrong type": (
            "train/images.npy",
            np.zeros((4, 8, 8)),
            "train/images.npy: float64 of shape (4, 8, 8), expected",
        ),
        "one too few": (
            "train/labels.npy",
            np.array([0, 1, 0]),
            "train/labels.npy: int64 of shape (3,), expected a whole",
        ),
        "damaged": (
            "train/images.npy",
            npy(IMAGES["train/images.npy"])[:-9],
            "train/images.npy is no whole NPY file",
        ),
        "pickle": (
            "train/labels.npy",
            np.array([{}] * 4),
            "train/labels.npy is no whole NPY file without pickles",
        ),
    },
    id(ROWS): {
        "wrong column": (
            "train/x_train.npy",
            np.full((4, 50), 7),
            "train/x_train.npy is int64 of shape (4, 50), expected integers of shape (n, 400): give",
        ),
        "missing channel": ("test/x_test.npy", None, "channel 'test' is missing: put its files into"),
        "missing file": (
            "train/y_train.npy",
            ...,
            "train/y_train.npy is missing: the job's prepare.py writes it",
        ),
        "empty file": ("test/y_test.npy", "", "test/y_test.npy is empty"),
        "no vocabulary": (
            "train/vocabulary.txt",
            ...,
            "train/vocabulary.txt is missing: the job's prepare.py writes it",
        ),
        "other file": (
            "train/vocabulary.txt",
            b"a\ncaf\xe9\n",
            "train/vocabulary.txt line 2 is not UTF-8 text: save it as UTF-8",
        ),
        "wrong cell": (
            "test/x_test.npy",
            np.concatenate([ROWS["test/x_test.npy"][:3], np.full((1, 400), 20_000)]),
            "test/x_test.npy, row 3: the words have numbers from 20000 to 20000, expected 0 to 19999",
        ),
        "wrong label": (
            "test/y_test.npy",
            np.array([0, 1, 2, 0]),
            "test/y_test.npy, row 2: label 2 is neither 0 nor 1",
        ),
        "wrong type": (
            "train/x_train.npy",
            np.full((4, 400), 0.5),
            "train/x_train.npy is float64 of shape (4, 400), expected",
        ),
        "one too few": (
            "train/y_train.npy",
            np.array([0, 1, 0]),
            "train/y_train.npy is of shape (3,), expected a label for each of 4 reviews",
        ),
        "damaged": (
            "test/x_test.npy",
            npy(ROWS["test/x_test.npy"])[:-9],
            "test/x_test.npy is no whole NPY file",
        ),
        "pickle": (
            "test/y_test.npy",
            np.array([{}] * 4),
            "test/y_test.npy is no whole NPY file without pickles",
        ),
    },
    id(FILMS): {
        "missing channel": ("reviews", None, "input 'reviews' is missing: put its files into"),
        "wrong column": (
            "reviews/test/neg",
            None,
            "reviews holds no reviews of test/neg: expected test/neg/*.txt",
        ),
        "empty file": ("reviews/train/pos/1_9.txt", "", "train/pos/1_9.txt is empty: expected a review"),
        "wrong cell": ("reviews/test/pos/1_9.txt", b"\xff", "test/pos/1_9.txt is not UTF-8 text (byte 0)"),
        "damaged": ("reviews/aclImdb_v1.tar.gz", b"\x1f\x8b", "aclImdb_v1.tar.gz is no whole tar.gz archive"),
        "empty archive": (
            "reviews/aclImdb_v1.tar.gz",
            "",
            "aclImdb_v1.tar.gz is no whole tar.gz archive: empty file",
        ),
    },
    id(TOPICS): {
        "missing channel": ("topics", None, "input 'topics' is missing: put its files into"),
        "missing file": ("topics/classes.txt", ..., "topics holds no classes.txt: upload"),
        "wrong column": (
            "topics/train.csv",
            "1,a,b\n1,a\n",
            "topics/train.csv line 2: 2 columns, expected 3 (class,title,abstract)",
        ),
        "empty file": ("topics/test.csv", "", "topics/test.csv is empty"),
        "wrong cell": (
            "topics/test.csv",
            "1,a,b\nfilm,a,b\n",
            "topics/test.csv line 2, column class: 'film': expected a class from 1 to 2",
        ),
        "other file": ("topics/train.csv", b"1,a,\xff\n", "topics/train.csv line 1 is not UTF-8 text"),
        "other classes": (
            "topics/classes.txt",
            b"Film\nCaf\xe9\n",
            "topics/classes.txt line 2 is not UTF-8 text: save it as UTF-8",
        ),
        "class twice": (
            "topics/classes.txt",
            "Written Work\nFilm\nWritten_Work\n",
            "topics/classes.txt line 3: 'Written_Work' is the name of line 1 already: give each class",
        ),
        "open quotes": ("topics/train.csv", '1,a,"b\n', "topics/train.csv line 1: unexpected end of data"),
    },
}
FAULTS[id(TRANSFORMER)] = FAULTS[id(TEXTS)] | {
    "no model": ("model/config.json", None, "channel 'model' is missing: put its files into"),
    "no configuration": (
        "model/config.json",
        ...,
        "model/config.json is missing: upload a pretrained model's files",
    ),
    "no tokenizer": (
        "model/vocab.txt",
        ...,
        "model holds no tokenizer: upload its files (tokenizer.json, or",
    ),
    "damaged": ("model/config.json", "{", "model/config.json is no JSON: Expecting"),
    "pickle": (
        "model/pytorch_model.bin",
        b"x",
        "model/pytorch_model.bin is pickled: convert it to model.safetensors",
    ),
}
EVERYWHERE = {"wrong column", "missing channel", "empty file", "wrong cell"}
CASES = [
    pytest.param(program, *fault, id=f"{program}-{name}")
    for program, (files, _) in PROGRAMS.items()
    for name, fault in FAULTS[id(files)].items()
]


@pytest.fixture
def run(load, monkeypatch, tmp_path):
    """Run a program on its small good data, after `spoil(data folder)`: exit code and output/failure."""

    def ended(program, *arguments, spoil=lambda _: None):
        script, _, name = program.partition("/")
        files, needed = PROGRAMS[program]
        for place, content in files.items():
            write(tmp_path / "data" / place, content)
        spoil(tmp_path / "data")
        monkeypatch.syspath_prepend(str(SCRIPTS / script))
        monkeypatch.setitem(sys.modules, FRAMEWORKS.get(script, "none"), None)  # cannot be imported
        for module in ("fitting", "network"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *needed, *arguments])
        try:
            contract.run(load(script, name).main)
        except SystemExit as end:
            return end.code, Path("output/failure").read_text(encoding="utf-8")
        return 0, ""

    return ended


def put(place, content):
    """Something to do to a data folder: other content at a place; `...` for no file; None for no folder."""

    def spoil(data):
        path = data / place
        if content is None:
            shutil.rmtree(path if path.is_dir() else path.parent)
        elif content is ...:
            path.unlink()
        else:
            write(path, content)

    return spoil


def left(program):
    """What the run has brought forth: files of a model, or those that a preparation writes, whole or not."""
    if program.endswith("train"):
        return [*Path("model").rglob("*"), *Path("checkpoints").rglob("*")]
    patterns = ("train/.*", "*/topics.*", "train/?_train.npy", "train/train.csv", "vocabulary/*")
    return [path for pattern in patterns for path in Path("data").glob(pattern)]


def test_every_program_is_here_with_every_fault():
    """A new script comes with its line in the table."""
    programs = {
        f"{path.parent.name}/{path.stem}"
        for name in ("train", "prepare")
        for path in SCRIPTS.glob(f"*/{name}.py")
    }
    assert programs == set(PROGRAMS)
    assert all(set(faults) >= EVERYWHERE for faults in FAULTS.values())


@pytest.mark.parametrize(("program", "place", "content", "line"), CASES)
def test_wrong_data_are_named_in_one_line(run, program, place, content, line):
    """File, line, column and value; the exit code of a user's error; nothing written. Loads no framework."""
    code, failure = run(program, spoil=put(place, content))
    assert failure.startswith(f"UserError: {line}")
    assert code == contract.UserError.exit_code
    assert "\n" not in failure
    assert left(program) == []


def out_of_range():
    """For every hyperparameter and argument of every program: a value that its declaration does not allow."""
    for program in PROGRAMS:
        script, _, name = program.partition("/")
        declaration = {"train": "hyperparameters.json", "prepare": "prepare.json"}[name]
        for parameter, facts in json.loads((SCRIPTS / script / declaration).read_text()).items():
            if "minimum" in facts:
                yield program, parameter, facts["minimum"] - 1, "is below its minimum of"
            if "maximum" in facts:
                yield program, parameter, facts["maximum"] + 1, "is above its maximum of"
            if facts["type"] in ("integer", "number", "boolean"):
                yield program, parameter, "many", f"is not of type {facts['type']}"
            if "choices" in facts:
                yield program, parameter, "other", f"is none of {', '.join(facts['choices'])}"


@pytest.mark.parametrize(("program", "parameter", "value", "reason"), list(out_of_range()))
def test_a_hyperparameter_out_of_range_is_named(run, program, parameter, value, reason):
    """With its value and what is allowed, before any data are looked at."""
    code, failure = run(program, f"--{parameter}", str(value), spoil=shutil.rmtree)
    assert re.fullmatch(rf"UserError: hyperparameter {parameter}: '?{value}(\.0)?'? {reason}.*", failure)
    assert code == contract.UserError.exit_code
    assert left(program) == []


@pytest.mark.parametrize(
    ("program", "arguments", "line"),
    [
        ("images_pytorch/train", ["--width", "12"], "hyperparameter width: 12 is no multiple of 8"),
        (
            "images_pytorch/train",
            ["--batch_size", "5"],
            "hyperparameter batch_size: 5 is more than the 4 images of the training",
        ),
        (
            "sentiment_tensorflow/train",
            ["--length", "5", "--kernel", "6"],
            "hyperparameter kernel: 6 is more than the length of 5",
        ),
        (
            "sentiment_xgboost/prepare",
            ["--validation", "0.1"],
            "2 reviews with validation=0.1 leave a part without any",
        ),
    ],
)
def test_hyperparameters_that_do_not_go_together_are_named(run, program, arguments, line):
    """Each is right for itself."""
    assert run(program, *arguments) == (10, f"UserError: {line}")
    assert left(program) == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_good_data_come_as_far_as_the_framework(run, program):
    """Which then says in one line that it cannot be loaded; a preparation needs none, and goes to its end."""
    code, failure = run(program)
    if program.endswith("prepare"):
        assert code == 0
        assert left(program)
    else:
        unknown = r"AlgorithmError: ModuleNotFoundError: (import of|No module named)"
        assert re.match("PlatformError: MXNet cannot" if "mxnet" in program else unknown, failure)
        assert left(program) == []


@pytest.mark.parametrize(
    ("program", "place"),
    [
        ("sentiment_tensorflow/prepare", "train/.x_train.npy"),
        ("sentiment_xgboost/prepare", "train/.train.csv"),
        ("topics_blazingtext/prepare", "train/.topics.train"),
    ],
)
def test_a_preparation_on_a_full_disk_leaves_nothing_half_written(run, program, place):
    """The platform's fault, with what to do; the place of the file is a device that is always full."""

    def full(data):
        (data / place).parent.mkdir()
        (data / place).symlink_to("/dev/full")

    code, failure = run(program, spoil=full)
    assert code == contract.PlatformError.exit_code
    assert failure.startswith("PlatformError: no space is left on the disk")
    assert left(program) == []
