"""Load the trained model for serving; the container's own defaults read requests and write answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib


def model_fn(model_dir: str) -> Any:
    """The model that train.py saved."""
    return joblib.load(Path(model_dir) / "model.joblib")
