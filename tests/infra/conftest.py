"""Synthesizes once what all tests here look at: the shipped teams, and one more that shares an account."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks

from atelier.spec import load_teams
from stacks.app import PROJECT, new_app
from stacks.build import build

NEIGHBOUR = """
team: audio
owners: [audio-leads@example.com]
environments:
  dev: {account: "111122223333", region: eu-west-1}
  prod: {account: "111122223333", region: eu-west-1, retain: true, approval: manual}
images:
  denoise: {keep: 5}
jobs:
  pitch:
    script: curve_sklearn
    framework: sklearn
    metrics: {"validation:loss": "loss=([0-9.]+)"}
    gate: {metric: "validation:loss", at_most: 1}
    triggers:
      - schedule: rate(1 day)
  curve:
    script: curve_sklearn
    framework: sklearn
endpoints:
  pitch:
    job: pitch
    scaling: {max_instances: 4}
"""


class Resource(NamedTuple):
    """A resource of a synthesized template."""

    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    definition: dict[str, Any]

    @property
    def where(self) -> str:
        """The resource, for messages."""
        return f"{self.stack}: {self.logical_id}"


class Statement(NamedTuple):
    """What a policy allows; references to resources read `<LogicalId>` or `<LogicalId.Attribute>`."""

    where: str
    actions: list[str]
    resources: list[str]
    conditions: dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """What a synthesis wrote: by stack name, and the report of the rules that looked at it."""

    folder: Path
    templates: dict[str, dict[str, Any]]
    artifacts: dict[str, dict[str, Any]]

    def resources(self, type_: str | None = None, *, stage: str = "") -> list[Resource]:
        """The resources of one type, or all; those of one stage, such as `vision-dev`, or of all."""
        return [
            Resource(stack, logical_id, one["Type"], one.get("Properties", {}), one)
            for stack, template in self.templates.items()
            if stack.startswith(f"{stage}-" if stage else "")
            for logical_id, one in template["Resources"].items()
            if type_ in {None, one["Type"]}
        ]

    def statements(self, *, stage: str = "", boundaries: bool = False) -> list[Statement]:
        """What roles are allowed by policies; with `boundaries`, what they can be allowed at most instead."""
        types = {"AWS::IAM::ManagedPolicy"} if boundaries else {"AWS::IAM::Policy", "AWS::IAM::Role"}
        documents = [
            (resource, document)
            for resource in self.resources(stage=stage)
            if resource.type in types
            for document in [
                resource.properties.get("PolicyDocument"),
                *(policy["PolicyDocument"] for policy in resource.properties.get("Policies", [])),
            ]
            if document
        ]
        return [
            Statement(
                resource.where,
                _listed(one["Action"]),
                _listed(one["Resource"]),
                one.get("Condition", {}),
            )
            for resource, document in documents
            for one in document["Statement"]
            if one["Effect"] == "Allow"
        ]

    def findings(self) -> list[str]:
        """What cdk-nag and CloudFormation's own rules found and nobody acknowledged."""
        report = json.loads((self.folder / "validation-report.json").read_text())
        return [
            f"{violation['ruleName']}: {where['constructPath']}: {violation['description']}"
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
            for where in violation["violatingConstructs"]
        ]


def _flat(value: Any) -> str:
    """A value of a template as text, references as `<Name>`."""
    match value:
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(_flat(part) for part in parts)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::ImportValue": text} | {"Fn::Sub": text}:
            return _flat(text)
        case _:
            return str(value)


def _listed(value: Any) -> list[str]:
    return [_flat(one) for one in value] if isinstance(value, list) else [_flat(value)]


def read(folder: Path) -> Assembly:
    """The assembly that lies in `folder`, nested ones included."""
    templates, artifacts = {}, {}
    for manifest in sorted(folder.glob("**/manifest.json")):
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                properties = artifact["properties"]
                artifacts[properties["stackName"]] = artifact
                templates[properties["stackName"]] = json.loads(
                    (manifest.parent / properties["templateFile"]).read_text()
                )
    return Assembly(folder, templates, artifacts)


@pytest.fixture(scope="session")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped team files and a neighbour of the first in the same account."""
    folder = tmp_path_factory.mktemp("teams")
    for path in (PROJECT / "teams").glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "audio.yaml").write_text(NEIGHBOUR)
    return folder


@pytest.fixture(scope="session")
def assembly(teams: Path, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """All environments, checked by cdk-nag and by the rules that come with CDK."""
    folder = tmp_path_factory.mktemp("cdk.out")
    app = new_app(
        outdir=str(folder),
        builtin_cloud_formation_validation=True,
        # A finding should fail the test that asks for findings, not every test that looks at a template.
        post_cli_context={"@aws-cdk/core:failSynthOnValidationErrors": False},
    )
    build(app, load_teams(teams, root=PROJECT))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return read(folder)


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Assembly]:
    """Runs app.py as a user does, in a process of its own: `synthesize(team="vision", env="dev")`."""
    import subprocess  # noqa: PLC0415 - only the few tests that ask for it start processes
    import sys  # noqa: PLC0415

    def run(*, cwd: Path = PROJECT, environment: dict[str, str] | None = None, **context: str) -> Assembly:
        folder = tmp_path_factory.mktemp("cdk.out")
        variables = {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(context)}
        done = subprocess.run(
            [sys.executable, str(PROJECT / "app.py")],
            cwd=cwd,
            env=os.environ | variables | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return read(folder)

    return run


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    """Without this, jsii shouts about the age of Node on every start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
        yield
