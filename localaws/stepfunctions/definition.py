"""From the text of a state machine's definition to the machine that the interpreter runs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.service import AwsError
from localaws.stepfunctions import expressions
from localaws.stepfunctions.fields import (
    BRANCH_FIELDS,
    FIELDS,
    JSON_TYPES,
    MACHINE_FIELDS,
    MOVING,
    NOT_EMULATED,
    PROCESSOR_FIELDS,
    TYPE_NAMES,
)
from localaws.stepfunctions.language import JSONATA, JSONPATH
from localaws.stepfunctions.retry import problems_in_handlers
from localaws.stepfunctions.tasks.resources import find_task
from localaws.stepfunctions.tasks.task import Task, UnknownResource

MAX_BYTES = 1_048_576
_MAX_NAME = 80
_MAX_SECONDS = 99_999_999


@dataclass(frozen=True)
class Problem:
    """Something wrong in a definition: AWS's code, the reason, the place (`/States/Train/Next`)."""

    code: str
    reason: str
    place: str

    def __str__(self) -> str:
        return f"{self.code}: {self.reason} at {self.place or '/'}"


@dataclass(frozen=True)
class State:
    """One state; `machines` are the branches of a Parallel or the processor of a Map."""

    name: str
    type: str
    language: str
    fields: Mapping[str, Any]
    machines: tuple[Machine, ...] = ()
    task: Task | None = None


@dataclass(frozen=True)
class Machine:
    """A state machine, a branch of a Parallel, or the processor of a Map."""

    start_at: str
    states: Mapping[str, State]
    timeout: float | None = None

    def tasks(self) -> Iterator[Task]:
        """The tasks of all its states, those of branches included."""
        for state in self.states.values():
            if state.task is not None:
                yield state.task
            for machine in state.machines:
                yield from machine.tasks()


def parse_definition(text: str) -> Machine:
    """The machine that a definition describes; InvalidDefinition names every problem in it."""
    machine, problems = check_definition(text)
    if machine is None:
        listed = ", ".join(map(str, problems))
        raise AwsError("InvalidDefinition", f"Invalid State Machine Definition: '{listed}'")
    return machine


