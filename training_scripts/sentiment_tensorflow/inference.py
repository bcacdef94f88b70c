"""Read reviews for the network behind TensorFlow Serving, as its container asks: two handlers.

A request is JSON, {"instances": ["a review", …]}, or plain text, a review a line; the answer is JSON,
{"predictions": [{"label": "praise", "score": 0.93}, …]}; the score is how sure the network is of praise.
"""

from __future__ import annotations

import json
import os
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import encoding
import text

JSON, TEXT = "application/json", "text/plain"
PRAISED_FROM = 0.5


@cache
def _encoding() -> tuple[dict[str, int], int]:
    """The words' numbers and the length of a row, which lie in the model."""
    found = encoding.Encoding.load(Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model")))
    return encoding.index(found.words), found.length


def input_handler(data: Any, context: Any) -> str:
    """The request for TensorFlow Serving: the numbers of each review's words.

    Raises:
        ValueError: another content type, no reviews, something that is no text.
    """
    body = data.read().decode("utf-8")
    kind = (context.request_content_type or JSON).partition(";")[0].strip().lower()
    if kind == JSON:
        reviews = json.loads(body)
        reviews = reviews.get("instances") if isinstance(reviews, dict) else reviews
    elif kind == TEXT:
        reviews = [line for line in body.splitlines() if line.strip()]
    else:
        raise ValueError(f"content type {kind!r} is not supported: send {JSON} or {TEXT}")
    if not isinstance(reviews, list) or not reviews or not all(isinstance(one, str) for one in reviews):
        raise ValueError('expected reviews, such as {"instances": ["What a film!"]}')
    return json.dumps({"instances": rows(reviews, *_encoding())})


def rows(reviews: list[str], numbers: dict[str, int], length: int) -> list[list[int]]:
    """The reviews as the training saw them."""
    words = (text.words(text.without_html(review)) for review in reviews)
    return [encoding.padded(encoding.encode(some, numbers), length) for some in words]


def output_handler(response: Any, context: Any) -> tuple[str, str]:  # noqa: ARG001 -- the container passes it
    """The answer of TensorFlow Serving with words to its scores.

    Raises:
        ValueError: TensorFlow Serving refused the request.
    """
    if response.status_code != HTTPStatus.OK:
        raise ValueError(response.content.decode("utf-8"))
    scores = [float(score) for (score,) in json.loads(response.content)["predictions"]]
    answers = [
        {"label": "praise" if score >= PRAISED_FROM else "blame", "score": round(score, 4)}
        for score in scores
    ]
    return json.dumps({"predictions": answers}), JSON
