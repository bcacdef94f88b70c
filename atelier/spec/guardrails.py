"""The parts of a team file about limits: what people and jobs may do, and what it may cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from atelier.spec.base import InstancePattern, Model

InstancePatterns = Annotated[list[InstancePattern], Field(min_length=1, max_length=40)]
AlertPercentage = Annotated[int, Field(ge=1, le=1000)]


class Guardrails(Model):
    """What IAM refuses to everybody in the environment, administrators of the team included."""

    training_instances: InstancePatterns | None = None
    """Types (`ml.m5.large`) or families (`ml.g5.*`) that jobs may use; any, when omitted."""
    endpoint_instances: InstancePatterns | None = None
    """Types or families that endpoints may use; any, when omitted."""
    studio_instances: InstancePatterns | None = None
    """Types or families that Studio may use; any, when omitted."""
    notebook_instances: InstancePatterns | None = None
    """Types or families that notebook instances may use; any, when omitted."""
    max_runtime_minutes: Annotated[int, Field(ge=1, le=28 * 24 * 60)] | None = None
    """No job may ask for more; SageMaker's 28 days, when omitted."""
    network_isolation: bool = False
    """Whether the containers of jobs and models must run without any network."""
    require_vpc: bool | None = None
    """Whether jobs and models must run in the environment's network; so where it has one, when omitted."""


class Budget(Model):
    """What an environment may cost a month."""

    monthly_usd: Annotated[int, Field(ge=1, le=10_000_000, examples=[2000])]
    """The limit, in US dollars."""
    alerts: Annotated[list[AlertPercentage], Field(max_length=5)] = [50, 80, 100]
    """The percentages of the limit at which those to notify are told; ascending."""
    stop_at_limit: bool = False
    """Deny new jobs, endpoints, apps and notebooks at 100 percent, until a person lifts it."""


class Unused(Model):
    """What becomes of endpoints and notebook instances that nobody uses."""

    report_after_hours: Annotated[int, Field(ge=1, le=14 * 24)] = 24
    """Those to notify are told of what nobody has used for so long."""
    stop: bool = False
    """Stop it then: a notebook instance keeps its volume; an endpoint is deleted, and its model kept."""
