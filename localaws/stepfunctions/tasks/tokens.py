"""Task tokens: how a task that waits for a callback hears from whoever does the work."""

from __future__ import annotations

import json
import math
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from localaws.service import AwsError
from localaws.stepfunctions.errors import HEARTBEAT_TIMEOUT, StateError
from localaws.stepfunctions.scope import Scope


@dataclass
class Callback:
    """What one waiting task has heard."""

    scope: Scope
    result: Any = None
    error: StateError | None = None
    settled: bool = False
    last_sign: float = field(default_factory=time.monotonic)

    def wait(self, seconds: float, heartbeat: float | None) -> Any:
        """The result that was sent; raises the failure sent, TimeoutError, or States.HeartbeatTimeout."""
        end = time.monotonic() + seconds
        while not self.settled:
            now = time.monotonic()
            if now >= end:
                raise TimeoutError
            silence = math.inf if heartbeat is None else self.last_sign + heartbeat
            if now >= silence:
                raise StateError(HEARTBEAT_TIMEOUT)
            self.scope.wait(min(end, silence) - now, lambda: self.settled)
        if self.error is not None:
            raise self.error
        return self.result


class Tokens:
    """The callbacks that tasks wait for, by token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Callback] = {}

    def issue(self, scope: Scope) -> str:
        """A new token for a task that runs in `scope`."""
        token = uuid.uuid4().hex + uuid.uuid4().hex
        with self._lock:
            self._waiting[token] = Callback(scope)
        return token

    def callback(self, token: str) -> Callback:
        """What was issued under this token; TaskDoesNotExist when it was not, or the task has ended."""
        with self._lock:
            if token in self._waiting:
                return self._waiting[token]
        raise AwsError("TaskDoesNotExist", f"No task waits for the token {token[:16]}…: it may have ended.")

    def withdraw(self, token: str) -> None:
        """Forget a token whose task has ended."""
        with self._lock:
            self._waiting.pop(token, None)

    def succeed(self, token: str, output: str) -> None:
        """Give the waiting task its result, as JSON text."""
        callback = self.callback(token)
        try:
            callback.result = json.loads(output)
        except ValueError as error:
            raise AwsError("InvalidOutput", f"The output is not JSON: {error}") from error
        self._settle(callback)

    def fail(self, token: str, error: str, cause: str) -> None:
        """Make the waiting task fail."""
        callback = self.callback(token)
        callback.error = StateError(error, cause)
        self._settle(callback)

    def beat(self, token: str) -> None:
        """Note that the work behind the token goes on."""
        self.callback(token).last_sign = time.monotonic()

    @staticmethod
    def _settle(callback: Callback) -> None:
        callback.settled = True
        callback.scope.wake()
