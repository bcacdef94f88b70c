"""The hyperparameters of AWS's XGBoost image, with its ranges."""

from __future__ import annotations

import ast
import re
from typing import Any

from .job import Parameter, UserError, boolean, positive, say, validate

_METRICS = re.compile(
    r"(rmse|rmsle|mae|mape|mphe|logloss|error(@[\d.]+)?|merror|mlogloss|auc|aucpr|pre|ndcg(@\d+)?-?|map(@\d+)?-?"
    r"|poisson-nloglik|gamma-nloglik|cox-nloglik|gamma-deviance|tweedie-nloglik(@[\d.]+)?|aft-nloglik"
    r"|interval-regression-accuracy)"
)
_OBJECTIVES = (
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "reg:linear",
    "reg:squarederror",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except SyntaxError as error:
        raise ValueError(text) from error


def _number(low: float | None = None, high: float | None = None, *, above: float | None = None) -> Parameter:
    return Parameter(float, low=low, high=high, above=above)


def _whole(low: int | None = None, high: int | None = None) -> Parameter:
    return Parameter(int, low=low, high=high)


def _one_of(*choices: str) -> Parameter:
    return Parameter(str, choices=choices)


_PARAMETERS = {
    "num_round": Parameter(int, low=1, required=True),
    "csv_weights": _whole(0, 1),
    "early_stopping_rounds": positive(),
    "booster": _one_of("gbtree", "gblinear", "dart"),
    "verbosity": _whole(0, 3),
    "nthread": positive(),
    "eta": _number(0, 1),
    "gamma": _number(0),
    "max_depth": _whole(0),
    "min_child_weight": _number(0),
    "max_delta_step": _number(0),
    "subsample": _number(high=1, above=0),
    "colsample_bytree": _number(high=1, above=0),
    "colsample_bylevel": _number(high=1, above=0),
    "colsample_bynode": _number(high=1, above=0),
    "lambda": _number(0),
    "alpha": _number(0),
    "tree_method": _one_of("auto", "exact", "approx", "hist", "gpu_hist"),
    "sketch_eps": _number(high=1, above=0),
    "scale_pos_weight": _number(above=0),
    "updater": Parameter(_list),
    "dsplit": _one_of("row", "col"),
    "refresh_leaf": _whole(0, 1),
    "process_type": _one_of("default", "update"),
    "grow_policy": _one_of("depthwise", "lossguide"),
    "max_leaves": _whole(0),
    "max_bin": _whole(0),
    "predictor": _one_of("auto", "cpu_predictor", "gpu_predictor"),
    "monotone_constraints": Parameter(_literal),
    "interaction_constraints": Parameter(_literal),
    "sample_type": _one_of("uniform", "weighted"),
    "normalize_type": _one_of("tree", "forest"),
    "rate_drop": _number(0, 1),
    "one_drop": _whole(0, 1),
    "skip_drop": _number(0, 1),
    "lambda_bias": _number(0, 1),
    "tweedie_variance_power": _number(1, 2),
    "objective": Parameter(str, "reg:squarederror", choices=_OBJECTIVES),
    "num_class": _whole(2),
    "base_score": _number(0),
    "_tuning_objective_metric": Parameter(str),
    "eval_metric": Parameter(_list),
    "seed": _whole(-(2**31), 2**31 - 1),
    "num_parallel_tree": positive(),
    "save_model_on_termination": Parameter(boolean, default=False),
    "aft_loss_distribution": _one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _number(0),
    "deterministic_histogram": Parameter(boolean),
    "sampling_method": _one_of("uniform", "gradient_based"),
}
_ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}
_NOT_EMULATED = ("_kfold", "_num_cv_round", "use_dask_gpu_training")
# Known to AWS's image, and to xgboost no longer.
_GONE = ("dsplit", "predictor", "sketch_eps", "lambda_bias", "deterministic_histogram")


def validated(raw: dict[str, str]) -> dict[str, Any]:
    """The values that xgboost takes, with this module's own beside them; raises UserError."""
    for name in raw:
        if name in _NOT_EMULATED:
            raise UserError(f"Hyperparameter {name} is not emulated by the embedded AWS")
    values = validate({_ALIASES.get(name, name): value for name, value in raw.items()}, _PARAMETERS)
    for metric in values.get("eval_metric", []):
        if not _METRICS.fullmatch(metric):
            raise UserError(f"Hyperparameter eval_metric: {metric} is no metric of xgboost's own")
    if values["objective"] in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    if values["objective"] == "reg:linear":
        values["objective"] = "reg:squarederror"
    if "updater" in values:
        values["updater"] = ",".join(values["updater"])
    for name in _GONE:
        if values.pop(name, None) is not None:
            say(f"localaws: hyperparameter {name} has no effect: this xgboost knows it no longer")
    return values
