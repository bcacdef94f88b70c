"""The schema of a team file: what a platform engineer may write, with types, bounds and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from atelier.spec.base import (
    ACCOUNT,
    CONTENT_TYPE,
    COST_CENTRE,
    EMAIL,
    REGION,
    Account,
    Email,
    InstanceType,
    Model,
    Name,
    StageName,
)
from atelier.spec.guardrails import Budget, Guardrails, Unused
from atelier.spec.jobs import Job
from atelier.spec.network import Network
from atelier.spec.studio import Notebook, Studio

OWN_VARIANT = "AllTraffic"
"""The production variant that serves the model of the endpoint's own job."""


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


class Variant(Model):
    """A further production variant of an endpoint: another job's model, with a share of the requests."""

    job: Name
    """The job whose newest approved model it serves."""
    weight: Annotated[float, Field(ge=0, le=1000)] = 1
    """Its share of the requests, in proportion to all weights; with 0 only those that name it."""
    instance: InstanceType | None = None
    """The type of its one instance; the endpoint's, when omitted."""


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
    weight: Annotated[float, Field(gt=0, le=1000)] = 1
    """The share of the requests that the job's own model gets beside `variants`."""
    variants: Annotated[dict[Name, Variant], Field(max_length=9)] = {}
    """Further models to compare with the job's (A/B test); each joins once its job has an approved model."""

    @property
    def served(self) -> dict[str, str]:
        """The job of each production variant, the endpoint's own first."""
        return {OWN_VARIANT: self.job, **{name: variant.job for name, variant in self.variants.items()}}

    @property
    def instances(self) -> dict[str, str]:
        """The instance type of each production variant."""
        further = {name: variant.instance or self.instance for name, variant in self.variants.items()}
        return {OWN_VARIANT: self.instance, **further}


class Image(Model):
    """An image of the team's own: gets an ECR repository."""

    keep: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many of the newest images stay."""
    pull_from_accounts: Annotated[list[Account], Field(max_length=50)] = []
    """Other AWS accounts that may pull it."""


class Environment(Model):
    """Where one copy of the team's resources lives, and what differs there."""

    account: Account
    """The AWS account, 12 digits in quotes."""
    region: Annotated[str, Field(pattern=REGION.pattern, examples=[REGION.example])]
    """The AWS region."""
    retain: bool | None = None
    """Keep buckets, keys and repositories when the environment is removed; so in `prod`, when omitted."""
    termination_protection: bool | None = None
    """Refuse to delete the stacks; as `retain`, when omitted."""
    approval: Literal["automatic", "manual"] = "automatic"
    """Whether a model that passed its gate is deployed at once or waits for a person's approval."""
    notify: Annotated[list[Email], Field(max_length=10)] | None = None
    """Who is told of finished and failed runs; the owners when omitted."""
    network: Network = Network()
    """The VPC that everything runs in; AWS's own network, when omitted."""
    budget: Budget | None = None
    """What it may cost a month; no limit, when omitted."""
    unused: Unused = Unused()
    """When people are told of what nobody uses, and whether it is stopped."""
    override: dict[str, object] = {}
    """Any part of the file (jobs, endpoints, studio …), merged over it for this environment alone.

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
    studio: Studio | None = None
    """The team's Studio domain; none, when omitted."""
    notebooks: dict[Name, Notebook] = {}
    """The team's notebook instances."""
    guardrails: Guardrails = Guardrails()
    """What is refused whoever asks."""


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
    other_accounts: list[str] = []
    """The accounts of the team's other environments, this one's own left out; sorted."""
    termination_protection: bool = False
    network: Network = Network()
    budget: Budget | None = None
    unused: Unused = Unused()
    studio: Studio | None = None
    """Its users' instances, storage and idle minutes and its spaces' sizes are filled in."""
    notebooks: dict[Name, Notebook] = {}
    guardrails: Guardrails = Guardrails(require_vpc=False)
    """`require_vpc` is filled in."""


class Team(Model):
    """A loaded team file: its environments, and what is allowed but worth a word."""

    name: StageName
    environments: dict[StageName, TeamEnvironment]
    warnings: list[str] = []
