"""The history of an execution: its events, numbered from 1, each naming the one it follows from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localaws.stepfunctions.errors import RUNTIME, StateError

MAX_EVENTS = 25_000

# The details of these events stand under one key, whatever the type of the state.
_SHARED_KEYS = {"StateEntered": "stateEnteredEventDetails", "StateExited": "stateExitedEventDetails"}

Listener = Callable[[Mapping[str, Any]], None]


def details_key(event_type: str) -> str:
    """The key of `HistoryEvent` that carries the details of an event of this type."""
    own = event_type[0].lower() + event_type[1:] + "EventDetails"
    return next((key for suffix, key in _SHARED_KEYS.items() if event_type.endswith(suffix)), own)


@dataclass
class History:
    """The events of one execution, appended by all its branches."""

    on_event: Listener = lambda _event: None
    events: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self, event_type: str, details: Mapping[str, Any] | None, previous: int, *, closing: bool = False
    ) -> int:
        """Append an event and return its id; `StateError` when the history is full.

        `details` are the members of the event's details without those that are None.
        """
        event: dict[str, Any] = {
            "timestamp": datetime.now(UTC),
            "type": event_type,
            "previousEventId": previous,
        }
        if details is not None:
            event[details_key(event_type)] = {k: v for k, v in details.items() if v is not None}
        with self._lock:
            # The event that says how the execution ended always fits.
            if len(self.events) >= MAX_EVENTS - 1 and not closing:
                cause = f"The execution reached the maximum number of history events ({MAX_EVENTS})."
                raise StateError(RUNTIME, cause)
            event["id"] = len(self.events) + 1
            self.events.append(event)
        self.on_event(event)
        return int(event["id"])


@dataclass
class Trail:
    """One branch's way through the history: what it adds follows from what it added last."""

    history: History
    last: int = 0

    def add(self, event_type: str, details: Mapping[str, Any] | None = None) -> int:
        """Append an event that follows from this trail's last one."""
        self.last = self.history.add(event_type, details, self.last)
        return self.last

    def fork(self) -> Trail:
        """A trail for a branch that starts here."""
        return Trail(self.history, self.last)
