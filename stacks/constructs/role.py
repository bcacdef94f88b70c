"""Roles that AWS services assume."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.permission import ServiceRole
from stacks.permissions import Kind

KIND_OF_SERVICE: dict[str, Kind] = {
    "budgets.amazonaws.com": "budgets",
    "codebuild.amazonaws.com": "builds",
    "sagemaker.amazonaws.com": "jobs",
    "states.amazonaws.com": "workflows",
}
"""The kind of role of a service, if not `functions`."""


@runtime_checkable
class Confines(Protocol):
    """What holds roles to their boundary and guardrails: the access stack of a stage."""

    def confine(self, role: iam.Role, kind: Kind) -> None:
        """Hold the role to what its kind can be allowed."""


def service_role(
    scope: Construct,
    id_: str,
    *,
    service: str,
    description: str,
    kind: Kind | None = None,
) -> ServiceRole:
    """A role that `service` (such as `lambda.amazonaws.com`) assumes for this account's resources alone.

    It belongs into the stack that uses it. A role in the access stack that is granted something of the
    training stack would make each stack need the other first; with the role beside its user, references
    point one way: access <- data <- registry <- training <- serving.

    Its permissions boundary and guardrails are those of its `kind`: that of the service, or `workplaces`
    where people run code of their own, as in Studio.
    """
    account = cdk.Stack.of(scope).account
    principal = iam.ServicePrincipal(service, conditions={"StringEquals": {"aws:SourceAccount": account}})
    role = ServiceRole(scope, id_, assumed_by=principal, description=description)
    acknowledge_inline(role)
    confine(role, kind or KIND_OF_SERVICE.get(service, "functions"))
    return role


def acknowledge_inline(grantee: iam.Role | iam.Policy) -> None:
    """Say why its policies are no managed ones."""
    cdk.Validations.of(grantee).acknowledge(
        cdk.Acknowledgment(
            id="NIST.800.53.R5-IAMNoInlinePolicy",
            reason="what one role alone may do stands in it and goes with it; boundaries and guardrails,"
            " which many share, are managed policies",
        )
    )


def confine(role: iam.Role, kind: Kind) -> None:
    """Hold a role to the boundary and the guardrails of its kind, as the stage's access stack has them.

    Roles that CDK makes for its own functions get the boundary of functions, from the stage.
    """
    stage = cdk.Stage.of(role)
    access = stage.node.try_find_child("access") if stage else None
    if isinstance(access, Confines):
        access.confine(role, kind)
