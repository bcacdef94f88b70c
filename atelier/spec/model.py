"""The schema of a team file: what a platform engineer may write, with types, bounds and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError


@dataclass(frozen=True)
class Form:
    """A form that a text must have: its regular expression, and the same for people."""

    pattern: str
    says: str
    example: str


NAME = Form(
    r"^[a-z](-?[a-z0-9])*$",
    "must be lower-case letters, digits and single hyphens, beginning with a letter",
    "curve-2",
)
STAGE_NAME = Form(
    r"^[a-z][a-z0-9]*$",
    "must be lower-case letters and digits without hyphens, beginning with a letter",
    "vision",
)
CHANNEL = Form(r"^[A-Za-z0-9._-]+$", "must be letters, digits, dots, hyphens and underscores", "train")
INSTANCE_TYPE = Form(
    r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$", "must be a SageMaker instance type: ml.<family>.<size>", "ml.m5.large"
)
PREFIX = Form(
    r"^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*/$",
    "must be a prefix of the data bucket: folders, each followed by a slash and none preceded by one",
    "curve/train/",
)
EMAIL = Form(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "must be an e-mail address", "you@example.com")
SCHEDULE = Form(
    r"^(rate|cron)\(.+\)$", "must be an EventBridge schedule, rate(…) or cron(…)", "cron(0 6 * * ? *)"
)
ACCOUNT = Form(r"^\d{12}$", "must be an AWS account: 12 digits in quotes", "111122223333")
CONTENT_TYPE = Form(r"^[\x21-\x7e]+/[\x20-\x7e]+$", "must be a media type", "text/csv")
COST_CENTRE = Form(
    r"^[A-Za-z0-9 _.:/=+@-]+$", "must be letters, digits, spaces and _ . : / = + @ -, as in a tag", "4711"
)
REGION = Form(r"^[a-z]{2}(-[a-z]+)+-\d$", "must be an AWS region", "eu-west-1")

FORMS = {
    form.pattern: form
    for form in (
        NAME,
        STAGE_NAME,
        CHANNEL,
        INSTANCE_TYPE,
        PREFIX,
        EMAIL,
        SCHEDULE,
        ACCOUNT,
        REGION,
        CONTENT_TYPE,
        COST_CENTRE,
    )
}


def _scalar(value: Any) -> Any:
    if not isinstance(value, (str, int, float)) or (isinstance(value, float) and not isfinite(value)):
        raise PydanticCustomError("scalar", "must be text, a finite number, true or false")
    return value


def _account(value: str) -> str:
    if not value.strip("0"):
        raise PydanticCustomError("account", "is a placeholder, and no AWS account")
    return value


Name = Annotated[str, Field(pattern=NAME.pattern, max_length=20, examples=[NAME.example])]
"""The name of a job, endpoint or image: short, since physical names join it to two others."""

StageName = Annotated[str, Field(pattern=STAGE_NAME.pattern, max_length=20, examples=[STAGE_NAME.example])]
"""The name of a team or environment.

Without hyphens, since policies name a team's resources by how they begin, such as `vision-dev-`: what a team
named `vision-dev` owns would begin so too.
"""

ChannelName = Annotated[str, Field(pattern=CHANNEL.pattern, max_length=64)]
InstanceType = Annotated[str, Field(pattern=INSTANCE_TYPE.pattern)]
S3Prefix = Annotated[str, Field(pattern=PREFIX.pattern, max_length=512)]
Email = Annotated[str, Field(pattern=EMAIL.pattern, max_length=254)]
HyperParameter = Annotated[str | int | float | bool, BeforeValidator(_scalar)]


class Model(BaseModel):
    """What all parts of a team file share: unknown keys are errors, nothing changes after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Framework(Model):
    """A managed framework container: the training and inference images of this version are used.

    The name alone, `framework: sklearn`, is short for `{name: sklearn}`.
    """

    name: Literal["sklearn", "pytorch", "tensorflow", "huggingface", "xgboost", "mxnet"] = Field(
        examples=["sklearn"]
    )
    """Which framework."""
    version: str | None = None
    """The newest version that AWS still patches, when omitted. In quotes: 2.10 is the number 2.1."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The mapping, or the name alone."""
        mapping = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [mapping, mapping["properties"]["name"]]}


class Gate(Model):
    """What a trained model must reach to be registered; exactly one bound."""

    metric: str = Field(examples=["validation:rmse"])
    """The name of one of the job's metrics."""
    at_most: float | None = None
    """The metric must be this or less."""
    at_least: float | None = None
    """The metric must be this or more."""


class Upload(Model):
    """Start a run when an object arrives in one of these channels, once every channel holds data."""

    upload: Annotated[list[ChannelName], Field(min_length=1, examples=[["train"]])]
    """Channels of the job."""


class Schedule(Model):
    """Start a run at these times: an EventBridge schedule expression, in UTC."""

    schedule: Annotated[str, Field(pattern=SCHEDULE.pattern, examples=[SCHEDULE.example])]
    """Such as `rate(1 day)` or `cron(0 6 * * ? *)`."""


KINDS = {"upload": "Upload", "schedule": "Schedule"}


def _kind_of_trigger(value: Any) -> str | None:
    if isinstance(value, Upload | Schedule):
        return type(value).__name__
    # With both or neither, the error should say so rather than come twice.
    kinds = [kind for key, kind in KINDS.items() if isinstance(value, dict) and key in value]
    return kinds[0] if len(kinds) == 1 else None


Trigger = Annotated[
    Annotated[Upload, Tag(KINDS["upload"])] | Annotated[Schedule, Tag(KINDS["schedule"])],
    Discriminator(
        _kind_of_trigger,
        custom_error_type="trigger",
        custom_error_message="must be a mapping with one key, upload or schedule",
    ),
]


