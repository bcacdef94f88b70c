"""What each type of state does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from localaws.stepfunctions.branches import run_map, run_parallel
from localaws.stepfunctions.comparisons import timestamp
from localaws.stepfunctions.errors import NO_CHOICE_MATCHED, RUNTIME, StateError
from localaws.stepfunctions.interpreter import Interpreter, Visit
from localaws.stepfunctions.language import Evaluation, Outcome
from localaws.stepfunctions.tasks.task import TaskRun

Next = str | None


def _next(visit: Visit) -> Next:
    return visit.state.fields.get("Next")


def _pass(interpreter: Interpreter, visit: Visit) -> tuple[Next, Outcome]:
    return _next(visit), interpreter.evaluation(visit).passed()


def _choice(interpreter: Interpreter, visit: Visit) -> tuple[Next, Outcome]:
    following, outcome = interpreter.evaluation(visit).choose()
    if following is None:
        raise StateError(NO_CHOICE_MATCHED, "No choice rule matched, and the state has no Default.")
    return following, outcome


def _fail(interpreter: Interpreter, visit: Visit) -> tuple[Next, Outcome]:
    evaluation = interpreter.evaluation(visit)
    texts = {name: evaluation.value(name) for name in ("Error", "Cause")}
    for name, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise StateError(RUNTIME, f"The {name} of a Fail state must be a string, but is {text!r}.")
    error = StateError(texts["Error"] or "", texts["Cause"])
    error.placed = True
    raise error


def _wait(interpreter: Interpreter, visit: Visit) -> tuple[Next, Outcome]:
    evaluation = interpreter.evaluation(visit)
    seconds = _number(evaluation, "Seconds")
    if seconds is None:
        text = evaluation.value("Timestamp")
        moment = timestamp(text)
        if moment is None:
            raise StateError(RUNTIME, f"The Timestamp {text!r} is not like 2026-01-31T12:00:00Z.")
        seconds = max(0.0, (moment - datetime.now(UTC)).total_seconds())
    interpreter.surroundings.pause(visit.branch.scope, seconds)
    return _next(visit), evaluation.passed()


def _number(evaluation: Evaluation, name: str) -> float | None:
    """A computed number of seconds, or None where the state has none."""
    value = evaluation.value(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise StateError(RUNTIME, f"The {name} of a state must be an integer from 0 on, but is {value!r}.")
    return float(value)


def _task(interpreter: Interpreter, visit: Visit) -> tuple[Next, Outcome]:
    task = visit.state.task
    if task is None:
        raise TypeError(f"the state {visit.state.name!r} has no task")
    surroundings, branch = interpreter.surroundings, visit.branch
    visit.token = surroundings.tokens.issue(branch.scope) if task.waits_for_token else None
    try:
        evaluation = interpreter.evaluation(visit)
        run = TaskRun(
            world=surroundings.world,
            account=interpreter.execution.state_machine.account,
            region=interpreter.execution.state_machine.region,
            scope=branch.scope,
            trail=branch.trail,
            tokens=surroundings.tokens,
            arguments=evaluation.arguments(),
            token=visit.token,
            timeout=_number(evaluation, "TimeoutSeconds"),
            heartbeat=_number(evaluation, "HeartbeatSeconds"),
        )
        return _next(visit), evaluation.finish(task.run(run))
    finally:
        if visit.token is not None:
            surroundings.tokens.withdraw(visit.token)


def _parallel(interpreter: Interpreter, visit: Visit) -> tuple[Next, Outcome]:
    evaluation = interpreter.evaluation(visit)
    return _next(visit), evaluation.finish(run_parallel(interpreter, visit, evaluation.arguments()))


def _map(interpreter: Interpreter, visit: Visit) -> tuple[Next, Outcome]:
    evaluation = interpreter.evaluation(visit)
    limit = evaluation.value("MaxConcurrency") or 0
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise StateError(
            RUNTIME, f"The MaxConcurrency of a Map must be an integer from 0 on, but is {limit!r}."
        )
    return _next(visit), evaluation.finish(run_map(interpreter, visit, evaluation, limit))


WORK: Mapping[str, Callable[[Interpreter, Visit], tuple[Next, Outcome]]] = {
    "Pass": _pass,
    "Succeed": _pass,
    "Choice": _choice,
    "Fail": _fail,
    "Wait": _wait,
    "Task": _task,
    "Parallel": _parallel,
    "Map": _map,
}
