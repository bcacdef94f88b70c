"""What guardrails refuse, by a simulator of IAM, and that what the state machines ask for passes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from atelier.policies import Role
from tools.isolation.cases import Environment
from tools.isolation.simulator import Case, simulate

STAGE = "research-dev"
ACCOUNT = "111122223333"
GONE: Any = None
"""A key that the request leaves out."""

# Who asks for what, what differs from a request that is right, and whether IAM lets it pass.
REQUESTS: list[tuple[str, str, str, dict[str, Any], bool]] = [
    ("data-scientist", "CreateTrainingJob", "training-job", {}, True),
    ("data-scientist", "CreateProcessingJob", "processing-job", {}, True),
    ("data-scientist", "CreateTrainingJob", "training-job", {"InstanceTypes": ["ml.p5.48xlarge"]}, False),
    ("data-scientist", "CreateTrainingJob", "training-job",
     {"InstanceTypes": ["ml.m5.large", "ml.c5.large"]}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"InstanceTypes": GONE}, False),
    ("data-scientist", "CreateTransformJob", "transform-job", {"InstanceTypes": ["ml.p3.2xlarge"]}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"VolumeKmsKey": GONE}, False),
    ("data-scientist", "CreateTrainingJob", "training-job",
     {"VolumeKmsKey": GONE, "InstanceTypes": ["ml.g4dn.xlarge"]}, True),
    ("data-scientist", "CreateTrainingJob", "training-job",
     {"VolumeKmsKey": GONE, "InstanceTypes": ["ml.g4dn.xlarge", "ml.m5.large"]}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"OutputKmsKey": GONE}, False),
    ("data-scientist", "CreateTrainingJob", "training-job",
     {"InterContainerTrafficEncryption": "false"}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"VpcSubnets": GONE}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"VpcSubnets": ["subnet-of-somebody"]}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"VpcSecurityGroupIds": GONE}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"VpcSecurityGroupIds": ["sg-open"]}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"MaxRuntimeInSeconds": "14400"}, True),
    ("data-scientist", "CreateTrainingJob", "training-job", {"MaxRuntimeInSeconds": "14401"}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"MaxRuntimeInSeconds": GONE}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"aws:RequestTag/team": "vision"}, False),
    ("data-scientist", "CreateTrainingJob", "training-job", {"aws:RequestTag/team": GONE}, False),
    ("data-scientist", "AddTags", "training-job", {}, True),
    ("data-scientist", "AddTags", "training-job",
     {"aws:RequestTag/team": GONE, "aws:RequestTag/environment": GONE}, True),
    ("data-scientist", "AddTags", "training-job", {"aws:RequestTag/team": "vision"}, False),
    ("data-scientist", "AddTags", "training-job", {"aws:RequestTag/environment": "prod"}, False),
    ("data-scientist", "UpdateModelPackage", "model-package", {}, False),
    ("data-scientist", "CreateNotebookInstance", "notebook-instance", {}, False),
    ("reviewer", "UpdateModelPackage", "model-package", {}, True),
    ("reviewer", "UpdateModelPackage", "model-package", {"ModelApprovalStatus": GONE}, False),
    ("reviewer", "CreateTrainingJob", "training-job", {}, False),
    ("automation", "UpdateModelPackage", "model-package", {}, False),
    ("automation", "CreateTrainingJob", "training-job", {}, False),
    ("admin", "CreateNotebookInstance", "notebook-instance", {"InstanceTypes": ["ml.t3.medium"]}, True),
    ("admin", "CreateNotebookInstance", "notebook-instance", {"InstanceTypes": ["ml.p3.2xlarge"]}, False),
    *(
        ("admin", "CreateNotebookInstance", "notebook-instance",
         {"InstanceTypes": ["ml.t3.medium"], key: value}, False)
        for key, wrong in {
            "RootAccess": "Enabled",
            "DirectInternetAccess": "Enabled",
            "MinimumInstanceMetadataServiceVersion": "1",
            "VolumeKmsKey": GONE,
        }.items()
        for value in {wrong, GONE}
    ),
    ("admin", "UpdateNotebookInstance", "notebook-instance",
     {"RootAccess": GONE, "MinimumInstanceMetadataServiceVersion": GONE, "InstanceTypes": GONE}, True),
    ("admin", "UpdateNotebookInstance", "notebook-instance",
     {"InstanceTypes": GONE, "RootAccess": "Enabled"}, False),
    ("admin", "UpdateDomain", "domain", {"AppNetworkAccessType": GONE}, True),
    ("admin", "UpdateDomain", "domain", {"AppNetworkAccessType": "PublicInternetOnly"}, False),
]  # fmt: skip


@pytest.fixture(scope="module")
def environment(assembly: Any) -> Environment:
    """The example with everything switched on."""
    return Environment(assembly.environments, STAGE)


def case(environment: Environment, role: Role, action: str, kind: str, differs: Mapping[str, Any]) -> Case:
    """A request to create or change one of the environment's things."""
    context = {**environment.request(environment, f"sagemaker:{action}")}
    for key, value in differs.items():
        context.pop(full := key if ":" in key else f"sagemaker:{key}")
        if value is not GONE:
            context[full] = value
    names = {"domain": "d-0a1b2c3d", "model-package": f"{STAGE}-curve/1"}
    resource = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:{kind}/{names.get(kind, f'{STAGE}-trial')}"
    return Case(role=role, action=f"sagemaker:{action}", resource=resource, account=ACCOUNT, context=context)


