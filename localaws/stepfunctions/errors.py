"""The errors of a run: what a state fails with, and how `ErrorEquals` matches it."""

from __future__ import annotations

from collections.abc import Sequence

# The names of the States Language; `States.Runtime` and `States.DataLimitExceeded` escape `States.ALL`.
ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
RUNTIME = "States.Runtime"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
INTRINSIC_FAILURE = "States.IntrinsicFailure"
PARAMETER_PATH_FAILURE = "States.ParameterPathFailure"
RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure"

_ESCAPE_WILDCARDS = frozenset({RUNTIME, DATA_LIMIT_EXCEEDED})

# The most bytes of UTF-8 that a state's input, output or arguments may have as JSON.
PAYLOAD_LIMIT = 262_144


class StateError(Exception):
    """A state failed: an error name that Retry and Catch match on, and a cause for people."""

    def __init__(self, error: str, cause: str | None = None, *, evaluating: str | None = None) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.evaluating = evaluating
        """The field whose JSONata expression failed, as a location in the state (`Arguments/Name`)."""
        self.placed = False
        """Whether the cause already says in which state it happened."""

    def output(self) -> dict[str, str]:
        """The error output, as `$states.errorOutput` and a Catch without `Output` see it."""
        return {"Error": self.error, "Cause": self.cause or ""}


def matches(error: str, names: Sequence[str]) -> bool:
    """Whether a Retry or Catch with `ErrorEquals: names` takes `error`."""
    if error == RUNTIME:
        return False
    if error in names:
        return True
    if error == HEARTBEAT_TIMEOUT and TIMEOUT in names:
        return True
    if error in _ESCAPE_WILDCARDS:
        return False
    return ALL in names or (TASK_FAILED in names and error not in (TIMEOUT, HEARTBEAT_TIMEOUT))
