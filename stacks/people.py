"""The roles with which people, and a pipeline, work in an environment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.access import Access
from stacks.arns import partition
from stacks.constructs.permission import allow_in_managed_policies
from stacks.constructs.role import confine
from stacks.data import Data
from stacks.personas import SENTENCES, Persona, Subject, permissions_of
from stacks.team_stack import TeamStack, tags

TRUST_LIMIT = 2048
"""The characters of a role's trust policy, unless AWS has raised the account's quota."""


@dataclass(frozen=True, kw_only=True)
class PeopleProps:
    """What the people stack is built from."""

    spec: TeamEnvironment
    access: Access
    data: Data


class People(TeamStack):
    """A role for each persona that somebody has, and one for automation; `role_names` are all their names.

    Where the team file names users, only they may assume the role of their persona. Where it names none, IAM
    of the account decides, by who is allowed `sts:AssumeRole` on it. Either way people come with a second
    factor and under their own name, which CloudTrail then shows and which opens their own Studio profile.
    """

    def __init__(self, scope: Construct, id_: names.StackKind, props: PeopleProps) -> None:
        super().__init__(scope, id_, props.spec)
        self._props = props
        self.role_names: list[str] = []
        for persona in SENTENCES:
            self._persona(persona)

    def _persona(self, persona: Persona) -> None:
        spec, account = self._props.spec, _account(self._props.spec)
        if persona == "automation":
            trusts = [_trust_of_automation(account, spec)]
        elif spec.studio is not None and spec.studio.users:
            users = sorted(name for name, user in spec.studio.users.items() if user.persona == persona)
            trusts = list(trusts_of_people(account, users))
        else:
            trusts = [_trust_of_people(account, [])]
        roles = [self._role(persona, number, trust) for number, trust in enumerate(trusts, 1)]
        if roles:
            subject = Subject(
                spec=spec,
                key_arn=self._props.data.key.key_arn,
                execution_role_arn=self._props.access.execution_role.role_arn,
            )
            allow_in_managed_policies(self, _words(persona), roles, permissions_of(persona, subject))

    def _role(self, persona: Persona, number: int, trust: dict[str, Any]) -> iam.Role:
        spec = self._props.spec
        name = names.persona_role(spec.team, spec.name, persona, number)
        role = iam.Role(
            self,
            f"{_words(persona)}Role{'' if number == 1 else number}",
            role_name=name,
            description=f"{_words(persona)} of team {spec.team} in {spec.name}",
            assumed_by=iam.AccountPrincipal(spec.account),
        )
        # CDK would write one statement an action, each with all the conditions.
        resource = role.node.default_child
        assert isinstance(resource, iam.CfnRole)  # noqa: S101 -- narrows jsii's type
        resource.add_property_override("AssumeRolePolicyDocument", trust)
        confine(role, "people")
        self.role_names.append(name)
        return role


def trusts_of_people(account: str, users: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Trust policies that together name all the users, as many as it takes."""
    some: list[str] = []
    for user in users:
        if some and len(json.dumps(_trust_of_people(account, [*some, user]))) > TRUST_LIMIT:
            yield _trust_of_people(account, some)
            some = []
        some.append(user)
    if some:
        yield _trust_of_people(account, some)


def _trust_of_people(account: str, users: Sequence[str]) -> dict[str, Any]:
    """Who comes as a person: signed in to IAM with a second factor, or by an identity provider that asks it.

    The name of the session's source identity is the user's own: nobody gives another's.
    """
    identity = "sts:SourceIdentity"
    listed = {"StringLike": {identity: list(users)}} if users else {}
    return _trust(
        account,
        ["sts:AssumeRole", "sts:SetSourceIdentity"],
        {
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "StringEquals": {identity: "${aws:username}"},
            **listed,
        },
        # An identity that a provider has set stays through all roles; IAM knows no second factor of these.
        {
            "Null": {"aws:SourceIdentity": "false"},
            "StringEquals": {identity: "${aws:SourceIdentity}"},
            **listed,
        },
    )


def _trust_of_automation(account: str, spec: TeamEnvironment) -> dict[str, Any]:
    """A pipeline comes as a role of the account and says for whom it works."""
    said = {f"aws:RequestTag/{tag}": tags(spec)[tag] for tag in ("environment", "team")}
    return _trust(
        account,
        ["sts:AssumeRole", "sts:TagSession"],
        {"StringEquals": {**said, "aws:PrincipalType": "AssumedRole"}},
    )


def _trust(account: str, actions: list[str], *conditions: dict[str, Any]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": account}, "Action": actions, "Condition": condition}
            for condition in conditions
        ],
    }


def _account(spec: TeamEnvironment) -> str:
    return f"arn:{partition(spec.region)}:iam::{spec.account}:root"


def _words(persona: Persona) -> str:
    """`DataScientist`, for construct ids and descriptions."""
    return persona.title().replace("_", "")