def test_guardrails_let_pass_what_is_right_and_nothing_else(environment):
    """A request that is right in all but one thing is refused for it, also when it leaves that thing out."""
    roles = {role.name: role for role in environment.roles}
    cases = [
        case(environment, roles[f"{STAGE}-{persona}"], action, kind, differs)
        for persona, action, kind, differs, _ in REQUESTS
    ]
    allowed = [answer.allowed for answer in simulate(cases, {})]
    wrong = [
        f"{persona} {action} {differs}: {'refused' if expected else 'allowed'}"
        for (persona, action, _, differs, expected), got in zip(REQUESTS, allowed, strict=True)
        if got != expected
    ]
    assert wrong == []


def said_by(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys with which SageMaker tells IAM of a request."""
    [variant] = arguments.get("ProductionVariants", [{}])
    vpc = arguments.get("VpcConfig", {})
    instance = arguments.get("InstanceType") or variant.get("InstanceType")
    said = {
        "InstanceTypes": instance and [instance],
        "VolumeKmsKey": arguments.get("VolumeKmsKeyId") or arguments.get("KmsKeyId"),
        "OutputKmsKey": arguments.get("OutputDataConfig", {}).get("KmsKeyId"),
        "MaxRuntimeInSeconds": str(arguments.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", "")),
        "InterContainerTrafficEncryption": _bool(arguments, "EnableInterContainerTrafficEncryption"),
        "NetworkIsolation": _bool(arguments, "EnableNetworkIsolation"),
        "VpcSubnets": vpc.get("Subnets"),
        "VpcSecurityGroupIds": vpc.get("SecurityGroupIds"),
    }
    tags = {f"aws:RequestTag/{one['Key']}": one["Value"] for one in arguments["Tags"]}
    return {f"sagemaker:{key}": value for key, value in said.items() if value} | tags


def _bool(arguments: Mapping[str, Any], key: str) -> str:
    return "true" if arguments.get(key) else "false"


def named_by(role: Role, action: str, kind: str) -> str:
    """Something that a role's policy lets it create, by the ARN that the policy gives it."""
    resources = [
        resource
        for policy in role.policies
        for one in policy.document["Statement"]
        if one["Effect"] == "Allow" and f"sagemaker:{action}" in one["Action"]
        for resource in ([one["Resource"]] if isinstance(one["Resource"], str) else one["Resource"])
        if f":{kind}/" in resource
    ]
    return resources[0].replace("*", "1a2b3c4d-1")


@pytest.mark.parametrize(("stage", "kinds"), [("audio-dev", 7), ("vision-prod", 4), (STAGE, 4)])
def test_what_state_machines_ask_for_passes_the_guardrails(assembly, creations, stage, kinds):
    """With a network and without: a run that its own guardrails refuse would fail on AWS alone."""
    roles = {role.resource.arn: role for role in assembly.environments.roles(stage)}
    cases = [
        Case(
            role=roles[one.role],
            action=f"sagemaker:{one.action}",
            resource=named_by(roles[one.role], one.action, one.kind),
            account=one.role.split(":")[4],
            context=said_by(one.arguments),
        )
        for one in creations
        if one.stage == stage
    ]
    assert len({one.action for one in cases}) == kinds
    refused = [f"{one.case.role.name} {one.action}" for one in simulate(cases, {}) if not one.allowed]
    assert refused == []
