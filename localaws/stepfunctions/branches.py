"""Parallel and Map: several machines at once, of which the first failure ends all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from localaws.stepfunctions.errors import StateError
from localaws.stepfunctions.interpreter import Branch, Interpreter, Visit
from localaws.stepfunctions.language import Evaluation
from localaws.stepfunctions.scope import Cancelled, Scope

# As many iterations of an inline Map run at once where MaxConcurrency does not say fewer.
_MOST_AT_ONCE = 40


def run_parallel(interpreter: Interpreter, visit: Visit, data: Any) -> list[Any]:
    """The outputs of all branches, each of which gets `data`."""
    trail = visit.branch.trail
    trail.add("ParallelStateStarted")

    def work(index: int, scope: Scope) -> Any:
        variables = dict(visit.branch.variables)
        branch = Branch(trail.fork(), scope, variables, visit.branch.item)
        return interpreter.run_machine(visit.state.machines[index], data, branch)

    try:
        outputs = _gather(visit.branch.scope, work, len(visit.state.machines), len(visit.state.machines))
    except StateError:
        trail.add("ParallelStateFailed")
        raise
    trail.add("ParallelStateSucceeded")
    return outputs


def run_map(interpreter: Interpreter, visit: Visit, evaluation: Evaluation, limit: int) -> list[Any]:
    """The outputs of all iterations, in the order of the items; at most `limit` at once (0: no limit)."""
    trail = visit.branch.trail
    items = evaluation.items()
    trail.add("MapStateStarted", {"length": len(items)})
    machine = visit.state.machines[0]

    def work(index: int, scope: Scope) -> Any:
        about = {"name": visit.state.name, "index": index}
        item = {"Index": index, "Value": items[index]}
        branch = Branch(trail.fork(), scope, dict(visit.branch.variables), item)
        branch.trail.add("MapIterationStarted", about)
        try:
            context = {**interpreter.context(visit), "Map": {"Item": item}}
            output = interpreter.run_machine(machine, evaluation.item_input(context, items[index]), branch)
        except Cancelled:
            if not interpreter.surroundings.world.stopping.is_set():
                branch.trail.add("MapIterationAborted", about)
            raise
        except StateError:
            branch.trail.add("MapIterationFailed", about)
            raise
        branch.trail.add("MapIterationSucceeded", about)
        return output

    try:
        outputs = _gather(visit.branch.scope, work, len(items), min(limit or _MOST_AT_ONCE, _MOST_AT_ONCE))
    except StateError:
        trail.add("MapStateFailed")
        raise
    trail.add("MapStateSucceeded")
    return outputs


def _gather(scope: Scope, work: Callable[[int, Scope], Any], count: int, at_once: int) -> list[Any]:
    """What `work(index, scope)` gives for every index below `count`, `at_once` of them on threads.

    The first exception cancels the rest and is raised once they have ended.
    """
    inner = scope.child()
    outputs: list[Any] = [None] * count
    failures: list[Exception] = []
    indices = iter(range(count))
    lock = threading.Lock()

    def worker() -> None:
        while True:
            with lock:
                index = None if failures else next(indices, None)
            if index is None:
                return
            try:
                outputs[index] = work(index, inner)
            except Exception as error:  # noqa: BLE001 -- raised again below
                with lock:
                    failures.append(error)
                inner.cancel()

    threads = [
        threading.Thread(target=worker, daemon=True, name="stepfunctions-branch")
        for _ in range(min(at_once, count))
    ]
    for thread in threads:
        thread.start()
    # Cancelling `scope` reaches `inner`, so that the threads end soon whatever happens.
    for thread in threads:
        thread.join()
    scope.forget(inner)
    if failures:
        raise failures[0]
    return outputs
