"""What all parts of a team file's schema are made of: the forms that texts must have, and named types."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

FORMS: dict[str, Form] = {}
"""Every form by its regular expression, which is what pydantic names when a text does not match."""


@dataclass(frozen=True)
class Form:
    """A form that a text must have: its regular expression, and the same for people."""

    pattern: str
    says: str
    example: str

    def __post_init__(self) -> None:
        FORMS[self.pattern] = self


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
PROFILE_NAME = Form(
    r"^[A-Za-z0-9](-*[A-Za-z0-9])*$",
    "must be letters, digits and hyphens, beginning and ending with a letter or digit",
    "jane-doe",
)
CHANNEL = Form(r"^[A-Za-z0-9._-]+$", "must be letters, digits, dots, hyphens and underscores", "train")
INSTANCE_TYPE = Form(
    r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$", "must be a SageMaker instance type: ml.<family>.<size>", "ml.m5.large"
)
INSTANCE_PATTERN = Form(
    r"^ml\.[a-z0-9-]+\.([a-z0-9-]+|\*)$",
    "must be a SageMaker instance type, or a family: ml.<family>.<size> or ml.<family>.*",
    "ml.m5.*",
)
PREFIX = Form(
    r"^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*/$",
    "must be a prefix of the data bucket: folders, each followed by a slash and none preceded by one",
    "curve/train/",
)
EMAIL = Form(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "must be an e-mail address", "you@example.com")
PERSONAL_EMAIL = Form(
    r"^[^@\s|]+@[^@\s|]+\.[^@\s|]+$", "must be an e-mail address, without a vertical bar", "jane@example.com"
)
SCHEDULE = Form(
    r"^(rate|cron)\(.+\)$", "must be an EventBridge schedule, rate(…) or cron(…)", "cron(0 6 * * ? *)"
)
CRON = Form(r"^cron\(.+\)$", "must be an EventBridge cron expression, in UTC", "cron(0 19 * * ? *)")
ACCOUNT = Form(r"^[0-9]{12}$", "must be an AWS account: 12 digits in quotes", "111122223333")
CONTENT_TYPE = Form(r"^[\x21-\x7e]+/[\x20-\x7e]+$", "must be a media type", "text/csv")
COST_CENTRE = Form(
    r"^[A-Za-z0-9 _.:/=+@-]+$", "must be letters, digits, spaces and _ . : / = + @ -, as in a tag", "4711"
)
REGION = Form(r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$", "must be an AWS region", "eu-west-1")
CIDR = Form(r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$", "must be an IPv4 range", "10.0.0.0/16")
VPC = Form(r"^vpc-[0-9a-f]{8,17}$", "must be the id of a VPC", "vpc-0a1b2c3d4e5f67890")
SUBNET = Form(r"^subnet-[0-9a-f]{8,17}$", "must be the id of a subnet", "subnet-0a1b2c3d4e5f67890")
SECURITY_GROUP = Form(r"^sg-[0-9a-f]{8,17}$", "must be the id of a security group", "sg-0a1b2c3d4e5f67890")
DOMAIN_NAME = Form(
    r"^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$",
    "must be a domain name in lower case, of which the first label may be *",
    "*.pypi.org",
)
IDENTITY_CENTER = Form(
    r"^arn:[a-z-]+:sso:::instance/ssoins-[A-Za-z0-9.-]{16}$",
    "must be the ARN of an IAM Identity Center instance",
    "arn:aws:sso:::instance/ssoins-0123456789abcdef",
)
REPOSITORY = Form(
    r"^https://[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)+/?$",
    "must be the https:// address of a Git repository, without user or password",
    "https://github.com/example/notebooks.git",
)
IMAGE_TAG = Form(
    r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", "must be a tag of an image: letters, digits, and _ . -", "1.4.0"
)
IMAGE_DIGEST = Form(
    r"^sha256:[0-9a-f]{64}$",
    "must be the digest of an image: sha256: and 64 hexadecimal digits",
    "sha256:0a1b…",
)
IMAGE_URI = Form(
    r"^[A-Za-z0-9.-]+(:\d+)?/[a-z0-9._/-]+(:[A-Za-z0-9_.-]+|@sha256:[0-9a-f]{64})$",
    "must be the address of an image with its tag or digest",
    "763104351884.dkr.ecr.eu-west-1.amazonaws.com/djl-inference:0.34.0-lmi16.0.0-cu128",
)
S3_URL = Form(
    r"^s3://[a-z0-9.{}-]+/[^\s?*]+$",
    "must be an S3 URL; {region} stands for the environment's region",
    "s3://jumpstart-cache-prod-{region}/model.tar.gz",
)
HUB_VERSION = Form(
    r"^\d+\.\d+\.\d+$", "must be one version of the hub's entry: three numbers and dots", "2.2.4"
)
HUB_MODEL = Form(
    r"^[a-z0-9](-?[a-z0-9])*$",
    "must be a model's id: small letters, digits and single hyphens",
    "huggingface-text2text-flan-t5-base",
)
VARIABLE = Form(
    r"^[A-Za-z_][A-Za-z0-9_]*$",
    "must be the name of an environment variable: letters, digits and underscores, beginning with no digit",
    "HF_MODEL_ID",
)
FILE_NAME = Form(r"^[A-Za-z0-9!_.*'()-]+$", "must be the name of a file, without folders", "_SUCCESS")
PROGRAM = Form(
    r"^[A-Za-z0-9_-]+\.py$", "must be the name of a Python file in the script's folder", "prepare.py"
)
SCRIPT_NAME = Form(
    r"^[a-z0-9]+([_-][a-z0-9]+)*$",
    "must be the name of a lifecycle script without its .sh",
    "git_identity",
)
PERSON = Form(
    r"^[^|\x00-\x1f\x7f]+$", "must be a person's name: no vertical bar, no control characters", "Jane Doe"
)
PROJECT_FILE = Form(
    r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$",
    "must be a file of this project, as seen from its folder",
    "teams/research-packages.txt",
)


def _scalar(value: Any) -> Any:
    if not isinstance(value, (str, int, float)) or (isinstance(value, float) and not isfinite(value)):
        raise PydanticCustomError("scalar", "must be text, a finite number, true or false")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise PydanticCustomError("number", "must be a finite number")
    return value


Name = Annotated[str, Field(pattern=NAME.pattern, max_length=20, examples=[NAME.example])]
"""The name of a job, endpoint, image or notebook: short, since physical names join it to two others."""

StageName = Annotated[str, Field(pattern=STAGE_NAME.pattern, max_length=20, examples=[STAGE_NAME.example])]
"""The name of a team or environment.

