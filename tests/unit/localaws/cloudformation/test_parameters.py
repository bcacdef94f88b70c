"""The parameters of a template: where values come from, and which are refused."""

import json
from typing import Any

import pytest

from localaws.cloudformation.parameters import Parameter, resolve_parameters
from localaws.cloudformation.template import Template, TemplateError


def _resolve(declared: dict[str, Any], previous: dict[str, Parameter] | None = None, **given: Any) -> Any:
    template = Template.parse(json.dumps({"Parameters": declared, "Resources": {"A": {"Type": "X"}}}))
    passed = [
        {"ParameterKey": key, "UsePreviousValue": True}
        if value is ...
        else {"ParameterKey": key, "ParameterValue": value}
        for key, value in given.items()
    ]
    return resolve_parameters(template, passed, previous or {}, lambda name: f"stored {name}")


def test_a_value_is_the_given_one_or_the_default() -> None:
    """What is passed wins over the template's default."""
    declared = {"A": {"Type": "String", "Default": "x"}, "B": {"Type": "Number", "Default": 3}}

    values = _resolve(declared, A="y")

    assert (values["A"].value, values["B"].value) == ("y", "3")


def test_lists_are_split() -> None:
    """A comma-delimited list is a list to `Ref`, its items stripped."""
    assert _resolve({"A": {"Type": "CommaDelimitedList"}}, A="a, b")["A"].value == ["a", "b"]
    assert _resolve({"A": {"Type": "List<Number>"}}, A="1,2")["A"].value == ["1", "2"]
    assert _resolve({"A": {"Type": "CommaDelimitedList"}}, A="")["A"].value == []


def test_a_stored_parameter_is_read_from_the_parameter_store() -> None:
    """The type AWS::SSM::Parameter::Value gives the stored text; the name stays visible."""
    value = _resolve({"A": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"}})["A"]

    assert (value.value, value.resolved, value.shown) == ("stored /x", "stored /x", "/x")


def test_a_secret_is_not_shown() -> None:
    """NoEcho hides the value in descriptions, not from the resources."""
    value = _resolve({"A": {"Type": "String", "NoEcho": True}}, A="secret")["A"]

    assert (value.value, value.shown) == ("secret", "****")


def test_the_previous_value_can_be_kept() -> None:
    """UsePreviousValue takes what the stack has."""
    declared = {"A": {"Type": "String"}}
    before = _resolve(declared, A="old")

    assert _resolve(declared, before, A=...)["A"].value == "old"


@pytest.mark.parametrize(
    ("declaration", "value", "message"),
    [
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "'A' must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "a1", r"'A' must match pattern \[a-z\]\+"),
        ({"Type": "String", "MinLength": 3}, "ab", "'A' must contain at least 3 characters"),
        ({"Type": "String", "MaxLength": "1"}, "ab", "'A' must contain at most 1 characters"),
        ({"Type": "Number"}, "x", "'A' must be a number"),
        ({"Type": "Number", "MinValue": 2}, "1", "'A' must be a number not less than 2"),
        ({"Type": "Number", "MaxValue": 2}, "3", "'A' must be a number not greater than 2"),
        ({"Type": "List<Number>"}, "1,x", "'A' must be a number"),
        ({"Type": "Nonsense"}, "x", "Unrecognized parameter type: Nonsense"),
        (
            {"Type": "String", "AllowedValues": ["a"], "ConstraintDescription": "say a"},
            "b",
            "'A' failed to satisfy constraint: say a",
        ),
    ],
)
def test_a_value_that_is_not_allowed_is_refused(declaration: Any, value: str, message: str) -> None:
    """Each limit of the template is held, and the refusal names parameter and limit."""
    with pytest.raises(TemplateError, match=message):
        _resolve({"A": declaration}, A=value)


def test_missing_and_unknown_parameters_are_named() -> None:
    """All of them at once."""
    with pytest.raises(TemplateError, match=r"Parameters: \[A, B\] must have values"):
        _resolve({"A": {"Type": "String"}, "B": {"Type": "String"}})
    with pytest.raises(TemplateError, match=r"Parameters: \[C\] do not exist in the template"):
        _resolve({"A": {"Type": "String"}}, A="x", C="y")
