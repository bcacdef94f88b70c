"""Synthesizes once what all tests here look at: the shipped teams, and one more that shares an account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import aws_cdk as cdk
import pytest
from aws_cdk.cloudformation_include import CfnInclude
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from atelier.policies import Environments
from atelier.spec import load_teams
from stacks.app import PROJECT, new_app
from stacks.build import build

NEIGHBOUR = """
team: audio
owners: [audio-leads@example.com]
environments:
  dev: {account: "111122223333", region: eu-west-1}
  prod:
    account: "111122223333"
    region: eu-west-1
    retain: true
    termination_protection: false
    approval: manual
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
  all:
    script: images_pytorch
    framework: pytorch
    instances: [ml.m5.large, ml.g5.xlarge]
    instance_count: 2
    distribution: torchrun
    spot: {}
    metrics: [validation:accuracy]
    tuning:
      objective: {metric: validation:accuracy, goal: maximize}
      ranges: {width: {min: 8, max: 64}}
    triggers: []
  words:
    algorithm: blazingtext
    prepare_script: topics_blazingtext
    prepare: {}
    hyperparameters: {mode: supervised}
    transform: {prepared: test, content_type: application/jsonlines}
    triggers: []
  pretrained:
    jumpstart: {model: m, version: "1.0.0", framework: pytorch, artifact: "s3://jumpstart-{region}/m.tar.gz"}
endpoints:
  pitch:
    job: pitch
    scaling: {max_instances: 4}
"""


KINDS = {
    "createEndpoint": "endpoint",
    "createEndpointConfig": "endpoint-config",
    "createHyperParameterTuningJob": "hyper-parameter-tuning-job",
    "createModel": "model",
    "createProcessingJob": "processing-job",
    "createTrainingJob": "training-job",
    "createTransformJob": "transform-job",
}
"""What state machines create in SageMaker, by their task."""


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
    """What a policy allows."""

    where: str
    actions: list[str]
    resources: list[str]
    conditions: dict[str, Any]


class Creation(NamedTuple):
    """Something that a state machine asks SageMaker to create."""

    stage: str
    role: str
    """The ARN of the machine's role."""
    action: str
    kind: str
    """As in ARNs: `training-job`."""
    arguments: dict[str, Any]


class Finding(NamedTuple):
    """What a rule found, and at which construct."""

    rule: str
    path: str
    description: str


