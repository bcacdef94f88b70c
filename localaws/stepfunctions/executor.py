"""Runs executions, each on a thread of its own, and says how they ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localaws.stepfunctions.announce import announce
from localaws.stepfunctions.errors import RUNTIME, TIMEOUT, StateError
from localaws.stepfunctions.execution import ABORTED, FAILED, SUCCEEDED, TIMED_OUT, Execution
from localaws.stepfunctions.history import Trail
from localaws.stepfunctions.interpreter import Interpreter, Surroundings
from localaws.stepfunctions.jsontext import within_limit
from localaws.stepfunctions.scope import Cancelled, OutOfTime
from localaws.stepfunctions.states import WORK

log = logging.getLogger("localaws.stepfunctions")

# StopExecution waits so long for the execution to end: what it waits on is interrupted at once.
_STOP_SECONDS = 10.0


class Executor:
    """Starts and stops executions; `on_end` hears of each that has ended."""

    def __init__(self, surroundings: Surroundings, on_end: Callable[[Execution], None]) -> None:
        self._surroundings = surroundings
        self._on_end = on_end

    def start(self, execution: Execution) -> None:
        """Begin to run an execution."""
        name = f"stepfunctions-{execution.name}"
        threading.Thread(target=self._run, args=(execution,), daemon=True, name=name).start()

    @staticmethod
    def stop(execution: Execution, error: str | None, cause: str | None) -> None:
        """Abort an execution and wait until it has ended."""
        given = {"error": error, "cause": cause}
        execution.stop_reason = {name: text for name, text in given.items() if text is not None}
        execution.scope.cancel()
        execution.finished.wait(_STOP_SECONDS)

    def _run(self, execution: Execution) -> None:
        trail = Trail(execution.history)
        started = {
            "input": execution.input_text,
            "inputDetails": {"truncated": False},
            "roleArn": execution.revision.role_arn,
        }
        trail.add("ExecutionStarted", started)
        announce(self._surroundings.world, execution)
        # The first state follows from no event, as AWS counts.
        branch = Trail(execution.history)
        status, event, details = self._outcome(execution, branch)
        if self._surroundings.world.stopping.is_set():
            return
        execution.history.add(event, details, branch.last or trail.last, closing=True)
        execution.output = details.get("output")
        execution.error, execution.cause = details.get("error"), details.get("cause")
        if status == TIMED_OUT:
            # AWS names the time-out in the history only.
            execution.error = execution.cause = None
        execution.stopped = datetime.now(UTC)
        execution.status = status
        self._on_end(execution)
        execution.finished.set()
        announce(self._surroundings.world, execution)

    def _outcome(self, execution: Execution, trail: Trail) -> tuple[str, str, dict[str, Any]]:
        """Run it: its final status, the type of its last event, and that event's details."""
        try:
            output = Interpreter(execution, self._surroundings, WORK).run(trail)
            text = within_limit(output, "The execution's output")
        except StateError as error:
            return FAILED, "ExecutionFailed", {"error": error.error or None, "cause": error.cause}
        except OutOfTime:
            return TIMED_OUT, "ExecutionTimedOut", {"error": TIMEOUT}
        except Cancelled:
            return ABORTED, "ExecutionAborted", dict(execution.stop_reason)
        except Exception as error:
            log.exception("execution %s failed inside the interpreter", execution.arn)
            cause = f"The embedded AWS failed: {type(error).__name__}: {error}"
            return FAILED, "ExecutionFailed", {"error": RUNTIME, "cause": cause}
        return SUCCEEDED, "ExecutionSucceeded", {"output": text, "outputDetails": {"truncated": False}}
