"""What a role may do, one sentence at a time, each wildcard with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One statement that allows `actions` on `resources`.

    Raises:
        ValueError: something in it holds a `*` and `because` does not say why.
    """

    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    because: str = ""
    """Why it cannot name each action and resource in full."""

    def __post_init__(self) -> None:
        if self.wildcards and not self.because:
            raise ValueError(
                f"permission {self.sid}: {', '.join(self.wildcards)}: say in `because` why,"
                " or name each action and resource"
            )

    @property
    def wildcards(self) -> list[str]:
        """What holds a wildcard, in the words of cdk-nag: `Action::…`, `Resource::…`."""
        found = [f"Action::{action}" for action in self.actions if "*" in action]
        return found + [f"Resource::{resource}" for resource in self.resources if "*" in resource]

    @property
    def statement(self) -> iam.PolicyStatement:
        """The permission for CDK."""
        return iam.PolicyStatement(
            sid=self.sid,
            actions=list(self.actions),
            resources=list(self.resources),
            conditions=dict(self.conditions),
        )


def allow(grantee: iam.Role | iam.Policy | iam.ManagedPolicy, *permissions: Permission) -> None:
    """Add the permissions to the grantee's policy, and their reasons to its record for cdk-nag."""
    statements = [permission.statement for permission in permissions]
    if isinstance(grantee, iam.Role):
        for statement in statements:
            grantee.add_to_policy(statement)
    else:
        grantee.add_statements(*statements)
    reasons = {text: permission.because for permission in permissions for text in permission.wildcards}
    if reasons:
        cdk.Validations.of(grantee).acknowledge(
            *(
                cdk.Acknowledgment(id=f"AwsSolutions-IAM5[{text}]", reason=reason)
                for text, reason in reasons.items()
            )
        )