Without hyphens, since policies name a team's resources by how they begin, such as `vision-dev-`: what a team
named `vision-dev` owns would begin so too.
"""

ProfileName = Annotated[str, Field(pattern=PROFILE_NAME.pattern, max_length=63)]
"""The name of a user or a space, which SageMaker takes as it is."""

ChannelName = Annotated[str, Field(pattern=CHANNEL.pattern, max_length=64)]
InstanceType = Annotated[str, Field(pattern=INSTANCE_TYPE.pattern)]
InstancePattern = Annotated[str, Field(pattern=INSTANCE_PATTERN.pattern)]
S3Prefix = Annotated[str, Field(pattern=PREFIX.pattern, max_length=512)]
Email = Annotated[str, Field(pattern=EMAIL.pattern, max_length=254)]


def _account(value: str) -> str:
    if not value.strip("0"):
        raise PydanticCustomError("account", "is a placeholder, and no AWS account")
    return value


ExperimentName = Annotated[str, Field(pattern=PROFILE_NAME.pattern, max_length=60)]
Account = Annotated[str, Field(pattern=ACCOUNT.pattern, examples=[ACCOUNT.example]), AfterValidator(_account)]
RepositoryUrl = Annotated[str, Field(pattern=REPOSITORY.pattern, max_length=1024)]
ScriptName = Annotated[str, Field(pattern=SCRIPT_NAME.pattern, max_length=40)]
IdleMinutes = Annotated[int, Field(ge=60, le=365 * 24 * 60)]
"""How long something is idle before it is stopped; SageMaker's bounds."""
VolumeGb = Annotated[int, Field(ge=5, le=16384)]
"""The storage of a space or notebook instance; SageMaker's bounds."""

Number = Annotated[int | float, BeforeValidator(_number)]
HyperParameter = Annotated[str | int | float | bool, BeforeValidator(_scalar)]


class Model(BaseModel):
    """What all parts of a team file share: unknown keys are errors, nothing changes after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Short(Model):
    """A mapping of which one key may stand alone: `framework: sklearn` is short for `{name: sklearn}`."""

    short: ClassVar[str] = "name"
    """That key."""

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: Any) -> Any:
        return {cls.short: value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The mapping, or that key alone."""
        mapping = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [mapping, mapping["properties"][cls.short]]}
