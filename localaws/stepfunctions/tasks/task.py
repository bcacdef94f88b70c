"""What a task is to the interpreter, and what it is given to run with."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from localaws.stepfunctions.history import Trail
from localaws.stepfunctions.scope import Scope
from localaws.stepfunctions.tasks.tokens import Tokens
from localaws.world import World


class UnknownResource(ValueError):
    """A Task's `Resource` names nothing that can be called here; the message says what and why."""


@dataclass
class TaskRun:
    """One attempt of a Task state."""

    world: World
    account: str
    region: str
    scope: Scope
    trail: Trail
    tokens: Tokens
    arguments: Any
    token: str | None = None
    """The task token that the arguments carry, for a task that waits to be called back."""
    timeout: float | None = None
    """TimeoutSeconds."""
    heartbeat: float | None = None
    """HeartbeatSeconds."""
    started: float = field(default_factory=time.monotonic)

    def client(self, service: str) -> Any:
        """A boto3 client that acts as the state machine does."""
        return self.world.client(service, self.account, self.region)

    def left(self) -> float:
        """The seconds until TimeoutSeconds is over."""
        if self.timeout is None:
            return math.inf
        return max(0.0, self.started + self.timeout - time.monotonic())


class Task(Protocol):
    """Something that a Task state calls."""

    @property
    def waits_for_token(self) -> bool:
        """Whether it ends by SendTaskSuccess or SendTaskFailure."""

    def problems(self, arguments: Any) -> Iterator[tuple[str, str]]:
        """What is wrong with the template of its arguments: pairs of place and reason."""

    def run(self, run: TaskRun) -> Any:
        """Do it, write its events, and return its result as JSON; raises `StateError`."""

    def prepare(self, world: World, account: str, region: str) -> None:
        """Make the client that a run will need, which takes longer than the call itself."""
