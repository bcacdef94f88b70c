"""What the roles of synthesized environments may do: their policies, with references resolved.

Reads a cloud assembly, the folder that `cdk synth` writes; neither CDK nor AWS is asked. A name that
CloudFormation would give is `<stack>-<logical id>`, which is how the real one begins.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

Document = dict[str, Any]

NAMES = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupName",
    "AWS::SageMaker::NotebookInstance": "NotebookInstanceName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
"""The property in which each type has its name."""

ARNS = {
    "AWS::CloudWatch::Alarm": "cloudwatch:{place}:alarm:{name}",
    "AWS::ECR::Repository": "ecr:{place}:repository/{name}",
    "AWS::Events::Rule": "events:{place}:rule/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{place}:key/{name}",
    "AWS::Lambda::Function": "lambda:{place}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{place}:log-group:{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{place}:{name}",
    "AWS::SQS::Queue": "sqs:{place}:{name}",
    "AWS::SageMaker::Domain": "sagemaker:{place}:domain/{name}",
    "AWS::SageMaker::ModelPackageGroup": "sagemaker:{place}:model-package-group/{name}",
    "AWS::SageMaker::NotebookInstance": "sagemaker:{place}:notebook-instance/{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{place}:secret:{name}-AbCdEf",
    "AWS::StepFunctions::StateMachine": "states:{place}:stateMachine:{name}",
}
"""The ARN of each type that policies speak of, without `arn:<partition>:`."""

REF_IS_ARN = {
    "AWS::IAM::ManagedPolicy",
    "AWS::SNS::Topic",
    "AWS::SageMaker::ModelPackageGroup",
    "AWS::StepFunctions::StateMachine",
}

RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": ("Bucket", "PolicyDocument"),
    "AWS::SNS::TopicPolicy": ("Topics", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument"),
}
"""The types that are a policy of another resource: where they name it, and where the policy stands."""

OWN_POLICIES = {"AWS::ECR::Repository": "RepositoryPolicyText", "AWS::KMS::Key": "KeyPolicy"}
"""The types that carry a policy of their own, and where."""


@dataclass(frozen=True)
class Resource:
    """A resource of a synthesized environment, its properties resolved."""

    stack: str
    logical_id: str
    type: str
    name: str
    arn: str
    """Empty for types that policies do not speak of."""
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Policy:
    """A policy of a role and its name; one that AWS manages has no document here."""

    name: str
    document: Document = field(default_factory=dict)


@dataclass(frozen=True)
class Role:
    """A role, and all that decides what it may do."""

    resource: Resource
    policies: list[Policy]
    boundary: Policy | None

    @property
    def name(self) -> str:
        """Its name, or how its name begins."""
        return self.resource.name


class Environments:
    """The environments of a cloud assembly.

    Raises:
        FileNotFoundError: the folder holds no assembly.
    """

    def __init__(self, folder: Path) -> None:
        self._stacks = dict(_stacks(folder))
        if not self._stacks:
            raise FileNotFoundError(f"{folder} holds no synthesized environment")

    @property
    def stages(self) -> set[str]:
        """The environments, such as `vision-dev`."""
        return {name.rpartition("-")[0] for name in self._stacks}

    def resources(self, stage: str) -> list[Resource]:
        """All resources of an environment."""
        return [one for one in self._resources.values() if one.stack.startswith(f"{stage}-")]

    def roles(self, stage: str) -> list[Role]:
        """All roles of an environment."""
        resources = self.resources(stage)
        return [self._role(one, resources) for one in resources if one.type == "AWS::IAM::Role"]

    def resource_policies(self, stage: str) -> dict[str, Document]:
        """The policies of buckets, keys and the like, by their ARNs."""
        found: dict[str, Document] = {}
        arns = {one.name: one.arn for one in self.resources(stage) if one.arn}
        for one in self.resources(stage):
            own = OWN_POLICIES.get(one.type, "")
            if own in one.properties:
                found[one.arn] = one.properties[own]
            elif one.type in RESOURCE_POLICIES:
                where, what = RESOURCE_POLICIES[one.type]
                named = one.properties[where]
                for name in map(str, named if isinstance(named, list) else [named]):
                    found[arns.get(name, name)] = one.properties[what]
        return found

    def resolved(self, stack: str, value: Any) -> Any:
        """A value of a stack's template as it will be."""
        return self._value(self._stacks[stack], value)

    @cached_property
    def _resources(self) -> dict[tuple[str, str], Resource]:
        return {
            (stack.name, logical_id): self._resource(stack, logical_id)
            for stack in self._stacks.values()
            for logical_id in stack.template.get("Resources", {})
        }

    def _resource(self, stack: _Stack, logical_id: str) -> Resource:
        definition = stack.template["Resources"][logical_id]
        properties = self._value(stack, definition.get("Properties", {}))
        name, arn = self._identity(stack, logical_id)
        return Resource(stack.name, logical_id, definition["Type"], name, arn, properties)

    def _identity(self, stack: _Stack, logical_id: str) -> tuple[str, str]:
        """The name and the ARN of a resource."""
        definition = stack.template["Resources"][logical_id]
        type_ = definition["Type"]
        given = definition.get("Properties", {}).get(NAMES.get(type_, ""))
        if type_ == "AWS::SageMaker::Domain":
            name = f"d-{hashlib.sha256(stack.name.encode()).hexdigest()[:12]}"
        else:
            name = str(self._value(stack, given)) if given else f"{stack.name}-{logical_id}"
        pattern = ARNS.get(type_)
        if pattern is None:
            return name, ""
        place = f"{stack.region}:{stack.account}"
        arn = pattern.format(place=place, account=stack.account, name=name)
        return name, f"arn:{stack.partition}:{arn}"

    def _role(self, role: Resource, resources: list[Resource]) -> Role:
        documents = {one.arn: Policy(one.logical_id, one.properties["PolicyDocument"])
                     for one in resources if one.type == "AWS::IAM::ManagedPolicy"}  # fmt: skip
        inline = [
            Policy(one["PolicyName"], one["PolicyDocument"]) for one in role.properties.get("Policies", [])
        ]
        attached = [
            Policy(one.logical_id, one.properties["PolicyDocument"])
            for one in resources
            if one.type in {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"}
            and role.name in one.properties.get("Roles", [])
        ]
        by_arn = [documents.get(arn, Policy(arn)) for arn in role.properties.get("ManagedPolicyArns", [])]
        boundary = role.properties.get("PermissionsBoundary")
        return Role(role, [*inline, *attached, *by_arn], documents.get(boundary) if boundary else None)

    def _value(self, stack: _Stack, value: Any) -> Any:
        """A value of a template as it will be."""
        match value:
            case {"Ref": str(name)} if len(value) == 1:
                return self._reference(stack, name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._attribute(stack, name, attribute)
            case {"Fn::GetAtt": str(path)}:
                return self._attribute(stack, *path.split(".", 1))
            case {"Fn::Join": [str(between), list(parts)]}:
                return between.join(str(self._value(stack, part)) for part in parts)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^!}]+)\}", lambda found: self._named(stack, found[1]), text)
            case {"Fn::Split": [str(between), text]}:
                return str(self._value(stack, text)).split(between)
            case {"Fn::Select": [index, parts]}:
                found = self._value(stack, parts)
                return found[int(index)] if isinstance(found, list) else f"{index} of {found}"
            case {"Fn::GetStackOutput": {"StackName": name, "OutputName": output}}:
                exporter = self._stacks[str(self._value(stack, name))]
                return self._value(exporter, exporter.template["Outputs"][output]["Value"])
            case {"Fn::ImportValue": export}:
                exporter, exported = self._exports[str(self._value(stack, export))]
                return self._value(exporter, exported)
            case dict():
                return {key: self._value(stack, one) for key, one in value.items()}
            case list():
                return [self._value(stack, one) for one in value]
            case _:
                return value

    def _named(self, stack: _Stack, name: str) -> str:
        """What stands in a text as `${name}` or `${name.attribute}`."""
        resource, _, attribute = name.partition(".")
        return str(self._attribute(stack, resource, attribute) if attribute else self._reference(stack, name))

    def _reference(self, stack: _Stack, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": stack.account,
            "AWS::Partition": stack.partition,
            "AWS::Region": stack.region,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        if name not in stack.template.get("Resources", {}):
            return stack.template["Parameters"][name].get("Default", name)
        physical, arn = self._identity(stack, name)
        return arn if stack.template["Resources"][name]["Type"] in REF_IS_ARN else physical

    def _attribute(self, stack: _Stack, name: str, attribute: str) -> str:
        physical, arn = self._identity(stack, name)
        if not arn or not attribute.endswith("Arn"):
            return f"{physical}.{attribute}"
        # CloudFormation gives the ARN of a log group with its streams.
        return f"{arn}:*" if stack.template["Resources"][name]["Type"] == "AWS::Logs::LogGroup" else arn

    @cached_property
    def _exports(self) -> dict[str, tuple[_Stack, Any]]:
        return {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack in self._stacks.values()
            for output in stack.template.get("Outputs", {}).values()
            if "Export" in output
        }


@dataclass(frozen=True)
class _Stack:
    name: str
    account: str
    region: str
    partition: str
    template: Mapping[str, Any]


def _stacks(folder: Path) -> Iterator[tuple[str, _Stack]]:
    for manifest in sorted(folder.glob("**/manifest.json")):
        for artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                properties = artifact["properties"]
                account, region = artifact["environment"].removeprefix("aws://").split("/")
                template = (manifest.parent / properties["templateFile"]).read_text(encoding="utf-8")
                name = properties["stackName"]
                partition = "aws-cn" if region.startswith("cn-") else "aws"
                yield name, _Stack(name, account, region, partition, json.loads(template))
