"""Film reviews as rows of numbers, from texts and from Keras's file, and the handlers of the endpoint."""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

import contract

SCRIPT = "sentiment_tensorflow"


@pytest.fixture
def prepare(load):
    """The preparation's functions."""
    return load(SCRIPT, "prepare")


@pytest.fixture
def folder(tmp_path):
    """Where a preparation by hand looks for the reviews."""
    (tmp_path / "data" / "reviews").mkdir(parents=True)
    return tmp_path / "data" / "reviews"


def run(prepare, monkeypatch, *arguments):
    """Run the program in this process, without other processes; what it wrote."""
    monkeypatch.setattr(sys, "argv", ["prepare.py", "--processes", "1", *arguments])
    prepare.main()
    parts = ("train", "test")
    return {
        f"{axis}_{part}": np.load(f"data/{part}/{axis}_{part}.npy", allow_pickle=False)
        for part in parts
        for axis in "xy"
    }


def write_npz(path, **changes):
    """A file like Keras's: two reviews a part as lists of ranks, in arrays of objects."""
    lists = np.empty(2, dtype=object)
    lists[:] = [[1, 14, 9999], [2]]
    arrays = {
        "x_train": lists,
        "y_train": np.array([1, 0]),
        "x_test": lists[::-1],
        "y_test": np.array([0, 1]),
    }
    np.savez(path, **{name: array for name, array in {**arrays, **changes}.items() if array is not None})


def test_a_review_is_cut_at_its_beginning_and_filled_up_there(load):
    """The end of a review tells most; 0 comes before the mark of the start."""
    encoding = load(SCRIPT, "encoding")
    numbers = encoding.index(["the", "film"])
    assert encoding.encode(["the", "odd", "film"], numbers) == [1, 4, 2, 5]
    assert encoding.padded([1, 4, 2, 5], 6) == [0, 0, 1, 4, 2, 5]
    assert encoding.padded([1, 4, 2, 5], 3) == [4, 2, 5]


def test_texts_become_arrays(prepare, folder, monkeypatch):
    """Of both parts, in the order of the places; the vocabulary comes from the training part alone."""
    texts = {
        "train/pos/0_9.txt": "A fine,<br />fine film",
        "train/neg/0_1.txt": "A poor film",
        "test/pos/0_8.txt": "Fine acting",
        "test/neg/0_2.txt": "!",
    }
    for name, content in texts.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(content, encoding="utf-8")
    arrays = run(prepare, monkeypatch, "--length", "5")
    # a, film and fine come twice each, poor once: 4 to 7
    assert arrays["x_train"].tolist() == [[0, 1, 4, 7, 5], [1, 4, 6, 6, 5]]
    assert arrays["y_train"].tolist() == [0, 1]
    assert arrays["x_test"].tolist() == [[0, 0, 0, 0, 1], [0, 0, 1, 6, 2]]
    assert arrays["x_test"].dtype == np.int32
    assert (folder.parent / "train/vocabulary.txt").read_text() == "a\nfilm\nfine\npoor\n"
    few = run(prepare, monkeypatch, "--length", "5", "--vocabulary", "10")
    assert few["x_train"].max() < 10


def test_keras_file_becomes_the_arrays_that_keras_itself_would_give(prepare, folder, monkeypatch):
    """`imdb.load_data` with its defaults: 1 for the start, 2 for what is too rare, ranks three higher."""
    write_npz(folder / "imdb.npz")
    (folder / "imdb_word_index.json").write_text(json.dumps({"and": 2, "the": 1, "a": 3}), encoding="utf-8")
    arrays = run(prepare, monkeypatch, "--length", "5", "--vocabulary", "100")
    assert arrays["x_train"].tolist() == [[0, 1, 4, 17, 2], [0, 0, 0, 1, 5]]
    assert arrays["x_test"].tolist() == [[0, 0, 0, 1, 5], [0, 1, 4, 17, 2]]
    assert (arrays["y_train"].tolist(), arrays["y_test"].tolist()) == ([1, 0], [0, 1])
    assert (folder.parent / "train/vocabulary.txt").read_text() == "the\nand\na\n"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_keras_file_is_read_whatever_wrote_its_pickles(load, folder, protocol):
    """The published one is of an old protocol; numpy's modules have had two names."""
    lists = np.empty(2, dtype=object)
    lists[:] = [[1, 2, 70_000], [3]]
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, np.lib.format.header_data_from_array_1_0(lists))
    pickle.dump(lists, content, protocol=protocol)
    path = folder / "imdb.npz"
    write_npz(path, x_train=None)
    for old in (False, True):
        written = content.getvalue()
        if old:  # lengths that stand before names in newer protocols differ by the underscore
            written = written.replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
        with zipfile.ZipFile(folder / "other.npz", "w") as copy, zipfile.ZipFile(path) as original:
            for name in original.namelist():
                copy.writestr(name, original.read(name))
            copy.writestr("x_train.npy", written)
        found = load(SCRIPT, "imdb_npz").read(folder / "other.npz")
        assert found["train"] == ([[1, 2, 70_000], [3]], [1, 0])


class Hostile:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("harmed",)


