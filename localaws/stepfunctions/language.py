"""What a query language does for a state: it reads the state's fields against its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

JSONATA = "JSONata"
JSONPATH = "JSONPath"


@dataclass(frozen=True)
class Situation:
    """What a state's expressions may look at: its fields, input, the context object, the variables."""

    fields: Mapping[str, Any]
    input: Any
    context: Mapping[str, Any]
    variables: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a state leaves behind: its output, and the variables that it assigns."""

    output: Any
    assigned: Mapping[str, Any] = field(default_factory=dict)


class Evaluation(Protocol):
    """The fields of one state, read in its query language.

    Every method raises `StateError` when an expression fails or finds nothing.
    """

    def arguments(self) -> Any:
        """What the state works on: a Task's arguments, the input of Parallel's branches."""

    def value(self, name: str) -> Any:
        """The value of a field that may be computed, such as `Seconds`; None where it is absent."""

    def finish(self, result: Any) -> Outcome:
        """What the state leaves behind after its work gave `result`."""

    def passed(self) -> Outcome:
        """What a state without work of its own leaves behind (Pass, Wait, Succeed)."""

    def choose(self) -> tuple[str | None, Outcome]:
        """The state that a Choice goes to (None where no rule matched and there is no default)."""

    def caught(self, catcher: Mapping[str, Any], place: str, error: Mapping[str, str]) -> Outcome:
        """What is passed on to a Catch's `Next`; `place` is the catcher's place in the state (`Catch[0]`)."""

    def items(self) -> list[Any]:
        """The items of a Map."""

    def item_input(self, context: Mapping[str, Any], item: Any) -> Any:
        """The input of one iteration; `context` holds `Map.Item`."""
