"""What the engine remembers: stacks, their resources, events and change sets."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localaws.cloudformation.blueprint import Blueprint
    from localaws.cloudformation.changes import Change

STACK_TYPE = "AWS::CloudFormation::Stack"
_TICK = timedelta(milliseconds=1)
_GONE = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})


def now() -> datetime:
    """The time, as CloudFormation stamps it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Resource:
    """One incarnation of a resource: what was made, and from what. A change makes a new value of it."""

    logical_id: str
    type_name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    uses: frozenset[str] = frozenset()
    """The logical IDs of the resources it refers to or depends on."""
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"
    metadata: Any = None
    stack_tags: Mapping[str, str] = field(default_factory=dict)
    """The tags that its stack had when it was last brought up to date."""
    physical_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    generation: int = 0
    attempted: Mapping[str, Any] | None = None
    """The properties that a failed update tried to give it: it may be anywhere between the two."""
    status: str = ""
    reason: str = ""
    updated: datetime = field(default_factory=now)

    @property
    def exists(self) -> bool:
        """Whether there is something that can be updated or deleted."""
        return self.physical_id is not None and self.status not in _GONE


@dataclass(frozen=True)
class Event:
    """One line of a stack's history."""

    id: str
    operation_id: str
    logical_id: str
    physical_id: str
    type_name: str
    status: str
    reason: str
    time: datetime
    token: str | None


@dataclass(frozen=True)
class Output:
    """One output of a stack."""

    key: str
    value: str
    description: str | None
    export: str | None


@dataclass(frozen=True)
class Stable:
    """The last good state of a stack: what a failed update goes back to."""

    blueprint: Blueprint | None = None
    resources: Mapping[str, Resource] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """How one operation treats failure, and what asked for it."""

    disable_rollback: bool = False
    delete_on_failure: bool = False
    retain_except_on_create: bool = False
    token: str | None = None


@dataclass
class ChangeSet:
    """A change set: a blueprint that waits to be carried out."""

    id: str
    name: str
    kind: str
    description: str | None
    blueprint: Blueprint | None = None
    changes: list[Change] = field(default_factory=list)
    status: str = "CREATE_IN_PROGRESS"
    reason: str | None = None
    execution_status: str = "UNAVAILABLE"
    options: Options = field(default_factory=Options)
    created: datetime = field(default_factory=now)


@dataclass
class Stack:
    """A stack. One operation works on it at a time, which `idle` tells: readers copy what they list."""

    id: str
    name: str
    account: str
    region: str
    status: str
    blueprint: Blueprint | None = None
    role_arn: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    termination_protection: bool = False
    options: Options = field(default_factory=Options)
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None
    reason: str | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    superseded: list[tuple[Resource, str]] = field(default_factory=list)
    """Incarnations that the stack has no use for any more, with the policy for their deletion."""
    generations: dict[str, int] = field(default_factory=dict)
    """How many incarnations of each resource there have been."""
    stable: Stable = field(default_factory=Stable)
    outputs: list[Output] = field(default_factory=list)
    imports: frozenset[str] = frozenset()
    """The names of the exports that it uses."""
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    operation_id: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while an event is added."""
    idle: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def begin(self, status: str, reason: str | None = None) -> None:
        """Start an operation, or the rollback of one: what follows is told under a new operation id."""
        self.operation_id = str(uuid.uuid4())
        self.enter(status, reason)

    def enter(self, status: str, reason: str | None = None) -> None:
        """Go to another status and tell it as an event."""
        # The event comes first: whoever sees the final status must find its event too.
        self._tell(self.name, self.id, STACK_TYPE, status, reason or "")
        self.status = status
        self.reason = reason

    def tell(self, resource: Resource) -> None:
        """Tell the status of a resource as an event."""
        self._tell(
            resource.logical_id,
            resource.physical_id or "",
            resource.type_name,
            resource.status,
            resource.reason,
        )

    def _tell(self, logical_id: str, physical_id: str, type_name: str, status: str, reason: str) -> None:
        with self.lock:
            # Clients sort events by time, which they know to the millisecond: no two share one.
            time = max(now(), self.events[-1].time + _TICK) if self.events else now()
            self.events.append(
                Event(
                    id=str(uuid.uuid4()),
                    operation_id=self.operation_id,
                    logical_id=logical_id,
                    physical_id=physical_id,
                    type_name=type_name,
                    status=status,
                    reason=reason,
                    time=time,
                    token=self.options.token,
                )
            )

    @property
    def in_progress(self) -> bool:
        """Whether an operation works on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"