@dataclass(frozen=True)
class Assembly:
    """What a synthesis wrote, by the names of the stacks."""

    folder: Path
    templates: dict[str, dict[str, Any]]
    properties: dict[str, dict[str, Any]]
    """What the CDK command does with each stack: tags, termination protection, roles."""
    metadata: dict[str, dict[str, list[dict[str, Any]]]]
    """What is recorded at each construct's path."""
    environments: Environments
    """The same, with references resolved."""

    def resources(self, type_: str | None = None, *, stage: str = "") -> list[Resource]:
        """The resources of one type, or all; those of one stage, such as `vision-dev`, or of all."""
        return [
            Resource(stack, logical_id, one["Type"], one.get("Properties", {}), one)
            for stack, template in self.templates.items()
            if stack.startswith(f"{stage}-" if stage else "")
            for logical_id, one in template.get("Resources", {}).items()
            if type_ in {None, one["Type"]}
        ]

    def statements(self, *, stage: str = "", boundaries: bool = False) -> list[Statement]:
        """What roles are allowed by policies; with `boundaries`, what they can be allowed at most instead."""
        types = {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role"}
        resources = [
            resource
            for name in ([stage] if stage else self.environments.stages)
            for resource in self.environments.resources(name)
            if resource.type in types and resource.logical_id.startswith("Boundary") == boundaries
        ]
        return [
            Statement(
                f"{resource.stack}: {resource.logical_id}",
                _list(one["Action"]),
                _list(one["Resource"]),
                one.get("Condition", {}),
            )
            for resource in resources
            for document in [
                resource.properties.get("PolicyDocument"),
                *(policy["PolicyDocument"] for policy in resource.properties.get("Policies", [])),
            ]
            if document
            for one in document["Statement"]
            if one["Effect"] == "Allow"
        ]

    def arn(self, stack: str, value: Any) -> str:
        """An ARN as it will be, but for the random part of names that CloudFormation gives."""
        return str(self.environments.resolved(stack, value))

    def definition(self, machine: Any) -> str:
        """The definition of a state machine, with its references as `arn` has them."""
        location = machine.properties["DefinitionS3Location"]
        text = (self.folder / f"asset.{location['Key']}").read_text()
        for name, value in machine.properties["DefinitionSubstitutions"].items():
            text = text.replace(f"${{{name}}}", self.arn(machine.stack, value))
        return text

    def acknowledged(self) -> set[tuple[str, str, str]]:
        """What is accepted with a reason, there or above: rule, stack, logical ID of the resource."""
        return {
            (rule.removeprefix("Annotation::"), stack, logical_id)
            for stack, metadata in self.metadata.items()
            for path, logical_id in _data(metadata, "aws:cdk:logicalId")
            for scope, rules in _data(metadata, "aws:cdk:acknowledged-rules")
            if f"{path}/".startswith(f"{scope}/")
            for rule in rules
        }


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _capital(action: str) -> str:
    return f"{action[:1].upper()}{action[1:]}"


def _flat(asked: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a task with those inside that say where something runs and how it is encrypted."""
    output = asked.get("ProcessingOutputConfig") or asked.get("TransformOutput")
    return {
        **asked,
        **asked.get("TrainingJobDefinition", {}),
        **asked.get("ProcessingResources", {}).get("ClusterConfig", {}),
        **asked.get("NetworkConfig", {}),
        **asked.get("TransformResources", {}),
        **({"OutputDataConfig": output} if output else {}),
    }


def _data(metadata: dict[str, list[dict[str, Any]]], type_: str) -> list[tuple[str, Any]]:
    """Each construct's path and what of one type is recorded there."""
    return [
        (path, entry["data"])
        for path, entries in metadata.items()
        for entry in entries
        if entry["type"] == type_
    ]


def read_assembly(folder: Path) -> Assembly:
    """The assembly that lies in `folder`, nested ones included."""
    assembly = Assembly(folder, {}, {}, {}, Environments(folder))
    for manifest in sorted(folder.glob("**/manifest.json")):
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                properties = artifact["properties"]
                stack = properties["stackName"]
                template = (manifest.parent / properties["templateFile"]).read_text()
                metadata = (manifest.parent / artifact["additionalMetadataFile"]).read_text()
                assembly.templates[stack] = json.loads(template)
                assembly.properties[stack] = properties | {"environment": artifact["environment"]}
                assembly.metadata[stack] = json.loads(metadata)
    return assembly


def findings(folder: Path) -> list[Finding]:
    """What rules found in the assembly in `folder` and nobody acknowledged."""
    report = json.loads((folder / "validation-report.json").read_text())
    return [
        Finding(violation["ruleName"], where["constructPath"], violation["description"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for where in violation["violatingConstructs"]
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker of `pytest -n … --dist loadgroup` run all tests here, so that it synthesizes once."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("infra"))


@pytest.fixture(scope="session")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped team files and a neighbour of the first in the same account."""
    folder = tmp_path_factory.mktemp("teams")
    for path in (PROJECT / "teams").glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "audio.yaml").write_text(NEIGHBOUR)
    return folder


@pytest.fixture(scope="session")
def checked(teams: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an assembly of all environments, with the report of cdk-nag and of CDK's own rules."""
    folder = tmp_path_factory.mktemp("cdk.out")
    app = new_app(
        outdir=str(folder),
        builtin_cloud_formation_validation=True,
        # A finding should fail the test that asks for findings, not every test that looks at a template.
        post_cli_context={"@aws-cdk/core:failSynthOnValidationErrors": False},
    )
    build(app, load_teams(teams, root=PROJECT))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
    app.synth()
    return folder


@pytest.fixture(scope="session")
def assembly(checked: Path) -> Assembly:
    """All environments."""
    return read_assembly(checked)


@pytest.fixture(scope="session")
def read() -> Callable[[Path], Assembly]:
    """Reads the assembly that lies in a folder."""
    return read_assembly


@pytest.fixture(scope="session")
def creations(assembly: Assembly) -> list[Creation]:
    """What all state machines create, a job once for each instance type that it may run on."""
    return [
        Creation(
            stage,
            machine.properties["RoleArn"],
            _capital(action),
            KINDS[action],
            {**_flat(asked), **resources},
        )
        for stage in assembly.environments.stages
        for machine in assembly.environments.resources(stage)
        if machine.type == "AWS::StepFunctions::StateMachine"
        for states in [json.loads(assembly.definition(machine))["States"]]
        for state in states.values()
        for action in [state.get("Resource", "").rpartition(":")[2].removesuffix(".sync")]
        if action in KINDS
        for asked in [state["Arguments"]]
        for attempt in states.get("Begin", {}).get("Assign", {}).get("attempts", [{}])
        for resources in [attempt.get("resources", {})]
    ]


@pytest.fixture(scope="session")
def found(checked: Path) -> list[Finding]:
    """What the rules found in them."""
    return findings(checked)


def _with_imports(template: Any) -> Any:
    """The template with imports for the outputs that it reads: CfnInclude does not know those yet."""

    def imported(value: dict[str, Any]) -> dict[str, Any]:
        read = value.get("Fn::GetStackOutput")
        return {"Fn::ImportValue": f"{read['StackName']}:{read['OutputName']}"} if read else value

    return json.loads(json.dumps(template), object_hook=imported)


@pytest.fixture
def found_in_plain_resources(assembly: Assembly, tmp_path: Path) -> list[Finding]:
    """What cdk-nag finds when it reads the templates, in which each resource has its class."""
    app = new_app(outdir=str(tmp_path), post_cli_context={"@aws-cdk/core:failSynthOnValidationErrors": False})
    synthesizer = cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    for stack, template in assembly.templates.items():
        if stack.startswith(("audio-dev-", "research-dev-")):
            path = tmp_path / f"{stack}.json"
            path.write_text(json.dumps(_with_imports(template)))
            CfnInclude(cdk.Stack(app, stack, synthesizer=synthesizer), "All", template_file=str(path))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
    app.synth()
    accepted = assembly.acknowledged()
    return [one for one in findings(tmp_path) if (one.rule, *one.path.split("/All/")) not in accepted]


def _includable(value: Any) -> Any:
    """A part of a template without what `CfnInclude` does not know: a reference to another stack's output."""
    match value:
        case {"Fn::GetStackOutput": output}:
            return str(output)
        case dict():
            return {key: _includable(one) for key, one in value.items()}
        case list():
            return [_includable(one) for one in value]
        case _:
            return value


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Runs app.py in a process of its own with this context, as in `synthesize(team="vision", env="dev")`.

    Gives the assembly's folder; raises RuntimeError with what the app printed when it fails.
    """

    def run(*, cwd: Path = PROJECT, environment: dict[str, str] | None = None, **context: str) -> Path:
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
        return folder

    return run


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    """Without this, jsii shouts about the age of Node on every start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
        yield
