"""Serve the classifier: {"inputs": "a text"} or {"inputs": ["a text", …]} in, the likeliest labels out."""

from __future__ import annotations

import json
from pathlib import Path

import network

JSON = "application/json"


def model_fn(model_dir: str) -> network.Classifier:
    """The classifier that train.py saved."""
    return network.Classifier.load(Path(model_dir))


def input_fn(body: str | bytes, content_type: str) -> list[str]:
    """The request's texts.

    Raises:
        ValueError: another content type, no texts, something that is no text.
    """
    if content_type.partition(";")[0].strip().lower() != JSON:
        raise ValueError(f"content type {content_type!r} is not supported: send {JSON}")
    given = json.loads(body if isinstance(body, str) else bytes(body).decode("utf-8"))
    texts = given.get("inputs") if isinstance(given, dict) else given
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
        raise ValueError('expected texts, such as {"inputs": ["What a film!"]}')
    return texts


def predict_fn(texts: list[str], model: network.Classifier) -> list[dict]:
    """The likeliest label of each text, and its score."""
    scores = model.scores(texts).asnumpy()
    best = scores.argmax(axis=1)
    return [
        {"label": model.labels[number], "score": round(float(row[number]), 4)}
        for number, row in zip(best.tolist(), scores)  # noqa: B905 -- so that it runs on Python 3.8
    ]


def output_fn(prediction: list[dict], accept: str) -> tuple[str, str]:  # noqa: ARG001 -- always JSON
    """The answer and its content type."""
    return json.dumps(prediction), JSON
