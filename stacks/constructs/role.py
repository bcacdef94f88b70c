"""Roles that AWS services assume."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct


def service_role(
    scope: Construct, id_: str, *, service: str, description: str, name: str | None = None
) -> iam.Role:
    """A role that `service` (such as `lambda.amazonaws.com`) assumes for this account's resources alone.

    It belongs into the stack that uses it. A role in the access stack that is granted something of the
    training stack would make each stack need the other first; with the role beside its user, references
    point one way: access <- data <- registry <- training <- serving.

    The permissions boundary is not given here: the environment's stage puts it on every role (see
    `stacks.build`), those that CDK creates for its own functions included.
    CloudFormation names it, unless others have to know its `name` beforehand.
    """
    account = cdk.Stack.of(scope).account
    principal = iam.ServicePrincipal(service, conditions={"StringEquals": {"aws:SourceAccount": account}})
    return iam.Role(scope, id_, assumed_by=principal, description=description, role_name=name)
