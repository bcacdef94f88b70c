"""What a running execution waits on: interruptible, bounded by the execution's time, a tree of branches."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

Value = TypeVar("Value")


class Cancelled(Exception):
    """The execution was stopped, or a sibling branch failed: whoever waits gives up."""


class OutOfTime(Exception):
    """The execution has run as long as its `TimeoutSeconds` allows."""


class Scope:
    """One branch of an execution; cancelling it cancels its children, never its parent."""

    def __init__(self, deadline: float = math.inf) -> None:
        self._changed = threading.Condition()
        self._children: list[Scope] = []
        self._cancelled = False
        self._deadline = deadline

    def child(self) -> Scope:
        """A scope for a branch of this one, with the same deadline."""
        child = Scope(self._deadline)
        with self._changed:
            child._cancelled = self._cancelled
            self._children.append(child)
        return child

    def forget(self, child: Scope) -> None:
        """Let go of a child whose branches have ended."""
        with self._changed:
            if child in self._children:
                self._children.remove(child)

    def cancel(self) -> None:
        """End every wait in this scope and below with `Cancelled`."""
        with self._changed:
            self._cancelled = True
            children, self._children = self._children, []
            self._changed.notify_all()
        for child in children:
            child.cancel()

    def wake(self) -> None:
        """Let `wait` look at its condition again."""
        with self._changed:
            self._changed.notify_all()

    def check(self) -> None:
        """Raise `Cancelled` or `OutOfTime` when this scope may not go on."""
        if self._cancelled:
            raise Cancelled
        if time.monotonic() >= self._deadline:
            raise OutOfTime

    def wait(self, seconds: float = math.inf, until: Callable[[], bool] = lambda: False) -> bool:
        """Wait until `until()` is true (looked at on every `wake`) or `seconds` have passed.

        Returns whether `until()` became true; raises `Cancelled` or `OutOfTime`.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                self.check()
                if until():
                    return True
                left = min(end, self._deadline) - time.monotonic()
                if left <= 0 and end <= self._deadline:
                    return False
                self._changed.wait(min(max(left, 0), threading.TIMEOUT_MAX))

    def call(self, work: Callable[[], Value], seconds: float = math.inf) -> Value:
        """What `work()` returns, or its exception; `TimeoutError` when it takes longer than `seconds`.

        The work runs on a thread of its own and is left to itself when this scope is cancelled first: a call
        over HTTP cannot be taken back.
        """
        done: list[tuple[Any, BaseException | None]] = []

        def run() -> None:
            try:
                outcome: tuple[Any, BaseException | None] = (work(), None)
            except Exception as error:  # noqa: BLE001 -- raised again where it is waited for
                outcome = (None, error)
            done.append(outcome)
            self.wake()

        threading.Thread(target=run, daemon=True, name="stepfunctions-call").start()
        if not self.wait(seconds, lambda: bool(done)):
            raise TimeoutError
        value, error = done[0]
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]
