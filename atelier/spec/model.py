"""The schema of a team file: what a platform engineer may write, with types, bounds and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z](-?[a-z0-9])*$", max_length=20)]
"""The name of a team, environment, job or endpoint: short, since physical names join three of them."""

InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$")]
S3Prefix = Annotated[str, Field(pattern=r"^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*/$", max_length=512)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]
HyperParameter = str | int | float | bool


class Model(BaseModel):
    """What all parts of a team file share: unknown keys are errors, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Framework(Model):
    """A managed framework container: the training and inference images of this version are used."""

    name: Literal["sklearn", "pytorch", "tensorflow", "huggingface", "xgboost", "mxnet"]
    version: str | None = None
    """The newest version that AWS still patches, when omitted."""


class Gate(Model):
    """What a trained model must reach to be registered; exactly one bound."""

    metric: str
    at_most: float | None = None
    at_least: float | None = None


class Upload(Model):
    """Start a run when an object arrives in one of these channels, once every channel holds data."""

    upload: list[Name]


class Schedule(Model):
    """Start a run at these times: an EventBridge schedule expression, in UTC."""

    schedule: Annotated[str, Field(pattern=r"^(rate|cron)\(.+\)$")]


class Job(Model):
    """A training job: one state machine that trains, gates, registers."""

    script: str | None = None
    """The folder below training_scripts/ that holds train.py (and inference.py, requirements.txt)."""
    framework: Framework | None = None
    image: str | None = None
    """The name of one of the team's own images (see `images`), in place of a script and framework."""
    instances: Annotated[list[InstanceType], Field(min_length=1, max_length=5)] = ["ml.m5.large"]
    """In order of preference: the next is taken when capacity is missing."""
    instance_count: Annotated[int, Field(ge=1, le=100)] = 1
    volume_gb: Annotated[int, Field(ge=1, le=16384)] = 30
    max_runtime_minutes: Annotated[int, Field(ge=1, le=28 * 24 * 60)] = 24 * 60
    channels: Annotated[dict[str, S3Prefix], Field(min_length=1, max_length=20)] = {}
    """Channel name to prefix in the data bucket; `<job>/train/` and `<job>/validation/` when omitted."""
    hyperparameters: Annotated[dict[str, HyperParameter], Field(max_length=98)] = {}
    metrics: Annotated[dict[str, str], Field(max_length=40)] = {}
    """Metric name to the regular expression whose first group holds its value in the training log."""
    gate: Gate | None = None
    triggers: list[Upload | Schedule] = []
    """An upload to any channel, when omitted."""


class Sample(Model):
    """A request that a newly deployed endpoint must answer with 200."""

    content_type: str = "application/json"
    body: str


class Scaling(Model):
    """Target tracking on invocations per instance."""

    min_instances: Annotated[int, Field(ge=1, le=100)] = 1
    max_instances: Annotated[int, Field(ge=1, le=100)]
    invocations_per_instance: Annotated[int, Field(ge=1)] = 1000


class Endpoint(Model):
    """A real-time endpoint that serves the newest approved model of a job."""

    job: Name
    instance: InstanceType = "ml.m5.large"
    instance_count: Annotated[int, Field(ge=1, le=100)] = 1
    sample: Sample | None = None
    scaling: Scaling | None = None


class Image(Model):
    """An image of the team's own: gets an ECR repository."""

    keep: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many of the newest images stay."""


class Environment(Model):
    """Where one copy of the team's resources lives, and what differs there."""

    account: Annotated[str, Field(pattern=r"^\d{12}$")]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    retain: bool = False
    """Keep buckets, keys and repositories when the environment is removed."""
    approval: Literal["automatic", "manual"] = "automatic"
    """Whether a model that passed its gate is deployed at once or waits for a person's approval."""
    notify: list[Email] | None = None
    """Who is told of finished and failed runs; the owners when omitted."""
    override: dict[str, object] = {}
    """Any part of the file (jobs, endpoints, images …), merged over it for this environment alone."""


class TeamFile(Model):
    """A whole team file."""

    team: Name
    owners: Annotated[list[Email], Field(min_length=1, max_length=10)]
    cost_centre: Annotated[str, Field(max_length=64)] | None = None
    environments: Annotated[dict[Name, Environment], Field(min_length=1, max_length=20)]
    images: dict[Name, Image] = {}
    jobs: dict[Name, Job] = {}
    endpoints: dict[Name, Endpoint] = {}


class TeamEnvironment(Model):
    """One team in one environment, overrides merged and defaults filled in: what a Stage is built from."""

    team: Name
    name: Name
    owners: list[Email]
    cost_centre: str | None
    account: str
    region: str
    retain: bool
    approval: Literal["automatic", "manual"]
    notify: list[Email]
    images: dict[Name, Image]
    jobs: dict[Name, Job]
    endpoints: dict[Name, Endpoint]
