"""The hyperparameters of AWS's BlazingText image, for each of its modes."""

from __future__ import annotations

from typing import Any

from .job import Parameter, boolean, positive, validate

SUPERVISED = "supervised"
MODES = {SUPERVISED: "supervised", "skipgram": "skipgram", "batch_skipgram": "skipgram", "cbow": "cbow"}
"""BlazingText's modes, and what fastText calls them."""

_SHARED = {
    "mode": Parameter(str, choices=tuple(MODES), required=True),
    "buckets": positive(2_000_000),
    "epochs": positive(5),
    "learning_rate": Parameter(float, 0.05, above=0),
    "min_count": Parameter(int, 5, low=0),
    "vector_dim": positive(100),
    "_tuning_objective_metric": Parameter(str),
}
CLASSIFICATION = {
    **_SHARED,
    "early_stopping": Parameter(boolean, default=False),
    "min_epochs": positive(5),
    "patience": positive(4),
    "word_ngrams": positive(2),
}
WORD_VECTORS = {
    **_SHARED,
    "batch_size": positive(11),
    "evaluation": Parameter(boolean, default=True),
    "min_char": positive(3),
    "max_char": positive(6),
    "negative_samples": positive(5),
    "sampling_threshold": Parameter(float, 0.0001, above=0),
    "subwords": Parameter(boolean, default=False),
    "window_size": positive(5),
}


def of_mode(mode: str | None) -> dict[str, Parameter]:
    """What a mode takes."""
    return CLASSIFICATION if mode == SUPERVISED else WORD_VECTORS


def validated(raw: dict[str, str]) -> dict[str, Any]:
    """The values, with defaults; raises UserError."""
    return validate(raw, of_mode(raw.get("mode")))
