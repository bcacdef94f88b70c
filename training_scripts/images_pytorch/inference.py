"""Serve the classifier: JSON or NPY in, the class and its probability of each image out, as JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

import contract
import network

JSON, NPY = "application/json", "application/x-npy"
_DIMENSIONS = (3, 4)


def model_fn(model_dir: str) -> network.Classifier:
    """The model that train.py saved, on the GPU where there is one."""
    return network.load(Path(model_dir), torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def input_fn(body: str | bytes, content_type: str) -> torch.Tensor:
    """The request's images: bytes (0 to 255) of shape (n, h, w) or (n, h, w, channels)."""
    pixels = _array(body, content_type.partition(";")[0].strip().lower())
    if pixels.dtype.kind not in "iu" or pixels.ndim not in _DIMENSIONS:
        found = f"{pixels.dtype} of shape {pixels.shape}"
        raise contract.refusal(400, f"expected whole numbers of shape (n, h, w[, channels]), got {found}")
    if pixels.size == 0 or pixels.min() < 0 or pixels.max() > np.iinfo(np.uint8).max:
        raise contract.refusal(400, "expected at least one image, of numbers from 0 to 255")
    return torch.from_numpy(pixels.astype(np.uint8)).reshape(*pixels.shape[:3], -1)


def _array(body: str | bytes, kind: str) -> np.ndarray:
    try:
        if kind == JSON:
            return np.asarray(json.loads(body))
        if kind == NPY and not isinstance(body, str):
            return np.load(io.BytesIO(body), allow_pickle=False)  # a pickle would run whatever it holds
    except (ValueError, EOFError) as error:
        raise contract.refusal(400, f"the body is not {kind}: {error}") from error
    raise contract.refusal(415, f"content type {kind!r} is not supported: send {JSON} or {NPY}")


def predict_fn(pixels: torch.Tensor, model: network.Classifier) -> torch.Tensor:
    """The probability of each class for each image."""
    with torch.no_grad():
        return model(pixels.to(next(model.parameters()).device)).softmax(1).cpu()


def output_fn(probabilities: torch.Tensor, _accept: str) -> tuple[str, str]:
    """`[{"class": 3, "probability": 0.98}]`, one an image; JSON whatever is accepted."""
    best: Any = probabilities.max(1)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return json.dumps([{"class": label, "probability": round(value, 6)} for label, value in pairs]), JSON
