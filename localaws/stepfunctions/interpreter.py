"""Runs the states of one execution, in both query languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from localaws.stepfunctions.definition import Machine, State
from localaws.stepfunctions.errors import StateError
from localaws.stepfunctions.execution import Execution
from localaws.stepfunctions.history import Trail
from localaws.stepfunctions.jsonata import JsonataEvaluation
from localaws.stepfunctions.jsonpath import JsonpathEvaluation
from localaws.stepfunctions.jsontext import within_limit
from localaws.stepfunctions.language import JSONATA, Evaluation, Outcome, Situation
from localaws.stepfunctions.retry import Retries, catcher_of
from localaws.stepfunctions.scope import Cancelled, Scope
from localaws.stepfunctions.tasks.shapes import iso
from localaws.stepfunctions.tasks.tokens import Tokens
from localaws.world import World

Pause = Callable[[Scope, float], object]
Work: TypeAlias = "Callable[[Interpreter, Visit], tuple[str | None, Outcome]]"

_NOT_TRUNCATED = {"truncated": False}
# The types whose interruption the history tells.
_ABORTABLE = frozenset({"Task", "Wait", "Parallel", "Map"})


@dataclass(frozen=True)
class Surroundings:
    """What all executions share: the embedded AWS, the task tokens, the way to let time pass."""

    world: World
    tokens: Tokens
    pause: Pause


@dataclass
class Branch:
    """One line of states: its place in the history, its scope, its variables, the Map item it works on."""

    trail: Trail
    scope: Scope
    variables: dict[str, Any]
    item: Mapping[str, Any] | None = None


@dataclass
class Visit:
    """One state on its way: what it was entered with, and how often it was tried again."""

    state: State
    input: Any
    branch: Branch
    entered_id: int
    entered_time: str
    retries: int = 0
    token: str | None = None


class Interpreter:
    """Runs one execution; `work` says what each type of state does."""

    def __init__(self, execution: Execution, surroundings: Surroundings, work: Mapping[str, Work]) -> None:
        self.execution = execution
        self.surroundings = surroundings
        self._work = work

    def run(self, trail: Trail) -> Any:
        """The execution's output; raises `StateError`, `OutOfTime` or `Cancelled`."""
        branch = Branch(trail, self.execution.scope, {})
        return self.run_machine(self.execution.revision.machine, self.execution.input, branch)

    def run_machine(self, machine: Machine, data: Any, branch: Branch) -> Any:
        """The output of a machine's last state."""
        name: str | None = machine.start_at
        while name is not None:
            name, data = self._visit(machine.states[name], data, branch)
        return data

    def _visit(self, state: State, data: Any, branch: Branch) -> tuple[str | None, Any]:
        """Run one state: the name of the next one (None at the end), and its input."""
        branch.scope.check()
        if self.execution.state_machine.deleting:
            raise Cancelled
        entered = {
            "name": state.name,
            "input": within_limit(data, "The state's input"),
            "inputDetails": _NOT_TRUNCATED,
        }
        number = branch.trail.add(f"{state.type}StateEntered", entered)
        visit = Visit(state, data, branch, number, iso(datetime.now(UTC)))
        try:
            following, outcome = self._handled(visit)
            output = within_limit(outcome.output, "The state's output")
        except Cancelled:
            # A state whose branch was cancelled while it waited says so; the server's own end is silent.
            if state.type in _ABORTABLE and not self.surroundings.world.stopping.is_set():
                branch.trail.add(f"{state.type}StateAborted")
            raise
        except StateError as error:
            self._place(error, visit)
            raise
        branch.variables.update(outcome.assigned)
        exited: dict[str, Any] = {"name": state.name, "output": output, "outputDetails": _NOT_TRUNCATED}
        if outcome.assigned:
            exited["assignedVariables"] = {
                name: within_limit(value, f"The variable {name}") for name, value in outcome.assigned.items()
            }
            exited["assignedVariablesDetails"] = _NOT_TRUNCATED
        branch.trail.add(f"{state.type}StateExited", exited)
        return following, outcome.output

    def _handled(self, visit: Visit) -> tuple[str | None, Outcome]:
        """Run a state under its Retry and Catch."""
        fields = visit.state.fields
        retries = Retries(fields.get("Retry", ()))
        while True:
            try:
                return self._work[visit.state.type](self, visit)
            except StateError as error:
                self._place(error, visit)
                delay = retries.delay_after(error.error)
                if delay is None:
                    return self._caught(visit, error)
                self.surroundings.pause(visit.branch.scope, delay)
                visit.retries += 1

    def _caught(self, visit: Visit, error: StateError) -> tuple[str | None, Outcome]:
        found = catcher_of(visit.state.fields.get("Catch", ()), error.error)
        if found is None:
            raise error
        index, catcher = found
        outcome = self.evaluation(visit).caught(catcher, f"Catch[{index}]", error.output())
        return catcher["Next"], outcome

    @staticmethod
    def _place(error: StateError, visit: Visit) -> None:
        """Let an error that the interpreter found say where, once."""
        if error.placed:
            return
        error.placed = True
        name = visit.state.name
        if error.cause is not None:
            where = f"the state '{name}' (entered at the event id #{visit.entered_id})"
            error.cause = f"An error occurred while executing {where}. {error.cause}"
        if error.evaluating is not None:
            details = {
                "error": error.error,
                "cause": error.cause,
                "location": error.evaluating,
                "state": name,
            }
            visit.branch.trail.add("EvaluationFailed", details)

    def evaluation(self, visit: Visit) -> Evaluation:
        """The state's fields, in its language."""
        language = JsonataEvaluation if visit.state.language == JSONATA else JsonpathEvaluation
        situation = Situation(visit.state.fields, visit.input, self.context(visit), visit.branch.variables)
        return language(situation)

    def context(self, visit: Visit) -> dict[str, Any]:
        """The context object as the state sees it."""
        execution = self.execution
        context: dict[str, Any] = {
            "Execution": {
                "Id": execution.arn,
                "Input": execution.input,
                "Name": execution.name,
                "RoleArn": execution.revision.role_arn,
                "StartTime": iso(execution.started),
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": execution.state_machine.arn, "Name": execution.state_machine.name},
            "State": {
                "Name": visit.state.name,
                "EnteredTime": visit.entered_time,
                "RetryCount": visit.retries,
            },
        }
        if visit.token is not None:
            context["Task"] = {"Token": visit.token}
        if visit.branch.item is not None:
            context["Map"] = {"Item": visit.branch.item}
        return context
