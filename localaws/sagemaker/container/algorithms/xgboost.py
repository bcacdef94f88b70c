"""The algorithm mode of AWS's XGBoost image, on xgboost.

Differences from AWS: cross-validation (`_kfold`), training on several GPUs with Dask, AWS's own evaluation
metrics (such as accuracy and f1), recordio-protobuf, and the selection of the output's fields by
SAGEMAKER_INFERENCE_OUTPUT are not emulated, and refused. LIBSVM indices are taken as they are, in training
and in requests.
"""

from __future__ import annotations

import json
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from ..codecs import Refused, negotiate, to_text
from .job import Job, UserError, say
from .xgboost_data import content_matrix, kind_of, matrix
from .xgboost_parameters import validated

xgb = import_module("xgboost")  # the package, not this module
_Callback: Any = xgb.callback.TrainingCallback

DEFAULT_ACCEPT = "text/csv"
_MODEL = "xgboost-model"
_CHECKPOINT = "xgboost-checkpoint"
_CHECKPOINTS_KEPT = 5
_ACCEPTED = ("text/csv", "application/json", "application/jsonlines")


def train(job: Job) -> None:
    """Train and save the model as `xgboost-model`."""
    job.check_channels(("train", "validation", "code"), ("File", "FastFile"))
    values = validated(job.hyperparameters)
    metrics = values.pop("eval_metric", [])
    tuned = values.pop("_tuning_objective_metric", "").rpartition(":")[2]
    if tuned and tuned not in metrics:
        metrics = [*metrics, tuned]
    rounds, stop_after = values.pop("num_round"), values.pop("early_stopping_rounds", None)
    weighted = values.pop("csv_weights", 0) == 1
    keep_on_end = values.pop("save_model_on_termination")
    data = {name: matrix(job, name, weighted=weighted) for name in ("train", "validation") if job.files(name)}
    say(f"Train matrix has {data['train'].num_row()} rows and {data['train'].num_col()} columns")
    start, done = _resume(job.checkpoints)
    with job.model() as folder:
        rounds_seen = _Log(done)
        callbacks: list[Any] = [rounds_seen]
        if job.checkpoints is not None:
            callbacks.append(_Checkpoint(job.checkpoints, done))
        if stop_after is not None:
            name = "validation" if "validation" in data else None
            metric = (metrics or [None])[-1]
            callbacks.append(
                xgb.callback.EarlyStopping(stop_after, metric_name=metric, data_name=name, save_best=True)
            )
        try:
            booster = xgb.train(
                {**values, **({"eval_metric": metrics} if metrics else {})},
                data["train"],
                num_boost_round=max(0, rounds - done),
                evals=[(matrix, name) for name, matrix in data.items()],
                callbacks=callbacks,
                xgb_model=start,
                verbose_eval=False,
            )
        except xgb.core.XGBoostError as error:
            # What follows the first line is a trace through its own library.
            message = str(error).partition("\n")[0]
            raise UserError(f"XGB train call failed with exception: {message}") from error
        except SystemExit:
            if not keep_on_end or rounds_seen.model is None:
                raise
            booster = rounds_seen.model
        booster.save_model(folder / f"{_MODEL}.ubj")
        (folder / f"{_MODEL}.ubj").rename(folder / _MODEL)


class _Log(_Callback):
    """Writes each round's metrics as AWS's log shows them, with `#011` for the tabulator."""

    def __init__(self, done: int) -> None:
        super().__init__()
        self._done = done
        self.model: Any = None

    def after_iteration(self, model: Any, epoch: int, evals_log: dict[str, dict[str, list[float]]]) -> bool:
        self.model = model
        found = [
            f"#011{data}-{metric}:{values[-1]:.5f}"
            for data, metrics in evals_log.items()
            for metric, values in metrics.items()
        ]
        say(f"[{epoch + self._done}]{''.join(found)}")
        return False


class _Checkpoint(_Callback):
    """Keeps the last rounds' models in the folder of checkpoints."""

    def __init__(self, folder: Path, done: int) -> None:
        super().__init__()
        self._folder = folder
        self._done = done

    def after_iteration(self, model: Any, epoch: int, _evals_log: Any) -> bool:
        done = self._done + epoch
        part = self._folder / f"{_CHECKPOINT}.{done}.ubj"
        model.save_model(part)
        part.rename(self._folder / f"{_CHECKPOINT}.{done}")
        for number, path in _checkpoints(self._folder)[:-_CHECKPOINTS_KEPT]:
            if number != done:
                path.unlink()
        return False


def _checkpoints(folder: Path) -> list[tuple[int, Path]]:
    found = (re.fullmatch(rf"{_CHECKPOINT}\.(\d+)", path.name) for path in folder.iterdir())
    return sorted((int(match[1]), folder / match[0]) for match in found if match)


def _resume(folder: Path | None) -> tuple[Any, int]:
    """The newest checkpoint's model, and how many rounds it has seen."""
    found = _checkpoints(folder) if folder is not None and folder.is_dir() else []
    if not found:
        return None, 0
    number, path = found[-1]
    say(f"Resuming from checkpoint {path.name}")
    return xgb.Booster(model_file=bytearray(path.read_bytes())), number + 1


class Predictor:
    """The model of a folder, behind the requests of AWS's image."""

    def __init__(self, folder: Path) -> None:
        if "SAGEMAKER_INFERENCE_OUTPUT" in os.environ:
            raise NotImplementedError("SAGEMAKER_INFERENCE_OUTPUT is not emulated by the embedded AWS")
        found = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name[0] != "."]
        if not found:
            raise FileNotFoundError(f"{folder} holds no model")
        self._booster = xgb.Booster(model_file=bytearray(found[0].read_bytes()))
        best = self._booster.attr("best_iteration")
        self._rounds = (0, int(best) + 1) if best is not None else (0, 0)

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """A prediction for each row; raises Refused."""
        if not body:
            raise Refused(204, "")
        kind = kind_of(content_type)
        if kind not in ("csv", "libsvm"):
            raise Refused(415, f"Content-type {content_type} is not supported.")
        try:
            rows = content_matrix(kind, to_text(body))
        except ValueError as error:
            message = f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n"
            raise Refused(415, f"{message} {error}") from error
        try:
            predicted = self._booster.predict(rows, iteration_range=self._rounds, validate_features=False)
        except xgb.core.XGBoostError as error:
            raise Refused(400, f"Unable to evaluate payload provided: {error}") from error
        chosen = negotiate(accept, _ACCEPTED)
        return _encoded(predicted.tolist(), chosen).encode(), chosen


def _encoded(rows: list[Any], accept: str) -> str:
    if os.environ.get("SAGEMAKER_BATCH"):
        return "".join(f"{row}\n" for row in rows)
    if accept == "text/csv":
        return "".join(f"{','.join(map(str, row)) if isinstance(row, list) else row}\n" for row in rows)
    scores = [{"score": row} for row in rows]
    if accept == "application/json":
        return json.dumps({"predictions": scores})
    return "".join(f"{json.dumps(score)}\n" for score in scores)
