"""Load the trained model for serving; the container's own defaults read requests and write answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np


def model_fn(model_dir: str) -> Any:
    """The model that train.py saved."""
    return joblib.load(Path(model_dir) / "model.joblib")


def predict_fn(data: np.ndarray, model: Any) -> np.ndarray:
    """One y for each x. The container reads a single column of CSV as one dimension, the model wants two."""
    if data.ndim > 1 and data.shape[-1] != 1:
        raise ValueError(f"expected one x a row, got {data.shape[-1]} values")
    return model.predict(data.reshape(-1, 1))
