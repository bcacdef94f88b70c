"""A training's state after its last whole epoch, so that a stopped run goes on instead of starting over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tensorflow import keras

import contract

STATE = "state.json"

History = list[dict[str, float]]


def save(folder: Path, model: keras.Model, history: History, given: dict[str, Any]) -> None:
    """Keep model, optimizer and history; the state that is there stays valid until the new one is whole."""
    name = f"epoch-{len(history):04d}.keras"
    # Under a name that no state refers to, for what is uploaded while it is being written.
    try:
        model.save(folder / name)
    except BaseException:
        (folder / name).unlink(missing_ok=True)
        raise
    state = {"model": name, "history": history, "hyperparameters": given}
    with contract.writing(folder / STATE) as file:
        file.write(json.dumps(state, indent=1).encode())
    for old in folder.glob("epoch-*.keras"):
        if old.name != name:
            old.unlink()


def restore(folder: Path, given: dict[str, Any]) -> tuple[keras.Model, History] | None:
    """The model with its optimizer, and the history so far; None where there is no checkpoint.

    Raises:
        UserError: a damaged checkpoint, or one of a run with other hyperparameters.
    """
    file = folder / STATE
    if not file.is_file():
        return None
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
        then, history = state["hyperparameters"], state["history"]
        file = folder / Path(state["model"]).name
        model = keras.models.load_model(file)
    except Exception as error:  # Keras raises many kinds: whatever it is, the checkpoint is of no use
        if isinstance(contract.classify(error), contract.PlatformError):
            raise
        raise contract.UserError(
            f"the checkpoint {folder.name}/{file.name} cannot be read ({type(error).__name__}: {error}): "
            "remove the checkpoints to start over"
        ) from error
    contract.check_resumable(len(history), then, given)
    return model, history
