"""The roles with which people work in Studio and on notebook instances: what their personas may do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec.studio import Persona
from stacks.constructs.permission import Permission, allow_in_managed_policies
from stacks.constructs.role import service_role

SAGEMAKER = "sagemaker.amazonaws.com"
DEFAULT: Persona = "data_scientist"
"""What somebody may do of whom the team file says nothing, and everybody in a shared space."""


@dataclass(frozen=True, kw_only=True)
class StudioRolesProps:
    """Whose roles these are."""

    whose: str
    """For their descriptions, such as `Studio of team vision in dev`."""
    permissions_of: Callable[[Persona], Sequence[Permission]]
    personas: Mapping[str, Persona] = field(default_factory=dict)
    """Who is what; everybody else is the default."""
    per_user: bool = False
    """A role for each of them, rather than one for each persona."""


class StudioRoles(Construct):
    """A role for each persona, or for each user; `default` for everybody else.

    What a persona may do stands in managed policies that all its roles share: a hundred users are a hundred
    roles and still a handful of policies. What a role is needed for waits for all `policies`.
    """

    def __init__(self, scope: Construct, id_: str, props: StudioRolesProps) -> None:
        super().__init__(scope, id_)
        self._whose = props.whose
        self.default = self._role(f"Persona-{DEFAULT}", DEFAULT)
        members: dict[Persona, list[iam.Role]] = defaultdict(list, {DEFAULT: [self.default]})
        self._roles: dict[str, iam.Role] = {}
        for name, persona in props.personas.items():
            if props.per_user:
                members[persona].append(self._role(f"User-{name}", persona))
            elif not members[persona]:
                members[persona].append(self._role(f"Persona-{persona}", persona))
            self._roles[name] = members[persona][-1]
        self.all = [role for roles in members.values() for role in roles]
        self.policies = [
            policy
            for persona, roles in members.items()
            for policy in allow_in_managed_policies(
                self, f"Policy-{persona}-", roles, props.permissions_of(persona)
            )
        ]

    def of(self, user: str | None) -> iam.Role:
        """The role of a user, or of nobody in particular."""
        return self._roles.get(user, self.default) if user else self.default

    def _role(self, id_: str, persona: Persona) -> iam.Role:
        description = f"{persona.replace('_', ' ').capitalize()}: {self._whose}"
        role = service_role(self, id_, service=SAGEMAKER, description=description, kind="workplaces")
        # So that CloudTrail names the person behind each call (see ExecutionRoleIdentityConfig).
        account = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}}
        name_the_person = iam.PolicyStatement(
            actions=["sts:SetSourceIdentity"],
            principals=[iam.ServicePrincipal(SAGEMAKER, conditions=account)],
        )
        policy = role.assume_role_policy
        assert policy is not None  # noqa: S101 - narrows jsii's type
        policy.add_statements(name_the_person)
        return role


def only_sizes(sizes: Sequence[str], own: Mapping[str, Sequence[str]]) -> list[Permission]:
    """Refuse apps on any but these sizes; `own` are those of users who may use fewer."""
    users_of: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for user, types in own.items():
        if list(types) != list(sizes):
            users_of[tuple(types)].append(user)
    everybody: list[tuple[str, Sequence[str], list[str]]] = [("OnlyTheseSizes", sizes, [])]
    some = [
        (f"OnlyTheseSizesForSome{number}", types, users)
        for number, (types, users) in enumerate(users_of.items(), 1)
    ]
    return [
        Permission(
            sid=sid,
            effect="Deny",
            actions=["sagemaker:CreateApp"],
            resources=["*"],
            conditions={
                # Apps that need no instance run on `system`.
                "ForAnyValue:StringNotEquals": {"sagemaker:InstanceTypes": [*types, "system"]},
                **({"StringEquals": {"aws:SourceIdentity": users}} if users else {}),
            },
            because="a denial, of all apps",
        )
        for sid, types, users in [*everybody, *some]
    ]