def objects(*items):
    """An array of objects."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def cut(path):
    """Half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"x_train": objects(Hostile(), [1])}, "it asks for posix.mkdir, which a list of numbers needs not"),
        ({"x_train": objects([1], "text")}, "imdb.npz, train: review 1 is no list of ranks from 1"),
        ({"x_test": objects([1], [0])}, "imdb.npz, test: review 1 is no list of ranks from 1"),
        ({"y_train": np.array([1, 2])}, "imdb.npz, train: a label is neither 0 nor 1"),
        ({"y_train": np.array([1])}, "imdb.npz, train: 2 reviews with 1 labels"),
        ({"y_test": None}, "There is no item named 'y_test.npy' in the archive"),
    ],
)
def test_what_is_wrong_with_keras_file_is_named(load, folder, changes, reason):
    """And what it asks to be called is not called."""
    write_npz(folder / "imdb.npz", **changes)
    with pytest.raises(contract.UserError) as caught:
        load(SCRIPT, "imdb_npz").read(folder / "imdb.npz")
    assert reason in str(caught.value)
    assert not os.path.exists("harmed")  # noqa: PTH110 -- in the current folder


def test_a_damaged_file_is_named(load, folder):
    """Cut off, or none at all."""
    imdb_npz = load(SCRIPT, "imdb_npz")
    write_npz(folder / "imdb.npz")
    cut(folder / "imdb.npz")
    with pytest.raises(contract.UserError, match=r"^imdb\.npz is no whole imdb\.npz"):
        imdb_npz.read(folder / "imdb.npz")
    write_npz(folder / "imdb.npz", x_train=objects([1, 2], [3]))
    with zipfile.ZipFile(folder / "imdb.npz") as archive:
        arrays = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(folder / "imdb.npz", "w") as archive:
        for name, content in arrays.items():
            archive.writestr(name, content[:-5] if name == "x_train.npy" else content)
    with pytest.raises(contract.UserError, match="damaged array"):
        imdb_npz.read(folder / "imdb.npz")


@pytest.mark.parametrize("ranks", ['{"the": 1, "a": 3}', '{"the": "1"}', "[1]", "{"])
def test_a_wrong_word_index_is_named(prepare, folder, monkeypatch, ranks):
    """Ranks are 1, 2, 3 without a gap."""
    write_npz(folder / "imdb.npz")
    (folder / "imdb_word_index.json").write_text(ranks, encoding="utf-8")
    with pytest.raises(contract.UserError, match=r"^imdb_word_index\.json"):
        run(prepare, monkeypatch)


def test_keras_file_without_its_words_is_refused(prepare, folder, monkeypatch):
    """A model of it could answer no request; where the words are is told, and nothing is written."""
    write_npz(folder / "imdb.npz")
    with pytest.raises(contract.UserError) as caught:
        run(prepare, monkeypatch)
    assert str(caught.value) == (
        "reviews holds imdb.npz but no imdb_word_index.json, without which the endpoint could read no text: "
        "upload https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb_word_index.json"
    )
    assert [path.name for path in folder.parent.iterdir()] == ["reviews"]


def test_reviews_without_words_are_refused(prepare, folder, monkeypatch):
    """There would be nothing to learn from."""
    for number, place in enumerate(("train/pos", "train/neg", "test/pos", "test/neg")):
        (folder / place).mkdir(parents=True)
        (folder / place / f"{number}_5.txt").write_text("!", encoding="utf-8")
    with pytest.raises(contract.UserError, match="the training reviews hold no words"):
        run(prepare, monkeypatch)


@pytest.fixture
def inference(load, tmp_path, monkeypatch):
    """The handlers, beside a model's vocabulary."""
    handlers = load(SCRIPT, "inference")
    monkeypatch.setenv("SM_MODEL_DIR", str(tmp_path))
    load(SCRIPT, "encoding").Encoding(["fine", "naïve"], 4).save(tmp_path)
    return handlers


def ask(inference, body, kind):
    """What the network is asked."""
    return json.loads(inference.input_handler(io.BytesIO(body), SimpleNamespace(request_content_type=kind)))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"instances": ["Fine<br />odd", "naïve"]}'.encode(), "application/json; charset=utf-8"),
        ('["Fine odd", "naïve"]'.encode(), "application/json"),
        ("Fine odd\n\nnaïve\n".encode(), "text/plain"),
    ],
)
def test_a_request_of_texts_becomes_the_networks_rows(inference, body, kind):
    """As the preparation made those it was trained on."""
    assert ask(inference, body, kind) == {"instances": [[0, 1, 4, 2], [0, 0, 1, 5]]}


@pytest.mark.parametrize(
    ("body", "kind"), [(b"[]", "application/json"), (b"[1]", "application/json"), (b"a,b", "text/csv")]
)
def test_another_request_is_refused(inference, body, kind):
    """With what is expected."""
    with pytest.raises(ValueError, match=r"expected reviews|is not supported"):
        ask(inference, body, kind)


def test_an_answer_says_in_words_what_a_score_means(inference):
    """And a refusal of TensorFlow Serving is passed on."""
    response = SimpleNamespace(status_code=200, content=b'{"predictions": [[0.93124], [0.4]]}')
    answer, kind = inference.output_handler(response, None)
    assert kind == "application/json"
    assert json.loads(answer)["predictions"] == [
        {"label": "praise", "score": 0.9312},
        {"label": "blame", "score": 0.4},
    ]
    with pytest.raises(ValueError, match="no such signature"):
        inference.output_handler(SimpleNamespace(status_code=400, content=b"no such signature"), None)
