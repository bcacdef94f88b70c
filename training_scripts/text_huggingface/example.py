"""Generate a small review corpus (see small_reviews.py), a tiny transformer without weights, and requests.

    python example.py FOLDER

writes FOLDER/{train,validation}/reviews.csv, FOLDER/model/{config.json,vocab.txt,tokenizer_config.json} and
FOLDER/requests.json. The transformer is a BERT of two layers: its vocabulary is the letters and the words
of the corpus, and its weights are left to train.py, so that this program needs nothing but Python. For a
real one, put the files of a pretrained model in the place of FOLDER/model.
"""

from __future__ import annotations

import json
import string
import sys
from pathlib import Path

import labelled
import small_reviews
import text

SIZES = {"train": 1600, "validation": 400}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LONGEST = 128
ASKED = ["The acting was superb and the story was not dull.", "The plot was awful, the music was not superb."]


def configuration(vocabulary: int) -> dict[str, object]:
    """The config.json of a small BERT."""
    return {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "max_position_embeddings": LONGEST,
        "pad_token_id": 0,
    }


def word_pieces(texts: list[str]) -> list[str]:
    """A WordPiece vocabulary: every word of the texts, and letters and marks to spell out all others with."""
    letters = [*string.ascii_lowercase, *string.digits]
    words = sorted({word for content in texts for word in text.tokens(content)} - set(letters))
    marks = sorted(set(string.punctuation) - set(words))
    return [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *marks, *words]


def write(folder: Path) -> None:
    """Write data, model and requests, the same at every call."""
    small_reviews.write_tables(folder, SIZES)
    vocabulary = word_pieces([example.text for example in labelled.read(folder / "train")])
    text.write_lines(folder / "model" / "vocab.txt", vocabulary)
    tokenizer = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": LONGEST}
    for name, content in (("config", configuration(len(vocabulary))), ("tokenizer_config", tokenizer)):
        (folder / "model" / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    requests = [
        {"content_type": "application/json", "body": json.dumps({"inputs": ASKED}), "about": "two reviews"},
        {"content_type": "text/plain", "body": ASKED[0], "about": "one review as plain text"},
    ]
    (folder / "requests.json").write_text(json.dumps(requests, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
