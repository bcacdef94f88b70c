"""The managed images, by repository: frameworks for the user's script, and built-in algorithms."""

from __future__ import annotations

from dataclasses import dataclass

from localaws.sagemaker.container.contract import MPI, PARAMETER_SERVER, TORCHRUN


@dataclass(frozen=True)
class Framework:
    """A family of managed images in script mode."""

    name: str
    training_module: str
    packages: tuple[str, ...]
    """What the image has, as pip requirements; `{version}` is the tag's major.minor."""
    launchers: tuple[str, ...] = ()
    """The hyperparameters for distributed training that the image knows."""


@dataclass(frozen=True)
class Algorithm:
    """A built-in algorithm: the packages that stand for it, the main one first, and the log's metrics."""

    name: str
    packages: tuple[str, ...]
    metrics: tuple[tuple[str, str], ...]


_SKLEARN = Framework(
    "scikit-learn",
    "sagemaker_sklearn_container.training:main",
    ("scikit-learn=={version}.*", "pandas", "joblib"),
)
_PYTORCH = Framework(
    "pytorch",
    "sagemaker_pytorch_container.training:main",
    ("torch=={version}.*", "numpy"),
    (TORCHRUN, MPI),
)
# The newest image that serves, 2.6, is years behind those that train: what reads their models stands for it.
_PYTORCH_SERVING = Framework(_PYTORCH.name, _PYTORCH.training_module, ("torch>={version},<2.14", "numpy"))
_TENSORFLOW = Framework(
    "tensorflow",
    "sagemaker_tensorflow_container.training:main",
    ("tensorflow=={version}.*",),
    (PARAMETER_SERVER, MPI),
)
_HUGGINGFACE = Framework(
    "huggingface",
    "sagemaker_pytorch_container.training:main",
    ("transformers", "torch=={version}.*"),
    (TORCHRUN, MPI),
)
_XGBOOST = Framework(
    "xgboost",
    "sagemaker_xgboost_container.training:main",
    ("xgboost=={version}.*", "scikit-learn", "pandas"),
)
_MXNET = Framework(
    "mxnet",
    "sagemaker_mxnet_container.training:main",
    ("mxnet=={version}.*",),
    (PARAMETER_SERVER, MPI),
)

FRAMEWORKS = {
    "sagemaker-scikit-learn": _SKLEARN,
    "sagemaker-xgboost": _XGBOOST,
    "pytorch": _PYTORCH,
    "pytorch-training": _PYTORCH,
    "pytorch-inference": _PYTORCH_SERVING,
    "tensorflow-training": _TENSORFLOW,
    "tensorflow-inference": _TENSORFLOW,
    "huggingface-pytorch-training": _HUGGINGFACE,
    "huggingface-pytorch-inference": _HUGGINGFACE,
    "mxnet-training": _MXNET,
    "mxnet-inference": _MXNET,
}

_XGBOOST_METRICS = (
    "aft-nloglik",
    "auc",
    "aucpr",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "logloss",
    "mae",
    "map",
    "mape",
    "merror",
    "mlogloss",
    "ndcg",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
)
ALGORITHMS = {
    "blazingtext": Algorithm(
        "blazingtext",
        ("fasttext-numpy2-wheel==0.9.2", "numpy==2.4.*"),
        tuple((f"{data}:accuracy", rf"#{data}_accuracy: ([0-9.]+)") for data in ("train", "validation")),
    ),
    "sagemaker-xgboost": Algorithm(
        "xgboost",
        (
            # The wheel without CUDA is a twentieth of the size; macOS has only one, without.
            "xgboost-cpu=={version}.*; sys_platform != 'darwin'",
            "xgboost=={version}.*; sys_platform == 'darwin'",
            "numpy==2.4.*",
            "scipy==1.17.*",
            "pyarrow==26.*",
        ),
        tuple(
            (f"{data}:{metric}", rf"\[\d+\].*#011{data}-{metric}:([-+.\w]+)")
            for data in ("train", "validation")
            for metric in _XGBOOST_METRICS
        ),
    ),
}
