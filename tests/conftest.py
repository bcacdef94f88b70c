"""Runs a workflow's definition in the interpreter of the embedded AWS, against an AWS of plain functions."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from localaws.sagemaker.constraints import check
from localaws.stepfunctions.definition import check_definition
from localaws.stepfunctions.errors import StateError
from localaws.stepfunctions.execution import Execution, Revision, StateMachine
from localaws.stepfunctions.history import History, Trail
from localaws.stepfunctions.interpreter import Interpreter, Surroundings
from localaws.stepfunctions.states import WORK

Answer = Callable[[dict[str, Any]], Any]
SESSION = botocore.session.get_session()
SERVICES = {"applicationautoscaling": "application-autoscaling"}


def pytest_configure() -> None:
    """Let the commands that tests start hear of Ctrl-C and hang-ups, even when run in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@dataclass
class Outcome:
    """How an execution ended, what it called, and how many seconds it waited in all."""

    output: Any = None
    error: str | None = None
    cause: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    waited: float = 0.0

    def asked(self, action: str) -> list[dict[str, Any]]:
        """The arguments of every call of an action."""
        return [arguments for name, arguments in self.calls if name == action]

    @property
    def actions(self) -> list[str]:
        """The actions called, in order."""
        return [name for name, _ in self.calls]


@pytest.fixture(scope="session")
def fail() -> Callable[..., Answer]:
    """`fail(error, cause)`: an answer that fails as a service does."""

    def failing(error: str, cause: str = "") -> Answer:
        def answer(_arguments: dict[str, Any]) -> Any:
            failure = StateError(error, cause)
            failure.placed = True  # a service's own words, to which Step Functions adds nothing
            raise failure

        return answer

    return failing


@pytest.fixture(scope="session")
def run() -> Callable[..., Outcome]:
    """`run(definition, input, answers)`: see `_run`."""
    return _run


def _run(definition: Mapping[str, Any], given: Any, answers: Mapping[str, Answer]) -> Outcome:
    """Run a definition; `answers` gives each action's result by its name, such as "createModel".

    The arguments of every call are checked against the API's model. Time does not pass.
    """
    machine, problems = check_definition(json.dumps(definition))
    assert not problems, problems
    assert machine is not None
    outcome = Outcome()

    def task(interpreter: Interpreter, visit: Any) -> Any:
        evaluation = interpreter.evaluation(visit)
        arguments = evaluation.arguments()
        service, action = visit.state.fields["Resource"].removesuffix(".sync").split(":")[-2:]
        _check(service, action, arguments)
        outcome.calls.append((action, arguments))
        result = answers[action](arguments)
        return visit.state.fields.get("Next"), evaluation.finish(result)

    def pause(_scope: Any, seconds: float) -> None:
        outcome.waited += seconds

    surroundings = Surroundings(SimpleNamespace(stopping=threading.Event()), None, pause)
    execution = _execution(machine, given)
    try:
        outcome.output = Interpreter(execution, surroundings, {**WORK, "Task": task}).run(
            Trail(execution.history)
        )
    except StateError as error:
        outcome.error, outcome.cause = error.error, error.cause or ""
    return outcome


def _check(service: str, action: str, arguments: dict[str, Any]) -> None:
    """Refuse what the API would refuse: unknown, missing or mistyped parameters, values out of bounds."""
    if service == "lambda":
        return
    model = SESSION.get_service_model(SERVICES.get(service, service))
    operation = model.operation_model(action[0].upper() + action[1:])
    report = ParamValidator().validate(arguments, operation.input_shape)
    assert not report.has_errors(), f"{action}: {report.generate_report()}"
    if service == "sagemaker":
        check(arguments, operation.input_shape)


def _execution(machine: Any, given: Any) -> Execution:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    revision = Revision(machine, "", "role", {}, {}, {}, "1", now)
    arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:machine"
    state_machine = StateMachine(arn, "machine", "111122223333", "eu-west-1", revision, now)
    return Execution(
        arn=f"{arn.replace('stateMachine', 'execution')}:run-1",
        name="run-1",
        state_machine=state_machine,
        revision=revision,
        input=given,
        input_text=json.dumps(given),
        history=History(),
        started=now,
    )
