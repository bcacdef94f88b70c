"""What a role may do, one sentence at a time, each wildcard with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.limits import TooLarge

POLICY_LIMIT = 6144
"""The characters of a managed policy, spaces left out."""
POLICIES_LIMIT = 10
"""How many managed policies a role takes."""
_ENVELOPE = len('{"Version":"2012-10-17","Statement":[]}')
_REFERRED = 160
"""The characters that a reference is taken to have once it is deployed: more than any ARN of ours."""
_REFERENCE = "${Token["
"""What a text with a reference holds: Token.is_unresolved would ask CDK's process, ten thousand times."""


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One statement that allows `actions` on `resources`, or denies them.

    Raises:
        ValueError: something in it holds a `*` and `because` does not say why.
    """

    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    because: str = ""
    """Why it cannot name each action and resource in full."""
    effect: Literal["Allow", "Deny"] = "Allow"

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
    def statement(self) -> dict[str, Any]:
        """The permission as it stands in a policy; may hold tokens."""
        return {
            "Sid": self.sid,
            "Effect": self.effect,
            "Action": _one_or_all(self.actions),
            "Resource": _one_or_all(self.resources),
            **({"Condition": dict(self.conditions)} if self.conditions else {}),
        }

    @property
    def size(self) -> int:
        """How many characters it takes in a policy, the comma that follows included."""
        return len(json.dumps(_sized(self.statement), separators=(",", ":"))) + 1


class ServiceRole(iam.Role):
    """A role that a service assumes, with what it may do as a part of itself.

    CDK would make that another resource, for which whatever uses the role would have to wait: IAM takes as
    long for it as for the role.
    """

    def __init__(
        self, scope: Construct, id_: str, *, assumed_by: iam.IPrincipal, description: str | None = None
    ) -> None:
        super().__init__(scope, id_, assumed_by=assumed_by, description=description)
        self._statements: list[dict[str, Any]] = []

    def add_statements(self, statements: Iterable[dict[str, Any]]) -> None:
        """Allow or deny more."""
        self._statements += statements
        resource = self.node.default_child
        assert isinstance(resource, iam.CfnRole)  # noqa: S101 -- narrows jsii's type
        document = {"Version": "2012-10-17", "Statement": self._statements}
        resource.policies = [iam.CfnRole.PolicyProperty(policy_name="Own", policy_document=document)]


def run_as(role_arn: str) -> Permission:
    """Pass on the role that jobs and endpoints run as, to SageMaker alone."""
    return Permission(
        sid="RunAsExecutionRole",
        actions=["iam:PassRole"],
        resources=[role_arn],
        conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )


def allow(grantee: ServiceRole | iam.Policy, *permissions: Permission) -> None:
    """Add the permissions to the grantee's policy, and their reasons to its record for cdk-nag."""
    statements = [permission.statement for permission in permissions]
    if isinstance(grantee, ServiceRole):
        grantee.add_statements(statements)
    else:
        grantee.add_statements(*map(iam.PolicyStatement.from_json, statements))
    _acknowledge(grantee, permissions)


def managed_policy(
    scope: Construct,
    id_: str,
    permissions: Sequence[Permission],
    *,
    description: str | None = None,
    roles: Sequence[iam.Role] = (),
) -> iam.ManagedPolicy:
    """A managed policy of these permissions, with their reasons on its record for cdk-nag."""
    # The whole document at once: each statement by itself is two calls of CDK's process, of hundreds.
    statements = [permission.statement for permission in permissions]
    document = iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements})
    policy = iam.ManagedPolicy(scope, id_, description=description, document=document, roles=list(roles))
    _acknowledge(policy, permissions)
    return policy


def _acknowledge(
    grantee: iam.Role | iam.Policy | iam.ManagedPolicy, permissions: Iterable[Permission]
) -> None:
    reasons = {
        text: permission.because
        for permission in permissions
        if permission.effect == "Allow"
        for text in permission.wildcards
    }
    if reasons:
        cdk.Validations.of(grantee).acknowledge(
            *(
                cdk.Acknowledgment(id=f"AwsSolutions-IAM5[{_as_cdk_nag_says(grantee, text)}]", reason=reason)
                for text, reason in reasons.items()
            )
        )


def _as_cdk_nag_says(grantee: iam.Role | iam.Policy | iam.ManagedPolicy, text: str) -> str:
    """A wildcard in its words: references and policy variables stand in angle brackets."""
    if _REFERENCE not in text:
        return re.sub(r"\$\{([^}]*)\}", r"<\1>", text)
    parts = cdk.Stack.of(grantee).resolve(text)["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)


def policy_size(permissions: Iterable[Permission]) -> int:
    """How many characters a policy of these permissions has."""
    return _ENVELOPE + sum(permission.size for permission in permissions)


def split(permissions: Iterable[Permission], limit: int = POLICY_LIMIT) -> list[list[Permission]]:
    """The permissions in their order, divided into as few policies as hold `limit` characters each.

    One that is too long by itself is divided by its resources.

    Raises:
        TooLarge: a permission for a single resource is too long.
    """
    policies: list[list[Permission]] = []
    for permission in permissions:
        for part in _parts(permission, limit - _ENVELOPE):
            if not policies or policy_size([*policies[-1], part]) > limit:
                policies.append([])
            policies[-1].append(part)
    return policies


def allow_in_managed_policies(
    scope: Construct, id_: str, roles: Sequence[iam.Role], permissions: Iterable[Permission]
) -> list[iam.ManagedPolicy]:
    """Allow the roles what one policy may be too short for: policies `<id_>1`, `<id_>2` and so on.

    Raises:
        TooLarge: it takes more policies than a role can have.
    """
    parts = split(permissions)
    if len(parts) > POLICIES_LIMIT:
        raise TooLarge(
            f"{scope.node.path}/{id_}: {len(parts)} policies of {POLICY_LIMIT} characters, and a role takes"
            f" {POLICIES_LIMIT}: name fewer things, or name several by how they begin"
        )
    return [
        managed_policy(scope, f"{id_}{number}", part, roles=roles) for number, part in enumerate(parts, 1)
    ]


def _parts(permission: Permission, limit: int) -> list[Permission]:
    if permission.size <= limit:
        return [permission]
    if len(permission.resources) < 2:  # noqa: PLR2004 -- what is one cannot be halved
        raise TooLarge(
            f"permission {permission.sid}: {permission.size} characters, and a policy holds {limit}:"
            " name families where it lists types, or say it in several permissions"
        )
    middle = len(permission.resources) // 2
    halves = (permission.resources[:middle], permission.resources[middle:])
    return [
        part
        for number, half in enumerate(halves, 1)
        for part in _parts(replace(permission, sid=f"{permission.sid}{number}", resources=half), limit)
    ]


def _one_or_all(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _sized(value: Any) -> Any:
    """The value with each reference as long as what will stand in its place."""
    if isinstance(value, dict):
        return {key: _sized(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_sized(one) for one in value]
    return "t" * _REFERRED if isinstance(value, str) and _REFERENCE in value else value
