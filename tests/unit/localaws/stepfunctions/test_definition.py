"""What a definition may say, and what is told of one that says something else."""

from __future__ import annotations

# ruff: noqa: E501 -- a table: one case a line reads better
import json

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from localaws.service import AwsError
from localaws.stepfunctions.definition import check_definition, parse_definition

PASS = {"Type": "Pass", "End": True}
SSM = "arn:aws:states:::aws-sdk:ssm:getParameter"
TRAIN = "arn:aws:states:::sagemaker:createTrainingJob.sync"


def machine(state, *, language="JSONata", **states):
    """A machine that begins with `state` under the name A."""
    return {"QueryLanguage": language, "StartAt": "A", "States": {"A": state, **states}}


def task(resource, **fields):
    """A machine of one task."""
    return machine({"Type": "Task", "Resource": resource, "End": True, **fields})


@pytest.mark.parametrize(
    ("definition", "reason", "place"),
    [
        ([], "This must be an object", ""),
        ({"StartAt": "A"}, "'States' must have at least one state", "/States"),
        ({"StartAt": "A", "States": {}}, "at least one state", "/States"),
        ({**machine(PASS), "Foo": 1}, "Field 'Foo' is not supported", "/Foo"),
        ({**machine(PASS), "StartAt": "B"}, "Missing 'StartAt' target: 'B'", "/StartAt"),
        ({**machine(PASS), "TimeoutSeconds": 0}, "'TimeoutSeconds' is 0", "/TimeoutSeconds"),
        ({**machine(PASS), "QueryLanguage": "SQL"}, "must be JSONPath or JSONata", ""),
        (machine({"Type": "Jump"}), "'Type' is 'Jump'", "/States/A/Type"),
        (machine({"Type": "Pass"}), "either 'Next' or 'End'", "/States/A"),
        (machine({"Type": "Pass", "Next": "B"}), "Missing 'Next' target: 'B'", "/States/A/Next"),
        (machine(PASS, B=PASS), "State 'B' is not reachable", "/States/B"),
        (machine({**PASS, "Retry": []}), "Field 'Retry' is not supported in a Pass state", "/States/A/Retry"),
        (machine({**PASS, "Parameters": {}}), "Field 'Parameters' is JSONPath's", "/States/A/Parameters"),
        (machine({**PASS, "Output": 1}, language="JSONPath"), "Field 'Output' is JSONata's", "/States/A/Output"),
        (machine({**PASS, "QueryLanguage": "JSONPath"}), "cannot go back", "/States/A"),
        (machine({**PASS, "Output": {"x": ["{% 1 + %}"]}}), "'1 +' is not valid", "/States/A/Output/x[0]"),
        (task(SSM, Arguments={"Name": "{% $states.result %}"}), "$states.result has no value", "Arguments/Name"),
        (machine({**PASS, "Output": "{% $states.errorOutput %}"}), "$states.errorOutput has no value", "Output"),
        (machine({"Type": "Choice", "Choices": []}), "at least one rule", "/States/A/Choices"),
        (machine({"Type": "Choice", "Choices": [{"Next": "B"}]}, B=PASS), "must have a 'Condition'", "Choices[0]"),
        (
            machine({"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "C"}]}),
            "Missing 'Next' target: 'C'",
            "/States/A/Choices[0]/Next",
        ),
        (
            machine({"Type": "Choice", "Choices": [{"Variable": "$", "Same": 1, "Next": "B"}]}, language="JSONPath", B=PASS),
            "exactly one comparison",
            "Choices[0]",
        ),
        (machine({"Type": "Wait", "End": True}), "exactly one of Seconds", "/States/A"),
        (machine({"Type": "Parallel", "End": True}), "Field 'Branches' is missing", "/States/A"),
        (
            machine({"Type": "Parallel", "End": True, "Branches": [machine(PASS)]}),
            "The state name 'A' is used more than once",
            "/States/A/Branches[0]/States/A",
        ),
        (machine({"Type": "Map", "End": True}), "must have an 'ItemProcessor'", "/States/A"),
        (
            machine(
                {
                    "Type": "Map",
                    "End": True,
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "I", "States": {"I": PASS}
                    },
                }
            ),
            "distributed mode of Map is not emulated",
            "ItemProcessor",
        ),
        (machine({"Type": "Map", "End": True, "ItemReader": {}}), "'ItemReader' is not emulated", "ItemReader"),
        (machine({"Type": "Task", "End": True}), "Field 'Resource' is missing", "/States/A"),
        (task("arn:aws:lambda:x"), "neither the ARN of a Lambda function nor", "Resource"),
        (task("arn:aws:states:::glue:startJobRun.sync"), "glue:startJobRun is not emulated", "Resource"),
        (task("arn:aws:states:::aws-sdk:nothing:do"), "no AWS SDK integration for the service 'nothing'", "Resource"),
        (task("arn:aws:states:::aws-sdk:ssm:GetParameter"), "no API action 'GetParameter'", "Resource"),
        (task("arn:aws:states:::aws-sdk:ssm:getParameter.sync"), "not .sync", "Resource"),
        (task("arn:aws:states:::sagemaker:createModel.sync"), "does not know the pattern .sync", "Resource"),
        (task(SSM, Arguments={"name": "x"}), "the field is not supported by Step Functions", "Arguments/name"),
        (task(SSM, Arguments={}), "the field Name is required but missing", "Arguments"),
        (task(TRAIN, Arguments={"OutputDataConfig": {"Path": 1}}), "S3OutputPath is required", "OutputDataConfig"),
        (task(SSM, HeartbeatSeconds=5), "'HeartbeatSeconds' is emulated for .waitForTaskToken only", "Heartbeat"),
        (task(SSM, Credentials={}), "'Credentials' is not emulated", "Credentials"),
        (task(SSM, Retry=[{"ErrorEquals": []}]), "at least one error name", "Retry[0]/ErrorEquals"),
        (
            task(SSM, Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]),
            "must stand alone, and in the last entry",
            "Retry[0]",
        ),
        (task(SSM, Retry=[{"ErrorEquals": ["E"], "BackoffRate": 0.5}]), "'BackoffRate' is 0.5", "Retry[0]"),
        (task(SSM, Retry=[{"ErrorEquals": ["E"], "Next": "A"}]), "'Next' is not supported", "Retry[0]/Next"),
        (task(SSM, Catch=[{"ErrorEquals": ["E"], "Next": "B"}]), "Missing 'Next' target: 'B'", "Catch[0]/Next"),
        (task(SSM, Catch=[{"ErrorEquals": ["E"], "Next": "A", "ResultPath": "$"}]), "'ResultPath'", "Catch[0]"),
        (machine({**PASS, "Parameters": {"a.$": 1}}, language="JSONPath"), "must be a path", "Parameters/a.$"),
        (
            machine({**PASS, "Parameters": {"a.$": "States.Nope()"}}, language="JSONPath"),
            "there is no intrinsic function States.Nope",
            "Parameters/a.$",
        ),
        (machine({**PASS, "ResultPath": "$..a"}, language="JSONPath"), "reference path", "ResultPath"),
        (machine({**PASS, "InputPath": "$.a[?(@.b)]"}, language="JSONPath"), "not understood", "InputPath"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(definition, reason, place):
    """Each problem names the place and the reason; nothing is created."""
    built, problems = check_definition(json.dumps(definition))
    assert built is None
    assert any(reason in problem.reason and place in problem.place for problem in problems), problems


def test_every_problem_is_told_at_once():
    """The message lists them all."""
    with pytest.raises(AwsError) as caught:
        parse_definition(json.dumps(machine({"Type": "Pass", "Next": "B", "Foo": 1}, C=PASS)))
    assert caught.value.code == "InvalidDefinition"
    for part in ("Missing 'Next' target: 'B'", "'Foo'", "'C' is not reachable"):
        assert part in caught.value.message


@pytest.mark.parametrize("text", ["", "{", "nope", "[" * 3000])
def test_a_definition_that_is_no_json_is_refused(text):
    """The reason is the parser's."""
    _, problems = check_definition(text)
    assert problems[0].code == "INVALID_JSON_DESCRIPTION"


def test_the_api_refuses_and_validates(aws):
    """CreateStateMachine raises InvalidDefinition; ValidateStateMachineDefinition lists diagnostics."""
    bad = machine({"Type": "Pass", "Next": "B"})
    with pytest.raises(ClientError, match=r"InvalidDefinition.*Missing 'Next' target: 'B'"):
        aws.create(bad)
    told = aws.states.validate_state_machine_definition(definition=json.dumps(bad))
    assert told["result"] == "FAIL"
    assert told["diagnostics"][0]["location"] == "/States/A/Next"
    assert (
        aws.states.validate_state_machine_definition(definition=json.dumps(machine(PASS)))["result"] == "OK"
    )


VALID = [
    machine(
        {
            "Type": "Task",
            "Resource": TRAIN,
            "Arguments": {"TrainingJobName": "{% $states.input.name %}"},
            "Retry": [{"ErrorEquals": ["E"], "BackoffRate": 1.5}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "B"}],
            "Output": "{% $states.result %}",
            "Next": "B",
        },
        B={"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "C"}], "Default": "C"},
        C={
            "Type": "Map",
            "Items": [1],
            "ItemProcessor": {"StartAt": "I", "States": {"I": PASS}},
            "Next": "D",
        },
        D={"Type": "Parallel", "Branches": [{"StartAt": "P", "States": {"P": PASS}}], "End": True},
    ),
    machine(
        {"Type": "Pass", "Parameters": {"a.$": "$.b"}, "ResultPath": "$.c", "Next": "B"},
        language="JSONPath",
        B={"Type": "Choice", "Choices": [{"And": [{"Variable": "$.a", "IsNull": True}], "Next": "C"}]},
        C={"Type": "Wait", "SecondsPath": "$.s", "Next": "D"},
        D={"Type": "Fail", "Error": "E", "CausePath": "$.c"},
    ),
]
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["$.a", "{% $x %}", "{% ( %}"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "Next", "Type", "x.$"]), inner)
    ),
    max_leaves=4,
)


@given(st.sampled_from(VALID), st.randoms(use_true_random=False), JUNK)
def test_no_definition_makes_the_validation_fall_over(definition, random, junk):
    """Whatever stands where something else belongs, the answer is a machine or problems."""
    document = json.loads(json.dumps(definition))
    here, key = document, "States"
    while isinstance(here[key], dict | list) and here[key] and random.random() < 0.85:
        here = here[key]
        key = random.choice(list(here) if isinstance(here, dict) else range(len(here)))
    here[key] = junk
    built, problems = check_definition(json.dumps(document))
    assert (built is None) == bool(problems)


@pytest.mark.parametrize("definition", VALID)
def test_what_is_right_is_taken(definition):
    """A machine without problems; the training job's required arguments aside."""
    _, problems = check_definition(json.dumps(definition))
    assert [problem for problem in problems if "is required but missing" not in problem.reason] == []
