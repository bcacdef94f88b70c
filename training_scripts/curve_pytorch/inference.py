"""Serve the network: each of the four functions that the container calls, where it has a default as well.

A request is JSON, `[[100], [200]]`, or CSV, one x a line; the answer is the predicted y, in the form that is
asked for.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch

import contract
import network

JSON, CSV = "application/json", "text/csv"


def model_fn(model_dir: str) -> network.Curve:
    """The model that train.py saved."""
    return network.load(Path(model_dir))


def input_fn(body: str | bytes, content_type: str) -> torch.Tensor:
    """The request's x, of shape (n, 1)."""
    text = body if isinstance(body, str) else bytes(body).decode()
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (JSON, CSV):
        raise contract.refusal(415, f"content type {content_type!r} is not supported: send {JSON} or {CSV}")
    try:
        rows = json.loads(text) if kind == JSON else [line.split(",") for line in text.split()]
        xs = [float(x) for row in rows for x in (row if isinstance(row, list) else [row])]
    except (ValueError, TypeError) as error:
        raise contract.refusal(400, f"the body is not {kind} of numbers: {error}") from error
    if len(xs) != len(rows) or not xs or not all(map(math.isfinite, xs)):
        raise contract.refusal(400, "expected one finite x a row, such as [[100], [200]]")
    return torch.tensor(xs)[:, None]


def predict_fn(x: torch.Tensor, model: network.Curve) -> torch.Tensor:
    """One y for each x."""
    with torch.no_grad():
        return model(x)


def output_fn(prediction: torch.Tensor, accept: str) -> tuple[str, str]:
    """The answer and its content type: CSV where that is asked for, else JSON."""
    values = prediction.tolist()
    if accept.partition(";")[0].strip().lower() == CSV:
        return "".join(f"{value}\n" for value in values), CSV
    return json.dumps(values), JSON
