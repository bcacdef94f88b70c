"""An execution environment: a worker with its log stream, and how one event runs in it."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.lambda_.function import Deployment, utc_now
from localaws.lambda_.logs import LogStream
from localaws.lambda_.worker import Reply, Worker, WorkerExited, WorkerTimedOut

# AWS gives the start 10 s; a laptop that does much else may need more.
_INIT_SECONDS = 60.0
_MAX_RESPONSE = 6_291_556
_TAIL = 4096


@dataclass(frozen=True)
class Event:
    """One event for a function; the payload is JSON, the client context a decoded JSON value or None."""

    payload: bytes
    invoked_arn: str
    client_context: Any = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Outcome:
    """What came of an event: the payload (JSON), whether the function failed, the end of its log."""

    payload: bytes
    failed: bool
    log_tail: bytes


class Sandbox:
    """One worker of a deployment; `spent` once it can take no further event."""

    def __init__(
        self, deployment: Deployment, command: Sequence[str], environment: dict[str, str], folder: Path
    ) -> None:
        """Start the worker; its temporary folder is made below `folder`."""
        self._deployment = deployment
        identifier, settings = deployment.identifier, deployment.settings
        today = datetime.now(UTC).strftime("%Y/%m/%d")
        stream = f"{today}/[$LATEST]{secrets.token_hex(16)}"
        self._log = LogStream(identifier.account, identifier.region, deployment.log_group, stream)
        self.spent = False
        self._started = time.monotonic()
        self._initialized = False
        self._peak_mb = 0
        variables = {
            **environment,
            "_HANDLER": settings["Handler"],
            "LAMBDA_TASK_ROOT": str(deployment.code.folder),
            "AWS_LAMBDA_FUNCTION_NAME": identifier.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": deployment.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_LAMBDA_LOG_FORMAT": "JSON" if deployment.json_logs else "Text",
            "AWS_LAMBDA_LOG_LEVEL": settings.get("LoggingConfig", {}).get("ApplicationLogLevel", "INFO"),
        }
        scratch = folder / uuid.uuid4().hex
        self._worker = Worker(command, variables, deployment.code.folder, scratch, self._log.write)

    @property
    def alive(self) -> bool:
        """Whether the worker still runs."""
        return self._worker.alive

    def run(self, event: Event) -> Outcome:
        """Run one event to its end; what goes wrong in the function becomes a failed outcome."""
        self._log.begin()
        failure, init_ms = self._initialize(event.request_id)
        self._platform("start", event.request_id, version="$LATEST")
        begun = time.monotonic()
        reply = failure or self._answer(event)
        duration = time.monotonic() - begun
        self._peak_mb = max(self._peak_mb, self._worker.memory_mb)
        self._report(event.request_id, duration * 1000, init_ms, reply.kind)
        self._log.flush()
        return Outcome(reply.payload, reply.kind != "result", self._log.tail(_TAIL))

    def kill(self) -> None:
        """End the worker in the middle of whatever it does."""
        self.spent = True
        self._worker.kill()

    def close(self) -> None:
        """End the worker and forget its folder."""
        self._worker.close()

    def _initialize(self, request_id: str) -> tuple[Reply | None, float | None]:
        """Wait until the handler is loaded: the failure, if it was not, and the milliseconds it took."""
        if self._initialized:
            return None, None
        reply = self._receive(_INIT_SECONDS, request_id)
        self._initialized = reply.kind == "ready"
        self.spent = not self._initialized
        return (None if self._initialized else reply), (time.monotonic() - self._started) * 1000

    def _answer(self, event: Event) -> Reply:
        timeout = self._deployment.settings["Timeout"]
        header = {
            "request_id": event.request_id,
            "invoked_arn": event.invoked_arn,
            "client_context": event.client_context,
            "deadline_ms": int((time.time() + timeout) * 1000),
        }
        self._worker.send(header, event.payload)
        reply = self._receive(timeout, event.request_id)
        if len(reply.payload) > _MAX_RESPONSE:
            return _failure(
                "Function.ResponseSizeTooLarge",
                f"Response payload size exceeded maximum allowed payload size ({_MAX_RESPONSE} bytes).",
            )
        return reply

    def _receive(self, seconds: float, request_id: str) -> Reply:
        try:
            return self._worker.receive(seconds)
        except WorkerExited as exited:
            self.spent = True
            self._log.line(f"RequestId: {request_id} Error: {exited}")
            return _failure("Runtime.ExitError", f"RequestId: {request_id} Error: {exited}")
        except WorkerTimedOut:
            self.spent = True
            what = f"Task timed out after {seconds:.2f} seconds"
            self._log.line(f"{utc_now()} {request_id} {what}\n")
            return _failure("Sandbox.Timedout", f"RequestId: {request_id} Error: {what}", "timeout")

    def _platform(self, what: str, request_id: str, **record: Any) -> None:
        """A line that Lambda itself writes, such as START."""
        if self._deployment.json_logs:
            line = {
                "time": utc_now(),
                "type": f"platform.{what}",
                "record": {"requestId": request_id, **record},
            }
            self._log.line(json.dumps(line))
        elif what == "start":
            self._log.line(f"START RequestId: {request_id} Version: $LATEST")

    def _report(self, request_id: str, duration_ms: float, init_ms: float | None, kind: str) -> None:
        memory = self._deployment.settings["MemorySize"]
        status = {"result": "success", "timeout": "timeout"}.get(kind, "failure" if self.spent else "error")
        if self._deployment.json_logs:
            metrics = {
                "durationMs": round(duration_ms, 3),
                "billedDurationMs": int(duration_ms) + 1,
                "memorySizeMB": memory,
                "maxMemoryUsedMB": self._peak_mb,
            }
            if init_ms is not None:
                metrics["initDurationMs"] = round(init_ms, 3)
            self._platform("report", request_id, metrics=metrics, status=status)
            return
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {int(duration_ms) + 1} ms",
            f"Memory Size: {memory} MB",
            f"Max Memory Used: {self._peak_mb} MB",
        ]
        if init_ms is not None:
            parts.append(f"Init Duration: {init_ms:.2f} ms")
        if status in ("timeout", "failure"):
            parts.append(f"Status: {status}")
        self._log.line(f"END RequestId: {request_id}")
        self._log.line("\t".join(parts) + "\t")


def _failure(error_type: str, message: str, kind: str = "error") -> Reply:
    return Reply(kind, json.dumps({"errorType": error_type, "errorMessage": message}).encode())
