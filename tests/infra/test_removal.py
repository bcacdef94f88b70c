"""What goes with an environment that CloudFormation does not know: in which order, by whose permission."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lambdas.remove_resources import kinds
from lambdas.remove_resources.kinds import Kind

STAGE = "research-dev"
OWNER_TAG = "aws:ResourceTag/ManagedByAmazonSageMakerResource"
SERVICES = {"efs": "elasticfilesystem", "stepfunctions": "states"}
"""Clients that are called otherwise than the service in policies."""
BESIDES = {
    "application-autoscaling:DeregisterScalableTarget",
    "budgets:ExecuteBudgetAction",
    "ec2:DeleteNetworkInterface",  # in the name of the function, by EFS
    "ec2:DeleteSecurityGroup",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
    "lambda:InvokeFunction",
    "sagemaker:DeleteDomain",
    "sagemaker:DeleteModelPackage",
    "ssm:DeleteParameter",
    "states:StopExecution",
}
"""What the function asks for besides the operations of its kinds of things."""


def _removals(assembly, stage: str, kind: str) -> list[Any]:
    found = assembly.resources("Custom::AtelierRemoval", stage=stage)
    return [one for one in found if one.properties["Kind"] == kind]


def _allowed(assembly, stage: str) -> list[Any]:
    """What the function's role is allowed, in whatever stack its policy stands."""
    return [found for found in assembly.statements(stage=stage) if "Remov" in found.where]


def _operations() -> set[str]:
    """What the function asks for, in the words of policies."""
    every = [
        one for value in vars(kinds).values() for one in (value if isinstance(value, tuple) else [value])
    ]
    return BESIDES | {
        f"{SERVICES.get(kind.service, kind.service)}:{''.join(map(str.title, operation.split('_')))}"
        for kind in every
        if isinstance(kind, Kind)
        for operation in (kind.lists, *kind.steps.values())
    }


def test_cloudformation_waits_as_long_as_it_can(assembly):
    """Apps may take longer to go than a function may run; CloudFormation's most is an hour."""
    removals = assembly.resources("Custom::AtelierRemoval")
    assert {one.properties["ServiceTimeout"] for one in removals} == {3600}


def test_what_people_make_in_studio_goes_first(assembly):
    """Before the profiles and spaces that CloudFormation knows; the domain with what is around it follows."""
    [workplaces], [removal] = (_removals(assembly, STAGE, kind) for kind in ("Workplaces", "Domain"))
    [domain] = assembly.resources("AWS::SageMaker::Domain", stage=STAGE)
    profiles = assembly.resources("AWS::SageMaker::UserProfile", stage=STAGE)
    known = [*profiles, *assembly.resources("AWS::SageMaker::Space", stage=STAGE)]
    assert {one.logical_id for one in known} < set(workplaces.definition["DependsOn"])
    # A deployment that fails half way leaves nothing in the network: the removal stands before profiles.
    assert all(removal.logical_id in one.definition["DependsOn"] for one in profiles)
    assert domain.logical_id in removal.definition["DependsOn"]
    for one in (workplaces, removal):
        assert one.properties["Name"] == {"Ref": domain.logical_id}


def test_homes_stay_where_the_environment_is_retained(assembly):
    """And all that is known of their owner, which is the environment: an update changes nothing else."""
    [removal] = _removals(assembly, STAGE, "Domain")
    assert removal.properties["Homes"] == "Delete"
    assert not _removals(assembly, "research-prod", "Domain")  # nobody works there


def test_all_that_runs_is_stopped_before_models_and_network_go(assembly):
    """By the environment's name with a hyphen behind it; nobody can start anything any more by then."""
    for stage in assembly.environments.stages:
        [work] = _removals(assembly, stage, "Work")
        assert work.properties["Name"] == f"{stage}-"
        groups = assembly.resources("AWS::SageMaker::ModelPackageGroup", stage=stage)
        assert {one.logical_id for one in groups} <= set(work.definition.get("DependsOn", []))
        stacks = json.loads((assembly.folder / f"assembly-{stage}" / "manifest.json").read_text())[
            "artifacts"
        ]
        for artifact in stacks.values():
            name = artifact.get("properties", {}).get("stackName", "")
            if name and not name.endswith(("-network", "-access", "-data", "-registry")):
                assert any("registry" in one for one in artifact["dependencies"]), name


def test_model_versions_go_before_their_group(assembly):
    """A group with versions cannot be deleted."""
    for stage in ("vision-dev", "audio-dev"):
        groups = assembly.resources("AWS::SageMaker::ModelPackageGroup", stage=stage)
        removals = _removals(assembly, stage, "ModelPackages")
        assert {found.properties["Name"] for found in removals} == {
            found.properties["ModelPackageGroupName"] for found in groups
        }
        assert {name for found in removals for name in found.definition["DependsOn"]} >= {
            found.logical_id for found in groups
        }


def test_the_function_may_ask_for_all_that_it_asks_for_and_for_nothing_else(assembly):
    """Its operations and its policies say the same."""
    allowed = {action for found in _allowed(assembly, STAGE) for action in found.actions}
    its_own = {one for one in allowed if one.startswith(("logs:Create", "logs:Put", "xray:"))}
    assert allowed - its_own == _operations()


@pytest.mark.parametrize("stage", ["research-dev", "audio-dev"])
def test_what_people_may_make_can_be_removed(assembly, stage):
    """Every kind of thing that anybody may create by hand is one that the function may end."""
    ends = {action for found in _allowed(assembly, stage) for action in found.actions}
    creates = {
        action.removeprefix("sagemaker:Create")
        for found in assembly.statements(stage=stage)
        if "Remov" not in found.where
        for action in found.actions
        if re.match(r"sagemaker:Create(?!Presigned)", action)
    }
    assert {"TrainingJob", "EndpointConfig"} <= creates
    for one in creates:
        assert {f"sagemaker:Stop{one}", f"sagemaker:Delete{one}"} & ends, one


def test_the_function_knows_nothing_of_other_environments(assembly):
    """Names begin with the environment's; the domain, and what is around it, are those of one id."""
    [removal] = _removals(assembly, STAGE, "Domain")
    domain = assembly.arn(removal.stack, removal.properties["Name"])
    owner = f"arn:aws:sagemaker:eu-west-1:111122223333:domain/{domain}"
    held = {
        "ec2:DeleteNetworkInterface": "ec2:Vpc",
        "ec2:DeleteSecurityGroup": OWNER_TAG,
        "elasticfilesystem:DeleteFileSystem": OWNER_TAG,
    }
    for found in _allowed(assembly, STAGE):
        [condition] = [key for test in found.conditions.values() for key in test] or [""]
        assert [key for action, key in held.items() if action in found.actions] == (
            [condition] if condition else []
        )
        if condition == OWNER_TAG:
            assert found.conditions["StringEquals"][OWNER_TAG] == owner
        elif "sagemaker:" in str(found.actions) and found.resources != ["*"]:
            assert all(f"/{STAGE}-" in one or f"/{domain}" in one for one in found.resources), found
    assert "audio" not in json.dumps([found.resources for found in _allowed(assembly, "vision-dev")])
