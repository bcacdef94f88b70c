"""A SavedModel behind what AWS's TensorFlow image offers: the rules of TensorFlow Serving's REST interface.

JSON with `instances` or `inputs`, a plain JSON array, JSON lines and CSV go in; JSON comes out, whatever is
accepted. The model's own inference.py has `input_handler` and `output_handler`, not the four functions of the
other frameworks. Not emulated: a `handler` that talks to TensorFlow Serving by itself, several models in one
archive, and the attributes that choose a model, version or method.
"""

from __future__ import annotations

import io
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from .codecs import CSV, JSON, Refused, base_type, to_text

_JSON_LINES = ("application/jsonlines", "application/jsons")
_ENVELOPE = re.compile(r'"(instances|inputs|examples)"\s*:')
_ROWS = re.compile(r"\[\s*\[")
_BETWEEN_LINES = re.compile(r"[}\]]\s*[\[{]")
_SIGNATURE = "serving_default"


class Context(NamedTuple):
    """What the handlers of AWS's image get; what concerns TensorFlow Serving's ports is None here."""

    request_content_type: str
    accept_header: str
    content_length: int
    method: str = "predict"
    model_name: str | None = None
    model_version: str | None = None
    rest_uri: str | None = None
    grpc_port: int | None = None
    channel: object = None
    custom_attributes: str | None = None


class Response:
    """What output_handler gets: the part of `requests.Response` that it is told of."""

    def __init__(self, status_code: int, content: bytes) -> None:
        self.status_code = status_code
        self.content = content
        self.text = content.decode()

    def json(self) -> Any:
        """The content, parsed."""
        return json.loads(self.content)


class TensorFlowServing:
    """The newest version of the one model in a folder."""

    def __init__(self, module: object, model_dir: Path) -> None:
        """Load the model.

        Raises:
            ValueError: no `<version>/saved_model.pb`, or an inference.py without its two handlers.
        """
        self._input_handler = getattr(module, "input_handler", None)
        self._output_handler = getattr(module, "output_handler", None)
        own = (self._input_handler, self._output_handler)
        if type(module) is not object and None in own:
            raise ValueError(
                "inference.py has no input_handler and output_handler, as TensorFlow's image wants"
            )
        files = [path for path in model_dir.rglob("saved_model.pb") if path.parent.name.isdecimal()]
        if not files:
            raise ValueError(f"no <version>/saved_model.pb lies in {model_dir}, such as 1/saved_model.pb")
        newest = max((path.parent for path in files), key=lambda folder: int(folder.name))
        self._tf = import_module("tensorflow")
        self._model = self._tf.saved_model.load(str(newest))

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """The answer to a request and its content type.

        Raises:
            Refused: with the status and reason for the client.
        """
        if self._input_handler is None or self._output_handler is None:
            return self._predict(_request(body, content_type)), JSON
        context = Context(content_type, accept or JSON, len(body))
        try:
            response = Response(200, self._predict(self._input_handler(io.BytesIO(body), context)))
        except Refused as error:
            response = Response(error.status, json.dumps({"error": error.reason}).encode())
        content, answered = self._output_handler(response, context)
        return (content.encode() if isinstance(content, str) else content), answered

    def _predict(self, text: str | bytes) -> bytes:
        """TensorFlow Serving's `:predict`: rows in and out under `instances`, columns under `inputs`."""
        try:
            request = json.loads(text)
            function = self._model.signatures[request.get("signature_name", _SIGNATURE)]
            wanted = function.structured_input_signature[1]
            by_row = "instances" in request
            given = _columns(request["instances"]) if by_row else request["inputs"]
            if not isinstance(given, dict):
                given = dict.fromkeys(wanted, given)
            tensors = {name: self._tf.constant(value, wanted[name].dtype) for name, value in given.items()}
            outputs = {name: value.numpy().tolist() for name, value in function(**tensors).items()}
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            self._tf.errors.InvalidArgumentError,
        ) as error:
            raise Refused(400, f"Failed to process the request: {type(error).__name__}: {error}") from error
        if not by_row:
            return json.dumps({"outputs": _only(outputs)}).encode()
        rows = [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]
        return json.dumps({"predictions": [_only(row) for row in rows]}).encode()


def _only(values: dict[str, Any]) -> Any:
    """The one value where there is one, else all by name."""
    return next(iter(values.values())) if len(values) == 1 else values


def _columns(rows: Any) -> Any:
    """Rows that name their inputs, as columns; others as they are."""
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        return {name: [row[name] for row in rows] for name in rows[0]}
    return rows


def _request(body: bytes, content_type: str) -> str:
    """A body of one of the types that the image takes, as TensorFlow Serving's JSON."""
    kind = base_type(content_type)
    if kind not in (JSON, CSV, *_JSON_LINES):
        raise Refused(415, f"Unsupported Media Type: {content_type or 'Unknown'}")
    text = to_text(body).strip()
    if kind == CSV:
        # A single column becomes plain numbers, several a row each.
        lines = [f"[{line}]" if "," in line else line for line in text.split()]
        return f'{{"instances": [{", ".join(lines)}]}}'
    if _ENVELOPE.search(text):
        return text
    if _BETWEEN_LINES.search(text):
        return f'{{"instances": [{", ".join(line for line in text.splitlines() if line.strip())}]}}'
    return f'{{"instances": {text if _ROWS.match(text) else f"[{text}]"}}}'
