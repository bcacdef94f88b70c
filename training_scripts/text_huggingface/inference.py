"""Serve the classifier: each of the four functions that the container calls.

A request is JSON, {"inputs": "a text"} or {"inputs": ["a text", …]}, as every Hugging Face endpoint takes
it, or plain text, one a line; the answer is JSON, [{"label": "…", "score": 0.93}, …], the likeliest label
of each text.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # the model's folder has all there is

import torch
import transformers

JSON, TEXT = "application/json", "text/plain"


def model_fn(model_dir: str, *_: object) -> tuple[Any, Any]:
    """The network and its tokenizer that train.py saved."""
    folder = Path(model_dir)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return network.to(device).eval(), transformers.AutoTokenizer.from_pretrained(
        folder, local_files_only=True
    )


def input_fn(body: str | bytes, content_type: str) -> list[str]:
    """The request's texts.

    Raises:
        ValueError: another content type, no texts, something that is no text.
    """
    content = body if isinstance(body, str) else bytes(body).decode("utf-8")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        given = json.loads(content)
        given = given.get("inputs") if isinstance(given, dict) else given
        texts = [given] if isinstance(given, str) else given
    elif kind == TEXT:
        texts = [line for line in content.splitlines() if line.strip()]
    else:
        raise ValueError(f"content type {kind!r} is not supported: send {JSON} or {TEXT}")
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
        raise ValueError('expected texts, such as {"inputs": ["What a film!"]}')
    return texts


def predict_fn(texts: list[str], model: tuple[Any, Any]) -> list[dict[str, Any]]:
    """The likeliest label of each text, and how sure the network is."""
    network, tokenizer = model
    inputs = tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
    with torch.no_grad():
        chances = network(**inputs.to(network.device)).logits.float().softmax(-1)
    best = chances.max(-1)
    names = network.config.id2label
    return [
        {"label": names[number], "score": round(score, 4)}
        for number, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def output_fn(prediction: list[dict[str, Any]], accept: str) -> tuple[str, str]:  # noqa: ARG001 -- always JSON
    """The answer and its content type."""
    return json.dumps(prediction), JSON
