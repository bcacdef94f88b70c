"""Two environments of the same make, and every request that could lead from one into the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from atelier.policies import Environments, Resource, Role
from stacks.grants import OWNER_TAG
from tools.isolation.simulator import Case

USER = "grace"
"""A user whom both teams have: the same name must not open the other's door."""

KINDS = {
    "bucket": ("s3:",),
    "key": ("kms:key/",),
    "repository": ("ecr:",),
    "domain": tuple(
        f"sagemaker:{kind}"
        for kind in ("app", "domain/", "image", "space/", "studio-lifecycle-config/", "user-profile/")
    ),
    "home of a domain": ("elasticfilesystem:",),
    "notebook": ("sagemaker:notebook-instance/",),
    "endpoint": ("sagemaker:endpoint", "sagemaker:model/"),
    "job": (
        "sagemaker:training-job/",
        "sagemaker:processing-job/",
        "sagemaker:transform-job/",
        "sagemaker:hyper-parameter-tuning-job/",
    ),
    "model": ("sagemaker:model-package",),
    "secret": ("secretsmanager:",),
    "log group": ("logs:",),
    "role": ("iam:role/",),
    "function": ("lambda:",),
    "workflow": ("states:",),
    "topic, queue": ("sns:", "sqs:"),
    "parameter": ("ssm:",),
    "stack": ("cloudformation:",),
}
"""The columns of the matrix: how the ARNs of each kind begin, without partition, region and account."""

# What a request says about itself, chosen by whoever asks: all that the guardrails want to hear.
SAID: Mapping[str, str | list[str]] = {
    "aws:SourceIdentity": USER,
    "aws:TagKeys": ["team", "environment"],
    "cloudwatch:namespace": "/aws/sagemaker",
    "iam:PassedToService": "sagemaker.amazonaws.com",
    "kms:GrantIsForAWSResource": "true",
    "sagemaker:AppNetworkAccessType": "VpcOnly",
    "sagemaker:DirectInternetAccess": "Disabled",
    "sagemaker:InstanceTypes": ["ml.m5.large"],
    "sagemaker:InterContainerTrafficEncryption": "true",
    "sagemaker:MaxRuntimeInSeconds": "3600",
    "sagemaker:MinimumInstanceMetadataServiceVersion": "2",
    "sagemaker:ModelApprovalStatus": "Approved",
    "sagemaker:NetworkIsolation": "true",
    "sagemaker:OutputKmsKey": "a key",
    "sagemaker:RootAccess": "Disabled",
    "sagemaker:SpaceSharingType": "Shared",
    "sagemaker:UserProfileName": USER,
    "sagemaker:VolumeKmsKey": "a key",
}

SHARED = {
    "application-autoscaling": "a scalable target's ARN is random; that of another team's endpoint too",
    "ec2": "a network interface is named when it is made; the guardrails hold jobs to their own subnets",
    "events": "the rule with which Step Functions waits for jobs is one for the whole account",
}
"""Services of which roles may touch what belongs to no single team, each with the reason."""


@dataclass(frozen=True)
class Thing:
    """Something that an environment owns: by its ARN, and by what carries its policy."""

    kind: str
    arn: str
    policy: str


