"""What AWS has retired and people still write: the reason, and what took its place."""

from __future__ import annotations

_CLASSIC = (
    "AWS has retired Studio Classic and its apps",
    "use jupyterlab or code_editor, in a space of their own",
)
_ELASTIC_INFERENCE = (
    "AWS has retired Elastic Inference",
    "choose a GPU type, such as  instance: ml.g4dn.xlarge",
)
_DEBUGGER = ("AWS has closed SageMaker Debugger to new customers", "write metrics to the log (see `metrics`)")
_EDGE = (
    "AWS has retired SageMaker Edge Manager",
    "serve from an endpoint, or take the model from its bucket",
)

WORDS = {
    "jupyterserver": _CLASSIC,
    "kernelgateway": _CLASSIC,
    "studioclassic": _CLASSIC,
    "accelerator": _ELASTIC_INFERENCE,
    "acceleratortype": _ELASTIC_INFERENCE,
    "elasticinference": _ELASTIC_INFERENCE,
    "debugger": _DEBUGGER,
    "edgemanager": _EDGE,
}
"""By the word as it is written, in lower case and without hyphens and underscores."""


def replacement(word: str) -> tuple[str, str] | None:
    """The reason and the remedy if a key or value names something retired."""
    return WORDS.get(word.lower().replace("_", "").replace("-", ""))
