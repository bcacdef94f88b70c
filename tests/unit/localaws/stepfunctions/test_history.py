"""Random small machines: they end, and their history is well formed."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.stepfunctions.definition import parse_definition
from localaws.stepfunctions.execution import Execution, Revision, StateMachine
from localaws.stepfunctions.history import History, Trail
from localaws.stepfunctions.interpreter import Interpreter, Surroundings
from localaws.stepfunctions.jsontext import dumps
from localaws.stepfunctions.scope import Scope
from localaws.stepfunctions.states import WORK
from localaws.stepfunctions.tasks.tokens import Tokens
from localaws.world import World

EVENT = Session().get_service_model("stepfunctions").shape_for("HistoryEvent")
ARN = "arn:aws:states:eu-west-1:111122223333:stateMachine:m"


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """What executions share."""
    folder: Path = tmp_path_factory.mktemp("world")
    world = World(folder, folder)
    yield Surroundings(world, Tokens(), Scope.wait)
    world.close()


@st.composite
def machines(draw, names=None, depth=2):
    """A machine of Pass, Choice and Parallel states that only go forward."""
    names = names or (f"S{number}" for number in itertools.count())
    own = [next(names) for _ in range(draw(st.integers(1, 4)))]
    states = {}
    for here, name in enumerate(own):
        later = own[here + 1] if here + 1 < len(own) else None
        move = {"Next": later} if later else {"End": True}
        kinds = ["Pass", "Choice"] if later else ["Pass"]
        kind = draw(st.sampled_from(kinds + (["Parallel"] if depth else [])))
        if kind == "Pass":
            states[name] = {"Type": "Pass", "Output": [name, "{% $states.input %}"], **move}
        elif kind == "Choice":
            condition = draw(st.sampled_from(["{% true %}", "{% $count($states.input) > 1 %}"]))
            target = draw(st.sampled_from(own[here + 1 :]))
            rule = {"Condition": condition, "Next": target}
            states[name] = {"Type": "Choice", "Choices": [rule], "Default": later}
        else:
            branches = [draw(machines(names, depth - 1)) for _ in range(draw(st.integers(1, 3)))]
            states[name] = {"Type": "Parallel", "Branches": branches, **move}
    return {"StartAt": own[0], "States": states}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(machines())
def test_a_machine_ends_and_its_history_tells_how(surroundings, document):
    """Ids count from 1, each event follows an earlier one, what is entered is left, AWS's model fits."""
    text = dumps({"QueryLanguage": "JSONata", **document})
    now = datetime.now(UTC)
    revision = Revision(parse_definition(text), text, "role", {}, {}, {}, "1", now)
    machine = StateMachine(ARN, "m", "111122223333", "eu-west-1", revision, now)
    execution = Execution("arn", "e", machine, revision, [1], "[1]", History())
    Interpreter(execution, surroundings, WORK).run(Trail(execution.history))

    events = execution.history.events
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in events)
    assert not any(ParamValidator().validate(event, EVENT).has_errors() for event in events)
    entered = sorted(_names(events, "StateEntered", "stateEnteredEventDetails"))
    assert entered == sorted(_names(events, "StateExited", "stateExitedEventDetails"))
    assert len(set(entered)) == len(entered)


def _names(events, suffix, key):
    return [event[key]["name"] for event in events if event["type"].endswith(suffix)]
