"""The records of the service: state machines with their revisions, and executions."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from localaws.stepfunctions.definition import Machine
from localaws.stepfunctions.history import History
from localaws.stepfunctions.scope import Scope

RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED = "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"


@dataclass(frozen=True)
class Revision:
    """A state machine as it was at one time; an execution keeps the one that it began with."""

    machine: Machine
    definition: str
    role_arn: str
    logging: Mapping[str, Any]
    tracing: Mapping[str, Any]
    encryption: Mapping[str, Any]
    revision_id: str
    updated: datetime

    def same_as(self, other: Revision) -> bool:
        """Whether CreateStateMachine takes both for the same: all but the id and the time."""
        return (
            replace(other, machine=self.machine, revision_id=self.revision_id, updated=self.updated) == self
        )


@dataclass
class StateMachine:
    """A state machine: its name, its newest revision, its executions by name, oldest first."""

    arn: str
    name: str
    account: str
    region: str
    revision: Revision
    created: datetime
    tags: dict[str, str] = field(default_factory=dict)
    deleting: bool = False
    executions: dict[str, Execution] = field(default_factory=dict)


@dataclass
class Execution:
    """One run of a state machine."""

    arn: str
    name: str
    state_machine: StateMachine
    revision: Revision
    input: Any
    input_text: str
    history: History
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = RUNNING
    stopped: datetime | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    stop_reason: dict[str, str] = field(default_factory=dict)
    """The error and cause that StopExecution gave."""
    finished: threading.Event = field(default_factory=threading.Event)
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        timeout = self.revision.machine.timeout
        self.scope = Scope(math.inf if timeout is None else time.monotonic() + timeout)
