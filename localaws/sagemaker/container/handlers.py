"""The functions that turn a request into an answer: the user's, with the framework's where one is missing."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from .codecs import TEXT, Refused, base_type, decode, encode, to_text

Function = Callable[..., Any]
DEFAULT_TYPE = "application/json"


class Handlers:
    """model_fn, input_fn, predict_fn and output_fn (or transform_fn) of one model."""

    def __init__(self, module: object, framework: str, model_dir: Path) -> None:
        """Load the model.

        Raises:
            Refused: transform_fn stands beside functions that it replaces.
        """
        own = {name: getattr(module, name, None) for name in _NAMES}
        if own["transform_fn"] and (own["input_fn"] or own["predict_fn"] or own["output_fn"]):
            message = "Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn"
            raise Refused(500, message)
        self._transform_fn: Function | None = own["transform_fn"]
        self._input_fn: Function | None = own["input_fn"]
        self._output_fn: Function | None = own["output_fn"]
        default = DEFAULTS.get(framework, _PLAIN)
        self._default_input = default["input_fn"]
        self._predict_fn: Function = own["predict_fn"] or default["predict_fn"]
        self._model = (own["model_fn"] or default["model_fn"])(str(model_dir))

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """The answer to a request and its content type.

        What predict_fn raises passes through and is answered 500, as in AWS's toolkit: that a model wants
        another shape is known to the model only.

        Raises:
            Refused: with the status and reason for the client.
        """
        if self._transform_fn is not None:
            content = _content(body, content_type)
            return _response(
                _user(415, self._transform_fn, self._model, content, content_type, accept), accept
            )
        if self._input_fn is not None:
            data = _user(415, self._input_fn, _content(body, content_type), content_type)
        else:
            data = self._default_input(body, content_type)
        prediction = self._predict_fn(data, self._model)
        if self._output_fn is None:
            return encode(prediction, accept)
        return _response(_user(406, self._output_fn, prediction, accept), accept)


def _content(body: bytes, content_type: str) -> bytes | str:
    return to_text(body) if base_type(content_type) in TEXT else body


def _user(unsupported: int, function: Function, *arguments: Any) -> Any:
    """Call a user's function; the toolkits' own exceptions keep their meaning."""
    try:
        return function(*arguments)
    except Exception as error:
        if type(error).__name__ == "UnsupportedFormatError":
            raise Refused(unsupported, str(error)) from error
        status = getattr(error, "status_code", None)
        if isinstance(status, int):
            raise Refused(status, str(error)) from error
        raise


def _response(result: Any, accept: str) -> tuple[bytes, str]:
    """What output_fn and transform_fn may return: the content, or the content and its type."""
    content, content_type = result if isinstance(result, tuple) else (result, accept)
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes | bytearray):
        raise TypeError(f"output_fn returned a {type(content).__name__}: expected str or bytes")
    return bytes(content), str(content_type)


def _no_model(model_dir: str) -> Any:
    raise NotImplementedError(f"Please provide a model_fn implementation that loads the model in {model_dir}")


def _no_predict(data: Any, model: Any) -> Any:
    raise NotImplementedError("Please provide a predict_fn implementation")


def _sklearn_input(body: bytes, content_type: str) -> Any:
    data = decode(body, content_type)
    if base_type(content_type) not in TEXT or not hasattr(data, "astype"):
        return data
    try:
        return data.astype("float32")
    except (ValueError, TypeError) as error:
        raise Refused(400, f"the body holds something that is not a number: {error}") from error


def _sklearn_predict(data: Any, model: Any) -> Any:
    return model.predict(data)


def _torch_model(model_dir: str) -> Any:
    torch = import_module("torch")

    found = [path for path in sorted(Path(model_dir).iterdir()) if path.suffix in (".pt", ".pth")]
    if len(found) != 1:
        raise ValueError(f"Exactly one .pth or .pt file is required for PyTorch models: {found}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.jit.load(found[0], map_location=device).eval()


def _torch_input(body: bytes, content_type: str) -> Any:
    torch = import_module("torch")

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.as_tensor(_sklearn_input(body, content_type)).to(device)


def _torch_predict(data: Any, model: Any) -> Any:
    torch = import_module("torch")

    with torch.no_grad():
        return model(data).detach().cpu()


_NAMES = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")
_PLAIN: dict[str, Function] = {"model_fn": _no_model, "input_fn": decode, "predict_fn": _no_predict}
DEFAULTS: dict[str, dict[str, Function]] = {
    "scikit-learn": {**_PLAIN, "input_fn": _sklearn_input, "predict_fn": _sklearn_predict},
    "pytorch": {"model_fn": _torch_model, "input_fn": _torch_input, "predict_fn": _torch_predict},
}
"""The functions that each framework's container brings; the others leave them to the user."""
