"""Texts with labels, and the tiny transformer that an example starts from."""

from __future__ import annotations

import json

import pytest

import contract
import labelled


def write(folder, content):
    """A channel of one file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "texts.csv").write_bytes(content.encode())
    return folder


def test_rows_are_read_in_order(tmp_path):
    """Files by name; a text may span lines."""
    write(tmp_path / "train/b", "bad,last\n")
    write(tmp_path / "train/a", 'good ,"two\nlines"\nbad,"a ""quote"""\n')
    assert labelled.read(tmp_path / "train") == [
        labelled.Example("good", "two\nlines"),
        labelled.Example("bad", 'a "quote"'),
        labelled.Example("bad", "last"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("good,fine\nbad\n", "train/texts.csv line 2: 1 columns, expected 2 (label,text)"),
        ("good,fine\n ,poor\n", "train/texts.csv line 2, column label is empty"),
        ("good,\n", "train/texts.csv line 1, column text is empty"),
        ("\n", "train/texts.csv holds no rows: expected the columns label,text"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, content, reason):
    """By file, line and column."""
    with pytest.raises(contract.UserError) as caught:
        labelled.read(write(tmp_path / "train", content))
    assert str(caught.value) == reason


def test_an_empty_file_among_others_is_named(tmp_path):
    """It was meant to hold something."""
    write(tmp_path / "train/a", "good,fine\n")
    write(tmp_path / "train/b", "")
    with pytest.raises(contract.UserError, match=r"^b/texts\.csv holds no rows"):
        labelled.read(tmp_path / "train")


def test_a_channel_without_files_is_named(tmp_path):
    """What lies there is no CSV."""
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "notes.txt").write_text("?")
    with pytest.raises(contract.UserError, match="train holds no CSV file"):
        labelled.read(tmp_path / "train")


def test_labels_are_the_same_whatever_the_rows_order():
    """What the training never sees, or has but one of, is refused."""
    good, bad = (labelled.Example(label, "text") for label in ("good", "bad"))
    odd = labelled.Example("odd", "text", "validation/a.csv line 3")
    assert labelled.labels([good, bad, good], [bad]) == labelled.labels([bad, good], []) == ["bad", "good"]
    with pytest.raises(
        contract.UserError, match=r"^validation/a\.csv line 3, column label: 'odd' does not occur in train"
    ):
        labelled.labels([good, bad], [odd])
    with pytest.raises(contract.UserError, match="every row of train has the label 'good'"):
        labelled.labels([good], [good])


def test_the_examples_transformer_is_a_configuration_and_a_vocabulary(load, tmp_path):
    """Weights are left to the training; every letter is there, so that each word can be spelled out."""
    load("text_huggingface", "example").write(tmp_path)
    vocabulary = (tmp_path / "model/vocab.txt").read_text(encoding="utf-8").splitlines()
    config = json.loads((tmp_path / "model/config.json").read_text(encoding="utf-8"))
    assert config["vocab_size"] == len(vocabulary) == len(set(vocabulary))
    assert vocabulary[config["pad_token_id"]] == "[PAD]"
    assert {"a", "##a", "z", "##z", "superb", "."} <= set(vocabulary)
    assert {path.name for path in (tmp_path / "model").iterdir()} == {
        "config.json",
        "tokenizer_config.json",
        "vocab.txt",
    }
