"""Serve a model as SageMaker's framework containers do: GET /ping, POST /invocations."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

from .codecs import Refused
from .handlers import DEFAULT_TYPE, Handlers
from .prologue import begin
from .tensorflow_serving import TensorFlowServing


def main(folder: Path) -> int:
    """Load the model whose folder is `folder` and answer until killed."""
    base = begin(folder).base
    os.environ["SM_MODEL_DIR"] = str(base / "model")
    handlers = _handlers(base, os.environ.get("LOCALAWS_FRAMEWORK", ""))
    _say(f"serving {os.environ.get('SAGEMAKER_PROGRAM', '')}")
    return serve(handlers)


class Answering(Protocol):
    """A model that answers requests."""

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """The answer's body and content type; raises Refused, or anything for a 500."""


def serve(model: Answering) -> int:
    """Answer for a model until killed, on the port that SAGEMAKER_BIND_TO_PORT names."""
    server = _Server(("127.0.0.1", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), model)
    server.serve_forever()
    return 0


def _handlers(base: Path, framework: str) -> Answering:
    if framework == "tensorflow":
        # That image knows of no submitted code: only of what lies in the model.
        module = _user_module(base / "model" / "code", Path("inference.py"))
        return TensorFlowServing(module, base / "model")
    submitted = base / "code"
    code = submitted if submitted.is_dir() else base / "model" / "code"
    program = Path(os.environ.get("SAGEMAKER_PROGRAM", "inference.py"))
    return Handlers(_user_module(code, program), framework, base / "model")


def _user_module(code: Path, program: Path) -> object:
    if not (code / program).is_file():
        return object()
    os.chdir(code)
    sys.path.insert(0, str((code / program).parent))
    return importlib.import_module(program.stem)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], model: Answering) -> None:
        super().__init__(address, _Handler)
        self.model = model


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet: apart, the second would wait for the first one's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._send(200, b"", "text/plain")
        else:
            self._send(404, b"GET /ping or POST /invocations", "text/plain")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            self._send(411, b"a body needs a Content-Length", "text/plain")
            return
        body = self.rfile.read(int(length))
        if self.path == "/invocations":
            self._send(*self._answer(body))
        else:
            self._send(404, b"GET /ping or POST /invocations", "text/plain")

    def _answer(self, body: bytes) -> tuple[int, bytes, str]:
        content_type = self.headers.get("Content-Type") or DEFAULT_TYPE
        accept = self.headers.get("Accept") or ""
        if accept in ("", "*/*"):
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", DEFAULT_TYPE)
        try:
            content, answered = self.server.model.answer(body, content_type, accept)
        except Refused as error:
            _say(f"refused with {error.status}: {error.reason}")
            return error.status, error.reason.encode(), "text/plain"
        except Exception as error:  # noqa: BLE001 -- whatever the user's code raises, the server goes on
            traceback.print_exc()
            return 500, f"{type(error).__name__}: {error}".encode(), "text/plain"
        return 200, content, answered

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
        """Say nothing of requests that go well."""


def _say(text: str) -> None:
    print(f"sagemaker-inference: {text}", flush=True)  # noqa: T201 -- standard output is the endpoint's log
