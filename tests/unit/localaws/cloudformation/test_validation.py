"""What is refused before anything is touched."""

import json
from typing import Any

import pytest

from localaws.cloudformation.references import refuse_cycles
from localaws.cloudformation.template import TemplateError
from localaws.service import AwsError


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"A": {"Type": "AWS::Nonsense::Thing"}}, "Unrecognized resource types: [AWS::Nonsense::Thing]"),
        (
            {"A": {"Type": "Test::Shelf::Thing", "Properties": {"Colour": 1, "Weight": 2}}},
            "A (Test::Shelf::Thing): Colour; A (Test::Shelf::Thing): Weight",
        ),
        (
            {"A": {"Type": "Test::Shelf::Thing", "Properties": {"Size": {"Ref": "Nothing"}}}},
            "Unresolved resource dependencies [Nothing] in the Resources block (resource A)",
        ),
        (
            {"A": {"Type": "Test::Shelf::Thing", "DependsOn": ["Nothing"]}},
            "Unresolved resource dependencies [Nothing]",
        ),
        (
            {
                "A": {"Type": "Test::Shelf::Thing", "Properties": {"Size": {"Fn::Sub": "${C.Size}"}}},
                "B": {"Type": "Test::Shelf::Thing", "DependsOn": "A"},
                "C": {"Type": "Test::Shelf::Thing", "DependsOn": "B"},
            },
            "Circular dependency between resources: [A, B, C]",
        ),
    ],
)
def test_a_wrong_template_is_refused_and_leaves_no_stack(account: Any, resources: Any, message: str) -> None:
    """The refusal names what is wrong; no stack of that name is left behind."""
    with pytest.raises(TemplateError) as refusal:
        account.create({**resources, "Good": {"Type": "Test::Shelf::Thing"}})

    assert message in refusal.value.message
    assert account.shelf.log == []
    assert account.list_stacks()["StackSummaries"] == []


def test_a_wrong_update_leaves_the_stack_alone(account: Any, thing: Any) -> None:
    """Nothing is done, and the stack can be updated at once."""
    account.create({"A": thing(size=1)})

    with pytest.raises(TemplateError, match="Unresolved resource dependencies"):
        account.update({"A": thing(size={"Ref": "B"})})

    assert account.status() == "CREATE_COMPLETE"
    assert account.update({"A": thing(size=2)})["StackStatus"] == "UPDATE_COMPLETE"


def test_the_type_of_a_resource_cannot_change(account: Any, thing: Any) -> None:
    """CloudFormation refuses it, naming the resource."""
    account.create({"A": thing()})

    with pytest.raises(TemplateError, match=r"modifies resource type of the following resources: \[A\]"):
        account.update({"A": {"Type": "AWS::CloudFormation::WaitConditionHandle"}})


def test_a_cycle_is_told_as_the_way_round() -> None:
    """Each resource on the way needs the next."""
    with pytest.raises(TemplateError, match=r"A -> B -> A|B -> A -> B"):
        refuse_cycles({"A": {"B"}, "B": {"A", "C"}, "C": set()})


def test_a_branch_not_taken_makes_no_dependency(account: Any, thing: Any) -> None:
    """Fn::If counts by the branch that its condition takes, so this is no cycle."""
    stack = account.create(
        {
            "A": thing(size={"Fn::If": ["Yes", 1, {"Ref": "B"}]}),
            "B": thing(size={"Ref": "A"}),
        },
        Conditions={"Yes": {"Fn::Equals": ["a", "a"]}},
    )

    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_named_iam_resources_need_their_capability(account: Any) -> None:
    """As on AWS, where the CDK command always passes it."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": {}}}

    with pytest.raises(AwsError, match="CAPABILITY_NAMED_IAM") as refusal:
        account.create({"R": role}, Capabilities=["CAPABILITY_IAM"])

    assert refusal.value.code == "InsufficientCapabilitiesException"


def test_a_rule_that_does_not_hold_is_told_in_its_own_words(account: Any, thing: Any) -> None:
    """The CDK checks the bootstrap version so."""
    template = {
        "Parameters": {"V": {"Type": "String", "Default": "3"}},
        "Rules": {
            "Check": {
                "Assertions": [
                    {
                        "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2", "3"], {"Ref": "V"}]}]},
                        "AssertDescription": "version 4 is needed",
                    }
                ]
            }
        },
        "Resources": {"A": thing()},
    }

    with pytest.raises(TemplateError, match="Rule Check failed: version 4 is needed"):
        account.create_stack(StackName="s", TemplateBody=json.dumps(template))


@pytest.mark.parametrize(
    "option",
    [
        {"NotificationARNs": ["arn:aws:sns:eu-west-1:111122223333:t"]},
        {"TimeoutInMinutes": 5},
        {"StackPolicyBody": "{}"},
        {"RollbackConfiguration": {"RollbackTriggers": [{"Arn": "a", "Type": "AWS::CloudWatch::Alarm"}]}},
        {"DeploymentConfig": {"Mode": "EXPRESS"}},
    ],
)
def test_an_option_without_effect_is_refused(account: Any, thing: Any, option: dict[str, Any]) -> None:
    """Rather than silently accepted."""
    with pytest.raises(AwsError, match="is not emulated"):
        account.create({"A": thing()}, **option)
