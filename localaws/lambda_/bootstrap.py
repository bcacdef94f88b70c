"""What runs inside a Python worker: loads the handler once, then answers one event after the other.

Started as `python bootstrap.py CHANNEL LIFELINE HANDLER` by `localaws.lambda_.worker`, with the
function's environment and no site-packages but those that Lambda's own Python runtimes bring. Standard
library only, and little of it: its imports are part of every cold start. Messages and error shapes are
those of AWS's runtime interface client (github.com/aws/aws-lambda-python-runtime-interface-client).
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

# Standard output is cut into log events at "\n"; a message of several lines stays one event.
_LINE_END = "\r"


class HandlerError(Exception):
    """The handler cannot be loaded; `error_type` is the name AWS gives the reason."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class Context:
    """The second argument of a handler."""

    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
    memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
    log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
    identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)

    def __init__(self, request: dict[str, Any]) -> None:
        self.aws_request_id: str = request["request_id"]
        self.invoked_function_arn: str = request["invoked_arn"]
        given = request["client_context"]
        self.client_context = given and SimpleNamespace(
            **{"client": None, "custom": None, "env": None, **given}
        )
        self._deadline_ms: int = request["deadline_ms"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


def load(handler: str) -> Callable[[Any, Any], Any]:
    """The function that `handler` ("package.module.function") names."""
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        raise HandlerError("Runtime.MalformedHandlerName", f"Bad handler '{handler}': {error}") from error
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise HandlerError(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from error
    except SyntaxError as error:
        raise HandlerError(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
        ) from error
    if not hasattr(module, function_name):
        raise HandlerError(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        )
    function: Callable[[Any, Any], Any] = getattr(module, function_name)
    return function


def answer(function: Callable[[Any, Any], Any], request: dict[str, Any], payload: bytes) -> tuple[str, bytes]:
    """Call the handler; "result" or "error", with the JSON of either."""
    _RequestId.current = request["request_id"]
    try:
        result = function(json.loads(payload), Context(request))
    except BaseException as error:
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            raise
        return "error", describe(error, request["request_id"])
    try:
        return "result", json.dumps(result, ensure_ascii=False, default=_decimal).encode()
    except (TypeError, ValueError) as error:
        failure = HandlerError("Runtime.MarshalError", f"Unable to marshal response: {error}")
        return "error", describe(failure, request["request_id"])


def describe(error: BaseException, request_id: str) -> bytes:
    """The payload that AWS answers for an error of the function; it is logged as well."""
    known = isinstance(error, HandlerError)
    report = {
        "errorMessage": str(error),
        "errorType": error.error_type if isinstance(error, HandlerError) else type(error).__name__,
        "requestId": request_id,
        # The two frames on top are this file's.
        "stackTrace": [] if known else traceback.format_list(traceback.extract_tb(error.__traceback__)[1:]),
    }
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        sys.stdout.write(json.dumps({"timestamp": _now(), "log_level": "ERROR", **report}) + "\n")
    else:
        lines = [f"[ERROR] {report['errorType']}: {report['errorMessage']}"]
        if report["stackTrace"]:
            lines += ["Traceback (most recent call last):", *report["stackTrace"]]
        sys.stdout.write("\n".join(lines).rstrip("\n").replace("\n", _LINE_END) + "\n")
    return json.dumps(report, ensure_ascii=False).encode()


def _decimal(value: object) -> Any:
    """Numbers as DynamoDB's client gives them."""
    if type(value).__name__ == "Decimal":
        return float(value)  # type: ignore[arg-type]
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class _RequestId(logging.Filter):
    """Adds the request's id to each log record, as AWS's runtime does."""

    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.current
        return True


class _TextFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", _LINE_END)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": _now(),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": _RequestId.current,
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["errorType"] = record.exc_info[0].__name__
            line["errorMessage"] = str(record.exc_info[1])
            line["stackTrace"] = self.formatException(record.exc_info).split("\n")
        return json.dumps(line, ensure_ascii=False, default=str)


def log_like_aws() -> None:
    """Root logger to standard output, in the format that the function's configuration asks for."""
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_RequestId())
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(_JsonFormatter())
        logging.getLogger().setLevel(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO"))
    else:
        layout = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
        handler.setFormatter(_TextFormatter(layout, "%Y-%m-%dT%H:%M:%S"))
    logging.getLogger().addHandler(handler)


def die_with_the_server(lifeline: int) -> None:
    """Wait until the other end of `lifeline` closes, then end this process and what it started."""
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def main(channel_fd: int, lifeline_fd: int, handler: str) -> None:
    """Load the handler, say so, answer events until the channel closes."""
    threading.Thread(target=die_with_the_server, args=(lifeline_fd,), daemon=True).start()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    sys.path.append(os.environ["LAMBDA_RUNTIME_DIR"])
    log_like_aws()
    channel = socket.socket(fileno=channel_fd).makefile("rwb")

    def send(kind: str, payload: bytes) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        channel.write(json.dumps({"kind": kind, "length": len(payload)}).encode() + b"\n" + payload)
        channel.flush()

    try:
        function = load(handler)
    except Exception as error:  # noqa: BLE001 -- a module may raise anything while it is imported
        send("init_error", describe(error, ""))
        return
    send("ready", b"")
    for line in channel:
        request = json.loads(line)
        send(*answer(function, request, channel.read(request["length"])))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
