"""The physical names that people and idempotency need, for the stacks and the command alike.

CloudFormation names everything else. All names start with team and environment, each at most 20 characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

BucketKind = Literal["data", "artifacts", "logs"]
StackKind = Literal[
    "network", "data", "access", "registry", "training", "serving", "cost", "studio", "notebooks", "people"
]


def stage(team: str, env: str) -> str:
    """The Stage of a team's environment, and the prefix of all its names."""
    return f"{team}-{env}"


def stack(team: str, env: str, kind: StackKind) -> str:
    """A CloudFormation stack, such as `vision-dev-training`."""
    return f"{team}-{env}-{kind}"


def bucket(team: str, env: str, kind: BucketKind, account: str, region: str) -> str:
    """A bucket, globally unique by account and region; the spec refuses names that make it exceed 63."""
    return f"{team}-{env}-{kind}-{account}-{region}"


def training_machine(team: str, env: str, job: str) -> str:
    """The state machine that trains `job`."""
    return f"{team}-{env}-train-{job}"


def deploy_machine(team: str, env: str, endpoint: str) -> str:
    """The state machine that deploys to `endpoint`."""
    return f"{team}-{env}-deploy-{endpoint}"


def endpoint(team: str, env: str, endpoint: str) -> str:
    """The SageMaker endpoint."""
    return f"{team}-{env}-{endpoint}"


def notebook(team: str, env: str, notebook: str) -> str:
    """The notebook instance."""
    return f"{team}-{env}-{notebook}"


def model_package_group(team: str, env: str, job: str) -> str:
    """The model package group that `job` registers into."""
    return f"{team}-{env}-{job}"


def function(team: str, env: str, verb_noun: str) -> str:
    """A Lambda function, named after its folder: `vision-dev-start-training`."""
    return f"{team}-{env}-{verb_noun.replace('_', '-')}"


def repository(team: str, env: str, image: str) -> str:
    """The ECR repository of one of the team's own images."""
    return f"{team}-{env}/{image}"


def image_build(team: str, env: str, image: str) -> str:
    """The CodeBuild project that builds one of the team's own images."""
    return f"{team}-{env}-build-{image}"


def key_alias(team: str, env: str) -> str:
    """The alias of the KMS key that encrypts everything in the environment."""
    return f"alias/{team}-{env}"


def flow_logs(team: str, env: str) -> str:
    """The log group that records the traffic of a created network."""
    return f"/aws/vpc/{team}-{env}-flow-logs"


def endpoint_record(team: str, env: str, endpoint: str) -> str:
    """The SSM parameter that says, as JSON, which model package and config the endpoint serves."""
    return f"/atelier/{team}/{env}/endpoints/{endpoint}"


def budget(team: str, env: str, alerts: Sequence[int]) -> str:
    """The budget of an environment, with the percentages at which it tells people: `vision-dev-50-80-100`.

    CloudFormation makes a new budget when its alerts change, beside the old one: it needs a name of its own.
    """
    return "-".join([team, env, *map(str, alerts)])


def idle_alarm(team: str, env: str, kind: str, name: str) -> str:
    """The alarm that tells that nobody uses an endpoint or notebook; its name is the subject of the mail."""
    return f"{team}-{env}-idle-{kind}-{name}"


def domain(team: str, env: str) -> str:
    """The Studio domain: `vision-dev`."""
    return f"{team}-{env}"


def lifecycle_config(team: str, env: str, app: str, digest: str) -> str:
    """What runs when an app of Studio starts: SageMaker changes none in place, so each has its own name."""
    return f"{team}-{env}-{app.replace('_', '-')}-{digest}"


def studio_image(team: str, env: str, image: str) -> str:
    """One of the team's own images, as SageMaker knows it, and how it starts."""
    return f"{team}-{env}-{image}"


def persona_role(team: str, env: str, persona: str, number: int = 1) -> str:
    """The role that people of a persona assume; the next number where a role cannot name them all."""
    return f"{team}-{env}-{persona.replace('_', '-')}{'' if number == 1 else f'-{number}'}"
