"""Film reviews as bags of words, and the score of a transform's output."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contract
import reviews
from training_scripts.sentiment_xgboost import prepare

WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=30)


@pytest.fixture
def corpus(load, tmp_path):
    """The example's data, where a preparation by hand looks for it."""
    load("sentiment_xgboost", "example").write(tmp_path / "data")
    return tmp_path / "data"


def run(monkeypatch, *arguments):
    """Run the program in this process, without other processes."""
    monkeypatch.setattr(sys, "argv", ["prepare.py", "--processes", "1", *arguments])
    prepare.main()


def table(path):
    """The rows of a CSV file, as numbers."""
    with path.open(newline="", encoding="utf-8") as file:
        return [[int(cell) for cell in row] for row in csv.reader(file)]


def test_a_review_becomes_stems():
    """Tags and stop words gone, endings too; negations stay, for a judgement turns on them."""
    review = "The movies were <b>not</b> moving,<br /><br />but he's a generously GIFTED actor & so it goes"
    assert prepare.stems(review) == ["movi", "not", "move", "gener", "gift", "actor", "goe"]


def test_the_vocabulary_is_the_most_frequent_words():
    """Equals in the order of the alphabet, so that columns are the same each time."""
    assert prepare.vocabulary([["b", "a", "c"], ["c", "a"], ["c"]], 2) == ["c", "a"]
    assert prepare.vocabulary([["b", "a"], ["d"]], 3) == ["a", "b", "d"]


@given(document=WORDS, words=st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True))
def test_a_row_counts_each_word_of_the_vocabulary(document, words):
    """Others do not count."""
    row = prepare.row(document, {word: column for column, word in enumerate(words)})
    counts = Counter(document)
    assert row == ",".join(str(counts[word]) for word in words)


def test_what_xgboost_gets(corpus, monkeypatch):
    """The label first, no header; the transform's rows without it; columns from the training rows alone."""
    run(monkeypatch, "--vocabulary", "50")
    words = (corpus / "vocabulary/vocabulary.txt").read_text(encoding="utf-8").split()
    assert len(words) == 50
    parts = ("train", "validation", "test")
    train, validation, test = (table(corpus / part / f"{part}.csv") for part in parts)
    assert (len(train), len(validation), len(test)) == (1200, 800, 800)
    assert {len(row) for row in train + validation} == {51}
    assert {len(row) for row in test} == {50}
    assert {row[0] for row in train + validation} == {0, 1}
    assert sum(row[0] for row in train) == pytest.approx(600, abs=60)
    totals = [sum(row[1 + column] for row in train) for column in range(50)]
    assert totals == sorted(totals, reverse=True)
    review = reviews.read(corpus / "reviews")["test"][3]
    assert test[3] == [Counter(prepare.stems(review.text))[word] for word in words]


def test_the_examples_requests_are_rows_of_the_jobs_own_vocabulary(corpus, monkeypatch):
    """They are made before the job is run, and fit its model."""
    run(monkeypatch)
    words = (corpus / "vocabulary/vocabulary.txt").read_text(encoding="utf-8").split()
    for request in json.loads((corpus / "requests.json").read_text(encoding="utf-8")):
        counts = Counter(prepare.stems(request["about"]))
        assert request["body"] == ",".join(str(counts[word]) for word in words)
        assert sum(counts[word] for word in words) >= 4


def test_a_share_that_leaves_a_part_empty_is_refused():
    """With both figures."""
    some = [reviews.Review(str(number), number % 2, "x") for number in range(2)]
    with pytest.raises(contract.UserError, match=r"2 reviews with validation=0\.1 leave a part without any"):
        prepare.split(some, 0.1, 0)


@pytest.mark.parametrize("joined", ["\n", ","])
def test_a_transform_is_scored_against_the_uploaded_reviews(load, corpus, monkeypatch, capsys, joined):
    """One probability a line, or a line of them, as older images answer."""
    score = load("sentiment_xgboost", "score")
    labels = [one.label for one in reviews.read(corpus / "reviews")["test"]]
    guesses = [0.9 if label else 0.2 for label in labels]
    guesses[0] = 1 - guesses[0]
    (corpus / "test.csv.out").write_text(joined.join(map(str, guesses)) + "\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["score.py", "data/test.csv.out", "data/reviews"])
    score.main()
    assert capsys.readouterr().out == "test:accuracy=0.99875\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("0.1\nhigh\n", "line 2: 'high' is no number from 0 to 1"),
        ("0.1\n1.5\n", "line 2: '1.5'"),
        ("", "empty"),
        ("0.1\n\udcff\n", "line 2 is not UTF-8 text"),
    ],
)
def test_a_wrong_output_is_named(load, tmp_path, content, reason):
    """By file and line."""
    (tmp_path / "t.out").write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(contract.UserError, match=r"\bt\.out .*") as caught:
        load("sentiment_xgboost", "score").predictions(tmp_path / "t.out")
    assert reason in str(caught.value)


def test_predictions_for_other_reviews_are_not_scored(load):
    """With both figures."""
    with pytest.raises(contract.UserError, match="1 predictions for 2 reviews"):
        load("sentiment_xgboost", "score").accuracy([0.5], [0, 1])
