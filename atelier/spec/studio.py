"""The parts of a team file about where people work: SageMaker Studio and notebook instances."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from atelier.spec.base import (
    CRON,
    IDENTITY_CENTER,
    IMAGE_TAG,
    PERSON,
    PERSONAL_EMAIL,
    PROJECT_FILE,
    REPOSITORY,
    IdleMinutes,
    InstanceType,
    Model,
    Name,
    ProfileName,
    RepositoryUrl,
    ScriptName,
    VolumeGb,
)

StudioApp = Literal["jupyterlab", "code_editor"]
Persona = Literal["data_scientist", "reviewer", "admin"]

Instances = Annotated[list[InstanceType], Field(min_length=1, max_length=40)]
Scripts = Annotated[list[ScriptName], Field(max_length=10)]
DomainRepositoryUrl = Annotated[str, Field(pattern=REPOSITORY.pattern, max_length=256)]
"""A domain takes shorter addresses than a notebook instance."""

SWITCHED_TOOLS = {"jumpstart": "JumpStart", "project_templates": "Projects"}
"""The tools that have a key of their own, which shows them where it is true."""


class Storage(Model):
    """The volume of a space, in gigabytes."""

    default: VolumeGb = 20
    """What a space gets when it asks for nothing else."""
    max: VolumeGb = 100
    """The most that a space may have."""


class Idle(Model):
    """How many minutes an app may be idle before it is stopped."""

    default: IdleMinutes = 120
    """What holds when a person sets nothing else."""
    min: IdleMinutes = 60
    """The least that a person may set."""
    max: IdleMinutes = 480
    """The most that a person may set."""


class _NoDefaults:
    """Shows editors no defaults of a part: what a person leaves out is as for the domain."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        part = handler.resolve_ref_schema(handler(core_schema))
        return part | {
            "properties": {
                key: {word: said for word, said in field.items() if word != "default"}
                for key, field in part["properties"].items()
            }
        }


class StudioLifecycle(Model):
    """The scripts of lifecycle_scripts/ that run when an app starts, in this order."""

    jupyterlab: Scripts = []
    """For JupyterLab."""
    code_editor: Scripts = []
    """For Code Editor."""


class StudioUser(Model):
    """A person in Studio; what is left out is as for the whole domain."""

    persona: Persona = "data_scientist"
    """What the person may do: train and deploy, approve models, or administer the team's environment."""
    instances: Instances | None = None
    """The sizes that the person may use, of those of the domain."""
    storage_gb: Annotated[Storage, _NoDefaults] | None = None
    """The bounds of the person's volumes."""
    idle_minutes: Annotated[Idle, _NoDefaults] | None = None
    """The bounds of the person's idle time."""
    sso_user: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """The user's name in IAM Identity Center; required with `sign_in: sso`."""
    git_name: Annotated[str, Field(pattern=PERSON.pattern, max_length=100)] | None = None
    """The author's name of the person's commits."""
    git_email: Annotated[str, Field(pattern=PERSONAL_EMAIL.pattern, max_length=254)] | None = None
    """The author's address of the person's commits."""


class Space(Model):
    """A workplace with a volume of its own, in which one app runs."""

    app: StudioApp = "jupyterlab"
    """What runs in it."""
    owner: ProfileName
    """The user to whom it belongs."""
    shared: bool = False
    """Whether all users of the domain may enter it, or its owner alone."""
    instance: InstanceType | None = None
    """Its size; the owner's first, when omitted."""
    storage_gb: VolumeGb | None = None
    """Its volume; the owner's default on the day when it is made, when omitted."""


class StudioImage(Model):
    """One of the team's own images, to choose in Studio."""

    image: Name
    """The name of one of the team's images (see `images`)."""
    tag: Annotated[str, Field(pattern=IMAGE_TAG.pattern, max_length=128, examples=[IMAGE_TAG.example])]
    """Which version; in quotes."""
    app: StudioApp = "jupyterlab"
    """The app in which it may be chosen."""


class Studio(Model):
    """A SageMaker Studio domain."""

    sign_in: Literal["iam", "sso"] = "iam"
    """How people come in: with their IAM role, or through IAM Identity Center; never changed afterwards."""
    identity_center: Annotated[str, Field(pattern=IDENTITY_CENTER.pattern)] | None = None
    """With `sso`: the ARN of the Identity Center instance, which is in the same region."""
    internet: Literal["vpc_only", "public"] = "vpc_only"
    """Whether apps reach the internet through the environment's network alone, or directly."""
    roles: Literal["domain", "user"] = "domain"
    """One execution role for all people, whose names CloudTrail shows, or one for each."""
    instances: Instances = ["ml.t3.medium", "ml.t3.large", "ml.m5.large", "ml.m5.2xlarge"]
    """The sizes that people may use; the first is the default."""
    storage_gb: Storage = Storage()
    """The bounds of a space's volume."""
    idle_minutes: Idle = Idle()
    """When idle apps are stopped."""
    sharing: bool = True
    """Whether notebooks may be shared, through the team's bucket."""
    repositories: Annotated[list[DomainRepositoryUrl], Field(max_length=10)] = []
    """Git repositories that everybody is offered to clone."""
    jumpstart: bool = False
    """Whether the catalogue of pretrained models is shown; models come by jobs' `jumpstart`."""
    project_templates: bool = False
    """Whether SageMaker projects are offered."""
    hidden_tools: Annotated[list[str], Field(max_length=50)] = []
    """Tools that Studio does not show, such as `AutoMl`."""
    docker: bool = False
    """Whether people may build and run containers."""
    lifecycle: StudioLifecycle = StudioLifecycle()
    """What runs when an app starts."""
    packages: Annotated[str, Field(pattern=PROJECT_FILE.pattern, max_length=256)] | None = None
    """The requirements file that the script install_packages installs."""
    users: Annotated[dict[ProfileName, StudioUser], Field(max_length=1000)] = {}
    """The people."""
    spaces: Annotated[dict[ProfileName, Space], Field(max_length=1000)] = {}
    """Workplaces that are there from the start; people make more by themselves."""
    images: Annotated[dict[Name, StudioImage], Field(max_length=200)] = {}
    """Images of the team's own, to choose in Studio."""


class Notebook(Model):
    """A notebook instance: without root access or direct internet access, encrypted, stopped when idle."""

    instance: InstanceType = "ml.t3.medium"
    """Its size."""
    volume_gb: VolumeGb = 50
    """Its volume."""
    lifecycle: Scripts = []
    """The scripts of lifecycle_scripts/ that run when it is created or started, in this order."""
    repository: RepositoryUrl | None = None
    """The Git repository that it opens with."""
    idle_minutes: IdleMinutes = 120
    """It is stopped when it is idle for so long."""
    stop_at: Annotated[str, Field(pattern=CRON.pattern, examples=[CRON.example])] | None = None
    """It is stopped at these times, idle or not: an EventBridge cron expression, in UTC."""
    owner: ProfileName | None = None
    """The Studio user who alone may open it; the whole team may, when omitted."""