class Job(Model):
    """A training job: one state machine that trains, gates, registers."""

    script: str | None = None
    """The folder below training_scripts/ that holds train.py (and inference.py, requirements.txt)."""
    framework: Framework | None = None
    """The managed framework that runs the script."""
    image: str | None = None
    """The name of one of the team's own images (see `images`), in place of a script and framework."""
    instances: Annotated[list[InstanceType], Field(min_length=1, max_length=5)] = ["ml.m5.large"]
    """In order of preference: the next is taken when capacity is missing."""
    instance_count: Annotated[int, Field(ge=1, le=100)] = 1
    """How many instances one run uses."""
    volume_gb: Annotated[int, Field(ge=1, le=16384)] = 30
    """The storage of each instance, for data, checkpoints and model."""
    max_runtime_minutes: Annotated[int, Field(ge=1, le=28 * 24 * 60)] = 24 * 60
    """A run that takes longer is stopped; at most 28 days."""
    channels: Annotated[dict[ChannelName, S3Prefix], Field(min_length=1, max_length=20)] = {}
    """Channel name to prefix in the data bucket; `<job>/train/` and `<job>/validation/` when omitted."""
    hyperparameters: dict[str, HyperParameter] = {}
    """What train.py gets as arguments; `atelier train --hyperparameter` changes them for one run."""
    metrics: Annotated[dict[str, str], Field(max_length=40)] = {}
    """Metric name to the regular expression whose first group holds its value in the training log."""
    gate: Gate | None = None
    """Which metric decides whether a trained model is registered; every model is, when omitted."""
    triggers: Annotated[list[Trigger], Field(max_length=10)] = []
    """What starts a run: an upload to any channel, when omitted; nothing but a person, when empty."""


class Sample(Model):
    """A request that a newly deployed endpoint must answer with 200."""

    content_type: Annotated[str, Field(pattern=CONTENT_TYPE.pattern, max_length=256)] = "application/json"
    """The format of the body."""
    body: Annotated[str, Field(max_length=1024, examples=["[[1, 2, 3]]"])]
    """The request; it travels in the deployment's definition, so it is short."""


class Scaling(Model):
    """Target tracking on invocations per instance."""

    min_instances: Annotated[int, Field(ge=1, le=100)] = 1
    """Never fewer than this."""
    max_instances: Annotated[int, Field(ge=1, le=100, examples=[4])]
    """Never more than this."""
    invocations_per_instance: Annotated[int, Field(ge=1)] = 1000
    """The load that scaling aims at, in requests a minute."""


class Endpoint(Model):
    """A real-time endpoint that serves the newest approved model of a job."""

    job: Name
    """The job whose newest approved model is served."""
    instance: InstanceType = "ml.m5.large"
    """The type of its instances."""
    instance_count: Annotated[int, Field(ge=1, le=100)] = 1
    """How many instances a first deployment starts; scaling changes it from then on."""
    sample: Sample | None = None
    """The request of the smoke test; a new model that cannot answer it is rolled back."""
    scaling: Scaling | None = None
    """Without it the number of instances stays."""


class Image(Model):
    """An image of the team's own: gets an ECR repository."""

    keep: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many of the newest images stay."""


class Environment(Model):
    """Where one copy of the team's resources lives, and what differs there."""

    account: Annotated[
        str, Field(pattern=ACCOUNT.pattern, examples=[ACCOUNT.example]), AfterValidator(_account)
    ]
    """The AWS account, 12 digits in quotes."""
    region: Annotated[str, Field(pattern=REGION.pattern, examples=[REGION.example])]
    """The AWS region."""
    retain: bool = False
    """Keep buckets, keys and repositories when the environment is removed."""
    approval: Literal["automatic", "manual"] = "automatic"
    """Whether a model that passed its gate is deployed at once or waits for a person's approval."""
    notify: Annotated[list[Email], Field(max_length=10)] | None = None
    """Who is told of finished and failed runs; the owners when omitted."""
    override: dict[str, object] = {}
    """Any part of the file (jobs, endpoints, images …), merged over it for this environment alone.

    A JSON Merge Patch (RFC 7396): mappings merge, everything else is replaced, null removes.
    """


class TeamFile(Model):
    """A whole team file."""

    team: Annotated[StageName, Field(examples=["vision"])]
    """The team's name, and the name of its file: teams/<team>.yaml."""
    owners: Annotated[list[Email], Field(min_length=1, max_length=10, examples=[[EMAIL.example]])]
    """Who answers for the team; they hear of finished and failed runs."""
    cost_centre: Annotated[str, Field(pattern=COST_CENTRE.pattern, max_length=64)] | None = None
    """A tag on everything, for the bill."""
    environments: Annotated[
        dict[StageName, Environment],
        Field(
            min_length=1,
            max_length=20,
            examples=[{"dev": {"account": ACCOUNT.example, "region": REGION.example}}],
        ),
    ]
    """The copies of the team's resources, such as dev and prod."""
    images: dict[Name, Image] = {}
    """The team's own images."""
    jobs: dict[Name, Job] = {}
    """What the team trains."""
    endpoints: dict[Name, Endpoint] = {}
    """What the team serves."""


class TeamEnvironment(Model):
    """One team in one environment, overrides merged and defaults filled in: what a Stage is built from."""

    team: StageName
    name: StageName
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


class Team(Model):
    """A loaded team file: its environments, and what is allowed but worth a word."""

    name: StageName
    environments: dict[StageName, TeamEnvironment]
    warnings: list[str] = []
