"""What AWS takes of a template at most, checked when it is written: before anything is deployed.

The sizes of policies and the like are estimates, since references are known only once they are deployed; each
is taken to be longer than any ARN of ours.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REFERENCE = "r" * 160
"""What stands in for a reference."""

TEMPLATE_BYTES = 1_000_000
COUNTS = {"Resources": 500, "Outputs": 200, "Parameters": 200}
"""How many of each a template may hold."""

SIZES: dict[str, dict[str, int]] = {
    "AWS::EC2::VPCEndpoint": {"PolicyDocument": 20_480},
    "AWS::Events::Rule": {"EventPattern": 4_096},
    "AWS::IAM::ManagedPolicy": {"PolicyDocument": 6_144},
    "AWS::IAM::Role": {"AssumeRolePolicyDocument": 2_048},
    "AWS::KMS::Key": {"KeyPolicy": 32_768},
    "AWS::S3::BucketPolicy": {"PolicyDocument": 20_480},
    "AWS::SNS::TopicPolicy": {"PolicyDocument": 30_720},
    "AWS::SageMaker::StudioLifecycleConfig": {"StudioLifecycleConfigContent": 16_384},
}
"""The characters that AWS takes of a property of a resource, by its type."""

INLINE_POLICIES = 10_240
MANAGED_POLICIES = 10
ENVIRONMENT = 4_096
FUNCTION_POLICY = 20_480
STATEMENT = 250
"""The characters of a statement in the policy of a function, besides its ARNs."""
DEFINITION = 1_048_576

Node = tuple[str, str]
"""A resource: its stack's name and its logical ID."""


class TooLarge(ValueError):
    """Something is more than AWS takes; the message says what, how much, the limit, and what to do."""


@dataclass(frozen=True)
class Written:
    """A stack's template as it is written, and where its assets lie."""

    name: str
    template: Mapping[str, Any]
    size: int
    assets: Path


def check(folder: Path) -> None:
    """Look at all templates of the cloud assembly in `folder`.

    Raises:
        TooLarge: one or more are too large.
    """
    found = list(exceeded(folder))
    if found:
        remedy = "remedy  make two teams of this one, each with a file of its own, or name fewer things in it"
        raise TooLarge("\n".join([*found, f"  {remedy}"]))


def exceeded(folder: Path) -> Iterator[str]:
    """What is too large in the cloud assembly in `folder`, one sentence each."""
    stacks = list(_written(folder))
    for stack in stacks:
        yield from _of_template(stack)
        yield from _of_resources(stack)
    yield from _of_roles(stacks)


def _written(folder: Path) -> Iterator[Written]:
    """The stacks of all stages; what an earlier synthesis has left in the folder is none of them."""
    for stage in _artifacts(folder, "cdk:cloud-assembly"):
        below = folder / stage["directoryName"]
        for stack in _artifacts(below, "aws:cloudformation:stack"):
            content = (below / stack["templateFile"]).read_bytes()
            yield Written(stack["stackName"], json.loads(content), len(content), folder)


def _artifacts(folder: Path, type_: str) -> Iterator[Mapping[str, Any]]:
    """The properties of the artifacts of one type in an assembly."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for artifact in manifest.get("artifacts", {}).values():
        if artifact["type"] == type_:
            yield artifact["properties"]


def _of_template(stack: Written) -> Iterator[str]:
    yield from _over(stack.name, "bytes of template", stack.size, TEMPLATE_BYTES)
    for part, limit in COUNTS.items():
        yield from _over(stack.name, part.lower(), len(stack.template.get(part, {})), limit)


def _of_resources(stack: Written) -> Iterator[str]:
    invokers: Counter[str] = Counter()
    for logical_id, resource in stack.template.get("Resources", {}).items():
        where, type_ = f"{stack.name}: {logical_id}", resource["Type"]
        properties = resource.get("Properties", {})
        for name, limit in SIZES.get(type_, {}).items():
            yield from _over(where, f"characters of {name}", _size(properties.get(name, "")), limit)
        match type_:
            case "AWS::Lambda::Function":
                variables = properties.get("Environment", {}).get("Variables", {})
                size = sum(len(name) + _size(value) for name, value in variables.items())
                yield from _over(where, "bytes of environment", size, ENVIRONMENT)
            case "AWS::Lambda::Permission":
                function = json.dumps(properties["FunctionName"])
                invokers[function] += STATEMENT + 2 * len(REFERENCE)
                yield from _over(
                    where, "characters of its function's policy", invokers[function], FUNCTION_POLICY
                )
            case "AWS::StepFunctions::StateMachine":
                size = (stack.assets / f"asset.{properties['DefinitionS3Location']['Key']}").stat().st_size
                size += len(REFERENCE) * len(properties["DefinitionSubstitutions"])
                yield from _over(where, "bytes of definition", size, DEFINITION)


def _of_roles(stacks: list[Written]) -> Iterator[str]:
    exports = {
        output["Export"]["Name"]: (stack.name, output["Value"].get("Ref"))
        for stack in stacks
        for output in stack.template.get("Outputs", {}).values()
        if "Export" in output and isinstance(output["Value"], dict)
    }

    def role(stack: Written, reference: Mapping[str, Any]) -> Node:
        return exports.get(reference.get("Fn::ImportValue", ""), (stack.name, reference.get("Ref", "")))

    inline: defaultdict[Node, int] = defaultdict(int)
    managed: Counter[Node] = Counter()
    for stack in stacks:
        for logical_id, resource in stack.template.get("Resources", {}).items():
            properties = resource.get("Properties", {})
            match resource["Type"]:
                case "AWS::IAM::Role":
                    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
                    inline[stack.name, logical_id] += sum(map(_size, documents))
                    managed[stack.name, logical_id] += len(properties.get("ManagedPolicyArns", []))
                case "AWS::IAM::Policy":
                    for reference in properties["Roles"]:
                        inline[role(stack, reference)] += _size(properties["PolicyDocument"])
                case "AWS::IAM::ManagedPolicy":
                    managed.update(role(stack, reference) for reference in properties.get("Roles", []))
    for where, size in inline.items():
        yield from _over(": ".join(where), "characters of inline policies", size, INLINE_POLICIES)
    for where, count in managed.items():
        yield from _over(": ".join(where), "managed policies", count, MANAGED_POLICIES)


def _over(where: str, what: str, value: int, limit: int) -> Iterator[str]:
    if value > limit:
        yield f"{where} has {value:,} {what}, and AWS takes {limit:,}"


def _size(value: Any) -> int:
    plain = _plain(value)
    return len(plain if isinstance(plain, str) else json.dumps(plain, separators=(",", ":")))


def _plain(value: Any) -> Any:
    """A part of a template with text in place of its references."""
    match value:
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(str(_plain(part)) for part in parts)
        case {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::ImportValue": _} | {"Fn::GetStackOutput": _}:
            return REFERENCE
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value