class Environment:
    """One of the two environments, and what it owns."""

    def __init__(self, environments: Environments, stage: str) -> None:
        self.stage = stage
        self.team, self.name = stage.split("-")
        self._resources = environments.resources(stage)
        self.roles = environments.roles(stage)
        self.policies = environments.resource_policies(stage)
        self.policies |= {role.resource.arn: _trust(role) for role in self.roles}
        first = self.roles[0].resource.arn
        self.partition, self.account = first.split(":")[1], first.split(":")[4]
        self.region = next(one.arn.split(":")[3] for one in self._resources if ":kms:" in one.arn)
        self.things = [
            thing for arn, policy in self._arns() if (thing := self._thing(arn, policy)) is not None
        ]

    def request(self, asking: Environment, action: str) -> Mapping[str, str | list[str]]:
        """The context of a request of `asking` to something that this environment owns."""
        # What does not exist yet has no tags.
        creates = action.startswith("sagemaker:Create") and "Presigned" not in action
        return self._context(asking, creates=creates, notebook="Notebook" in action)

    @cache  # noqa: B019 -- lives as long as the comparison; a dozen contexts serve thousands of requests
    def _context(
        self, asking: Environment, *, creates: bool, notebook: bool
    ) -> Mapping[str, str | list[str]]:
        domain = self._domain()
        context: dict[str, str | list[str]] = {
            **SAID,
            **asking.place(),
            "aws:PrincipalAccount": asking.account,
            "aws:RequestTag/team": asking.team,
            "aws:RequestTag/environment": asking.name,
            "aws:ResourceAccount": self.account,
            "iam:PolicyARN": asking.limit,
            "kms:ResourceAliases": [f"alias/{self.stage}"],
            "sagemaker:OwnerUserProfileArn": self._sagemaker(f"user-profile/{domain}/{USER}"),
        }
        context[f"aws:ResourceTag/{OWNER_TAG}"] = self._sagemaker(f"domain/{domain}")
        if not creates:
            context |= {"aws:ResourceTag/team": self.team, "aws:ResourceTag/environment": self.name}
        if notebook:
            context["sagemaker:InstanceTypes"] = ["ml.t3.medium"]
        return context

    @property
    def limit(self) -> str:
        """The policy that AWS Budgets attaches at the limit."""
        policies = [one.arn for one in self._resources if one.type == "AWS::IAM::ManagedPolicy"]
        return next((arn for arn in policies if f"/{self.stage}-cost-" in arn), "none")

    def place(self) -> dict[str, list[str]]:
        """The subnets and security groups that the guardrails ask for."""
        keys = ("sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds")
        found: dict[str, list[str]] = {key: ["one"] for key in keys}
        for resource in self._resources:
            for statement in _statements(resource):
                own = statement.get("Condition", {}).get("ForAnyValue:StringNotEquals", {})
                found |= {key: own[key] for key in keys if key in own}
        return found

    def _thing(self, arn: str, policy: str) -> Thing | None:
        service, rest = arn.split(":")[2], arn.split(":", 5)[5]
        for kind, begins in KINDS.items():
            if f"{service}:{rest}".startswith(begins):
                return Thing(kind, arn, policy)
        return None

    def _arns(self) -> Iterator[tuple[str, str]]:
        """Everything that exists, and an example of each thing that is made while jobs run."""
        for resource in self._resources:
            if resource.arn:
                yield from self._arns_of(resource)
        stage, place = self.stage, f"{self.region}:{self.account}"
        domain = self._domain()
        examples = [
            *(f"sagemaker:{place}:{kind}/{stage}-curve-1a2b3c4d-1" for kind in (
                "training-job", "processing-job", "transform-job", "hyper-parameter-tuning-job",
                "model", "endpoint-config",
            )),
            f"sagemaker:{place}:endpoint/{stage}-curve",
            f"sagemaker:{place}:notebook-instance/{stage}-containers",
            f"sagemaker:{place}:image/{stage}-workbench",
            f"sagemaker:{place}:model-package/{stage}-curve/1",
            f"sagemaker:{place}:user-profile/{domain}/{USER}",
            f"sagemaker:{place}:space/{domain}/lab",
            f"sagemaker:{place}:app/{domain}/lab/JupyterLab/default",
            f"elasticfilesystem:{place}:file-system/fs-of-{domain}",
            f"secretsmanager:{place}:secret:{stage}/token-AbCdEf",
            f"logs:{place}:log-group:/aws/sagemaker/TrainingJobs:log-stream:{stage}-curve-1a2b3c4d-1/algo-1",
            f"logs:{place}:log-group:/aws/sagemaker/Endpoints/{stage}-curve:log-stream:AllTraffic/i-1",
            f"logs:{place}:log-group:/aws/sagemaker/NotebookInstances:log-stream:{stage}-lab/jupyter.log",
            f"logs:{place}:log-group:/aws/sagemaker/Endpoints/{stage}-curve",
            f"states:{place}:execution:{stage}-train-curve:upload-1",
            f"states:{place}:execution:{stage}-deploy-curve:upload-1",
            f"ssm:{place}:parameter/atelier/{self.team}/{self.name}/endpoints/curve",
            f"cloudformation:{place}:stack/{stage}-data/0a1b2c3d",
        ]  # fmt: skip
        for example in examples:
            yield f"arn:{self.partition}:{example}", ""

    def _arns_of(self, resource: Resource) -> Iterator[tuple[str, str]]:
        policy = resource.arn if resource.arn in self.policies else ""
        yield resource.arn, policy
        if resource.type == "AWS::S3::Bucket":
            for key in ("curve/train/a.csv", "models/curve/model.tar.gz", "code/curve/a.tar.gz", "studio/a"):
                yield f"{resource.arn}/{key}", policy
        if resource.type == "AWS::Logs::LogGroup":
            yield f"{resource.arn}:log-stream:1", ""

    def _domain(self) -> str:
        domains = [one.name for one in self._resources if one.type == "AWS::SageMaker::Domain"]
        return domains[0] if domains else f"d-of-{self.team}"

    def _sagemaker(self, resource: str) -> str:
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:{resource}"


def requests(asking: Environment, owner: Environment) -> list[tuple[Thing, Case]]:
    """Every action that a role of `asking` holds, on every thing of `owner` that it could be meant for."""
    return [
        (thing, Case(role=role, action=action, resource=thing.arn, account=owner.account,
                     policy=thing.policy, context=owner.request(asking, action)))
        for role in asking.roles
        for action in sorted(held(role))
        for thing in owner.things
        if _service(action) == thing.arn.split(":")[2]
    ]  # fmt: skip


def held(role: Role) -> set[str]:
    """The actions that a role's policies allow on something of the team; one may assume roles for nothing."""
    actions = {
        action
        for policy in role.policies
        for statement in policy.document.get("Statement", [])
        if statement["Effect"] == "Allow" and statement["Resource"] != "*"
        for action in _list(statement["Action"])
    }
    return actions | {"sts:AssumeRole"}


def _service(action: str) -> str:
    service = action.partition(":")[0]
    return "iam" if service == "sts" else service


def _trust(role: Role) -> dict[str, Any]:
    document: dict[str, Any] = role.resource.properties["AssumeRolePolicyDocument"]
    return document


def _statements(resource: Resource) -> list[dict[str, Any]]:
    if resource.type != "AWS::IAM::ManagedPolicy":
        return []
    statements: list[dict[str, Any]] = resource.properties["PolicyDocument"]["Statement"]
    return statements


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
