"""Run a built-in algorithm: `builtin FOLDER <algorithm> train|serve`."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from .algorithms.job import Job
from .prologue import begin
from .serve import serve


def main(folder: Path) -> int:
    """Train to the end (0, or 1 with the reason in `output/failure`), or serve until killed."""
    algorithm, action = sys.argv[3:]
    base = begin(folder).base
    module = importlib.import_module(f".algorithms.{algorithm}", __package__)
    os.environ.setdefault("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", module.DEFAULT_ACCEPT)
    return serve(module.Predictor(base / "model")) if action == "serve" else Job(base).run(module.train)
