"""Rules of our own for what cdk-nag and cfn-lint do not look at: SageMaker, its jobs, who is trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from atelier.spec.disks import has_local_disks

Rule = Callable[[Mapping[str, Any]], bool]

RESOURCES: dict[str, dict[str, Rule]] = {
    "AWS::SageMaker::Domain": {
        "is encrypted with the environment's key": lambda one: "KmsKeyId" in one,
        "reaches the internet through the network alone": lambda one: (
            one["AppNetworkAccessType"] == "VpcOnly"
        ),
        "lets CloudTrail see who works": lambda one: (
            one["DomainSettings"]["ExecutionRoleIdentityConfig"] == "USER_PROFILE_NAME"
        ),
        "has its tags on all that is made in it": lambda one: one["TagPropagation"] == "ENABLED",
    },
    "AWS::SageMaker::NotebookInstance": {
        "gives no root": lambda one: one["RootAccess"] == "Disabled",
        "has no internet of its own": lambda one: one["DirectInternetAccess"] == "Disabled",
        "stands in the network": lambda one: bool(one["SubnetId"] and one["SecurityGroupIds"]),
        "is encrypted with the environment's key": lambda one: "KmsKeyId" in one,
        "asks for IMDSv2": lambda one: (
            one["InstanceMetadataServiceConfiguration"]["MinimumInstanceMetadataServiceVersion"] == "2"
        ),
    },
}
"""What must hold for every resource of a type."""


def _encrypted_volume(one: Mapping[str, Any]) -> bool:
    return has_local_disks(one["InstanceType"]) != ("VolumeKmsKeyId" in one)


CREATIONS: dict[str, dict[str, Rule]] = {
    "CreateTrainingJob": {
        "encrypts its volume, where the type takes a key": _encrypted_volume,
        "encrypts its output": lambda one: "KmsKeyId" in one["OutputDataConfig"],
        "encrypts what instances tell each other": lambda one: one["EnableInterContainerTrafficEncryption"],
        "ends at some time": lambda one: one["StoppingCondition"]["MaxRuntimeInSeconds"] > 0,
    },
    "CreateEndpointConfig": {
        "encrypts its volume, where the type takes a key": lambda one: (
            has_local_disks(one["ProductionVariants"][0]["InstanceType"]) != ("KmsKeyId" in one)
        ),
    },
}
"""What must hold for everything that a state machine creates."""


@pytest.mark.parametrize("type_", RESOURCES)
def test_resources_that_no_pack_of_rules_knows_keep_our_own(assembly, type_):
    """Each rule, at each resource of the type in every environment."""
    found = [
        one
        for stage in assembly.environments.stages
        for one in assembly.environments.resources(stage)
        if one.type == type_
    ]
    assert found
    broken = [
        f"{one.stack}: {one.logical_id} {says}"
        for one in found
        for says, holds in RESOURCES[type_].items()
        if not holds(one.properties)
    ]
    assert broken == []


@pytest.mark.parametrize("action", CREATIONS)
def test_what_state_machines_create_keeps_our_rules(creations, action):
    """No template shows a training job: it stands in the state machine that creates it."""
    found = [one for one in creations if one.action == action]
    assert found
    broken = [
        f"{one.stage}: {action} {says}"
        for one in found
        for says, holds in CREATIONS[action].items()
        if not holds(one.arguments)
    ]
    assert broken == []


def test_what_state_machines_create_is_tagged_and_in_the_network(assembly, creations):
    """Whose it is, on everything; subnets and groups where the environment has a network."""
    networks = {one.stack.rpartition("-")[0] for one in assembly.resources("AWS::EC2::VPC")}
    for one in creations:
        team, environment = one.stage.split("-")
        tags = {tag["Key"]: tag["Value"] for tag in one.arguments["Tags"]}
        assert tags.items() >= {"team": team, "environment": environment}.items(), one
        if one.action in {"CreateTrainingJob", "CreateModel"}:
            assert ("VpcConfig" in one.arguments) == (one.stage in networks), one


def test_no_policy_allows_by_exclusion_or_trusts_everybody(assembly):
    """`NotAction`, `NotResource` and a principal `*` open what nobody thought of."""
    for stage in assembly.environments.stages:
        for role in assembly.environments.roles(stage):
            trust = role.resource.properties["AssumeRolePolicyDocument"]
            for policy in (trust, *(one.document for one in role.policies)):
                for statement in policy.get("Statement", []):
                    assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement), role.name
                    assert statement.get("Principal") != "*", role.name
        for arn, policy in assembly.environments.resource_policies(stage).items():
            for statement in policy["Statement"]:
                everybody = statement.get("Principal") in ("*", {"AWS": "*"})
                assert not (everybody and statement["Effect"] == "Allow"), arn
