"""How long AWS takes to make an environment: the longest chain of resources that wait for each other.

`cdk deploy` makes a stack once all stacks that it refers to are made, and CloudFormation a resource once all
that it refers to are. So an environment takes as long as its longest chain of stacks, each as long as its
longest chain of resources. If every resource waited for nothing but what it refers to, it would be faster:
the difference is what the division into stacks costs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

SECONDS = {
    "AWS::EC2::NatGateway": 120,
    "AWS::EC2::VPCEndpoint": 90,
    "AWS::EC2::InternetGateway": 20,
    "AWS::EC2::VPC": 15,
    "AWS::ECR::Repository": 5,
    "AWS::IAM::InstanceProfile": 120,
    "AWS::IAM::ManagedPolicy": 20,
    "AWS::IAM::Policy": 20,
    "AWS::IAM::Role": 20,
    "AWS::KMS::Key": 25,
    "AWS::Lambda::Function": 10,
    "AWS::NetworkFirewall::Firewall": 420,
    "AWS::S3::Bucket": 25,
    "AWS::SageMaker::App": 180,
    "AWS::SageMaker::Domain": 300,
    "AWS::SageMaker::NotebookInstance": 300,
    "AWS::SageMaker::Space": 20,
    "AWS::SageMaker::UserProfile": 20,
}
"""How long CloudFormation usually takes to make a resource of a slow type; of others, `OTHERS`."""

OTHERS = 5
_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")

Node = tuple[str, str]
"""A resource: its stack's name and its logical ID."""


class Chain(NamedTuple):
    """Resources that wait for each other, and the seconds that they take together."""

    seconds: int
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Templates:
    """The templates of one environment by the names of their stacks, and the stacks that each waits for."""

    stacks: Mapping[str, Mapping[str, Any]]
    waits: Mapping[str, list[str]] = field(default_factory=dict)

    def kind(self, node: Node) -> str:
        """The type of a resource."""
        stack, logical_id = node
        return str(self.stacks[stack]["Resources"][logical_id]["Type"])

    def as_divided(self) -> Chain:
        """The longest chain where stacks wait for whole stacks."""

        @cache
        def until(stack: str) -> Chain:
            before = max((until(one) for one in self.waits[stack]), default=Chain(0))
            inside = self._longest({stack}, lambda node: self._references(node, within=True))
            return Chain(before.seconds + inside.seconds, before.nodes + inside.nodes)

        return max(until(stack) for stack in self.stacks)

    def as_referred(self) -> Chain:
        """The longest chain where resources wait for nothing but what they refer to."""
        return self._longest(set(self.stacks), lambda node: self._references(node, within=False))

    def _longest(self, stacks: set[str], before: Callable[[Node], Iterator[Node]]) -> Chain:
        @cache
        def until(node: Node) -> Chain:
            first = max((until(one) for one in before(node)), default=Chain(0))
            return Chain(first.seconds + SECONDS.get(self.kind(node), OTHERS), (*first.nodes, node))

        return max(
            (until((stack, one)) for stack in stacks for one in self.stacks[stack]["Resources"]),
            default=Chain(0),
        )

    def _references(self, node: Node, *, within: bool) -> Iterator[Node]:
        stack, logical_id = node
        definition = self.stacks[stack]["Resources"][logical_id]
        waits = definition.get("DependsOn", [])
        for name in [waits] if isinstance(waits, str) else waits:
            yield stack, name
        yield from self._mentioned(stack, definition.get("Properties", {}), within=within)

    def _mentioned(self, stack: str, value: Any, *, within: bool) -> Iterator[Node]:
        """The resources that a value refers to."""
        match value:
            case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]} if (
                name in self.stacks[stack]["Resources"]
            ):
                yield stack, name
            case {"Fn::ImportValue": str(export)}:
                if not within:
                    yield from self._exported(export)
            case {"Fn::GetStackOutput": {"StackName": str(other), "OutputName": str(output)}}:
                if not within:
                    yield from self._mentioned(other, self.stacks[other]["Outputs"][output], within=False)
            case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
                for name in _SUBSTITUTED.findall(text):
                    if name in self.stacks[stack]["Resources"]:
                        yield stack, name
            case dict():
                for part in value.values():
                    yield from self._mentioned(stack, part, within=within)
            case list():
                for part in value:
                    yield from self._mentioned(stack, part, within=within)

    def _exported(self, export: str) -> Iterator[Node]:
        for stack, template in self.stacks.items():
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == export:
                    yield from self._mentioned(stack, output["Value"], within=False)


def read(folder: Path) -> Templates:
    """The one environment in a cloud assembly."""
    [manifest] = folder.glob("assembly-*/manifest.json")
    artifacts = json.loads(manifest.read_text())["artifacts"]
    found = {key: one for key, one in artifacts.items() if one["type"] == "aws:cloudformation:stack"}
    names = {key: one["properties"]["stackName"] for key, one in found.items()}
    return Templates(
        {
            names[key]: json.loads((manifest.parent / one["properties"]["templateFile"]).read_text())
            for key, one in found.items()
        },
        {
            names[key]: [names[other] for other in one.get("dependencies", []) if other in names]
            for key, one in found.items()
        },
    )


def shown(templates: Templates, chain: Chain) -> str:
    """A chain for people: the slow ones of its resources with their seconds, in order."""
    slow = [node for node in chain.nodes if templates.kind(node) in SECONDS]
    kinds = {node: templates.kind(node) for node in slow}
    steps = [
        f"{node[0].rpartition('-')[2]}: {kind.rpartition('::')[2]} {SECONDS[kind]}"
        for node, kind in kinds.items()
    ]
    return " → ".join(steps)