def check_definition(text: str) -> tuple[Machine | None, list[Problem]]:
    """The machine, or None, and what is wrong with its definition."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        reason = f"The definition is larger than {MAX_BYTES} bytes"
        return None, [Problem("INVALID_JSON_DESCRIPTION", reason, "")]
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        return None, [Problem("INVALID_JSON_DESCRIPTION", f"The definition is not JSON: {error}", "")]
    reader = _Reader()
    machine = reader.machine(document, "", MACHINE_FIELDS, JSONPATH)
    return (None if reader.problems else machine), reader.problems


@dataclass
class _Reader:
    """Reads a definition and collects what is wrong with it."""

    problems: list[Problem] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def problem(self, reason: str, place: str, code: str = "SCHEMA_VALIDATION_FAILED") -> None:
        self.problems.append(Problem(code, reason, place))

    def typed(self, document: Any, place: str) -> dict[str, Any]:
        """An object without the fields whose values are of the wrong type, each of which is a problem."""
        if not isinstance(document, dict):
            self.problem(f"This must be an object, but is {document!r}", place)
            return {}
        right = {}
        for name, value in document.items():
            wanted = JSON_TYPES.get(name)
            if wanted is None or isinstance(value, wanted):
                right[name] = value
            else:
                self.problem(f"'{name}' must be {TYPE_NAMES[wanted]}, but is {value!r}", f"{place}/{name}")
        return right

    def machine(self, given: Any, place: str, allowed: Collection[str], language: str) -> Machine:
        document = self.typed(given, place)
        for name in document.keys() - set(allowed):
            self.problem(f"Field '{name}' is not supported", f"{place}/{name}")
        language = self.language(document, place, language)
        states = document.get("States")
        if not states:
            self.problem("'States' must have at least one state", f"{place}/States")
            return Machine("", {})
        read = {
            name: self.state(name, fields, f"{place}/States/{name}", language)
            for name, fields in states.items()
        }
        machine = Machine(
            str(document.get("StartAt", "")), read, self.seconds(document.get("TimeoutSeconds"), place)
        )
        self.transitions(machine, place)
        return machine

    def language(self, document: Mapping[str, Any], place: str, outer: str) -> str:
        language = document.get("QueryLanguage", outer)
        if language not in (JSONATA, JSONPATH):
            self.problem(f"'QueryLanguage' is {language!r}: it must be JSONPath or JSONata", place)
        elif outer == JSONATA and language == JSONPATH:
            self.problem("'QueryLanguage' cannot go back from JSONata to JSONPath inside a machine", place)
        return str(language)

    def seconds(self, value: Any, place: str) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_SECONDS:
            self.problem(
                f"'TimeoutSeconds' is {value!r}: it must be 1 to {_MAX_SECONDS}", f"{place}/TimeoutSeconds"
            )
            return None
        return float(value)

    def state(self, name: str, given: Any, place: str, outer: str) -> State:
        fields = self.typed(given, place)
        if not 1 <= len(name) <= _MAX_NAME:
            self.problem(f"A state's name must have 1 to {_MAX_NAME} characters", place)
        if name in self.names:
            self.problem(f"The state name {name!r} is used more than once", place)
        self.names.add(name)
        for entries in ("Choices", "Catch"):
            if entries in fields:
                fields[entries] = [
                    self.typed(entry, f"{place}/{entries}[{index}]")
                    for index, entry in enumerate(fields[entries])
                ]
        if fields.get("Type") not in FIELDS:
            found = fields.get("Type")
            self.problem(f"'Type' is {found!r}: it must be one of {', '.join(FIELDS)}", f"{place}/Type")
            return State(name, "Pass", outer, {"Type": "Pass", "End": True})
        language = self.language(fields, place, outer)
        kind = fields["Type"]
        self.fields(kind, fields, language, place)
        for where, reason in expressions.problems_in(kind, fields, language):
            self.problem(reason, f"{place}/{where}")
        for where, reason in problems_in_handlers(fields, language):
            self.problem(reason, f"{place}/{where}")
        task = self.task(fields, language, place) if kind == "Task" else None
        return State(name, kind, language, fields, self.machines(kind, fields, language, place), task)

    def fields(self, kind: str, fields: Mapping[str, Any], language: str, place: str) -> None:
        table = FIELDS[kind]
        for name in fields.keys() - table.allowed(language):
            where = f"{place}/{name}"
            only = table.language_of(name)
            if only is not None:
                self.problem(
                    f"Field '{name}' is {only}'s, but the state's QueryLanguage is {language}", where
                )
            elif name in NOT_EMULATED.get(kind, ()):
                self.problem(f"Field '{name}' is not emulated by the embedded AWS", where)
            else:
                self.problem(f"Field '{name}' is not supported in a {kind} state", where)
        for name in table.required:
            if name not in fields:
                self.problem(f"Field '{name}' is missing", place)
        if kind in MOVING and ("Next" in fields) == ("End" in fields):
            self.problem("A state must have either 'Next' or 'End'", place)
        if "End" in fields and fields["End"] is not True:
            self.problem("'End' must be true", f"{place}/End")

    def task(self, fields: Mapping[str, Any], language: str, place: str) -> Task | None:
        try:
            task = find_task(str(fields.get("Resource", "")))
        except UnknownResource as error:
            self.problem(str(error), f"{place}/Resource")
            return None
        if "HeartbeatSeconds" in fields and not task.waits_for_token:
            reason = "'HeartbeatSeconds' is emulated for .waitForTaskToken only"
            self.problem(reason, f"{place}/HeartbeatSeconds")
        name = "Arguments" if language == JSONATA else "Parameters"
        if isinstance(fields.get(name), dict):
            for where, reason in task.problems(fields[name]):
                self.problem(reason, f"{place}/{name}{where}")
        return task

    def machines(
        self, kind: str, fields: Mapping[str, Any], language: str, place: str
    ) -> tuple[Machine, ...]:
        if kind == "Parallel":
            branches = fields.get("Branches")
            if not branches:
                self.problem("'Branches' must have at least one branch", f"{place}/Branches")
                return ()
            return tuple(
                self.machine(branch, f"{place}/Branches[{index}]", BRANCH_FIELDS, language)
                for index, branch in enumerate(branches)
            )
        if kind != "Map":
            return ()
        given = [name for name in ("ItemProcessor", "Iterator") if name in fields]
        if len(given) != 1:
            self.problem("A Map state must have an 'ItemProcessor'", place)
            return ()
        where = f"{place}/{given[0]}"
        processor = fields[given[0]]
        config = processor.get("ProcessorConfig")
        if isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED":
            self.problem("The distributed mode of Map is not emulated by the embedded AWS", where)
        return (self.machine(processor, where, PROCESSOR_FIELDS, language),)

    def transitions(self, machine: Machine, place: str) -> None:
        """Every target exists, every state is reached, and the machine can come to an end."""
        if machine.start_at not in machine.states:
            reason = f"Missing 'StartAt' target: {machine.start_at!r}"
            self.problem(reason, f"{place}/StartAt", "MISSING_TRANSITION_TARGET")
        reached = {machine.start_at}
        waiting = [machine.start_at]
        while waiting:
            state = machine.states.get(waiting.pop())
            fresh = {target for _, target in _targets(state)} - reached if state else set()
            reached |= fresh
            waiting += fresh
        for name, state in machine.states.items():
            for where, target in _targets(state):
                if target not in machine.states:
                    reason = f"Missing '{where.split('/')[-1]}' target: {target!r}"
                    self.problem(reason, f"{place}/States/{name}/{where}", "MISSING_TRANSITION_TARGET")
            if name not in reached:
                self.problem(
                    f"State {name!r} is not reachable", f"{place}/States/{name}", "MISSING_TRANSITION_TARGET"
                )


def _targets(state: State) -> Iterator[tuple[str, Any]]:
    """Where a state may go: pairs of the field and the name of the next state."""
    for name in ("Next", "Default"):
        if name in state.fields:
            yield name, state.fields[name]
    for name in ("Choices", "Catch"):
        for index, entry in enumerate(state.fields.get(name, [])):
            yield f"{name}[{index}]/Next", entry.get("Next")
