"""Who may do what in an environment: boundaries, guardrails, and the role of its SageMaker jobs."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks import permissions
from stacks.constructs.guardrail_conditions import THEMES, Place, Theme, guardrails
from stacks.constructs.permission import (
    POLICY_LIMIT,
    Permission,
    ServiceRole,
    allow,
    managed_policy,
    policy_size,
)
from stacks.constructs.role import service_role
from stacks.limits import TooLarge
from stacks.permissions import GUARDED, KINDS, Kind
from stacks.team_stack import TeamStack


@dataclass(frozen=True, kw_only=True)
class AccessProps:
    """What the access stack is built from."""

    spec: TeamEnvironment
    place: Place | None = None
    """Where jobs and models run, where the environment has a network."""


class Access(TeamStack):
    """The most that each kind of role can be allowed, and the role that jobs and endpoints run as."""

    def __init__(self, scope: Construct, id_: names.StackKind, props: AccessProps) -> None:
        super().__init__(scope, id_, props.spec)
        self._props = props
        self._boundaries = {kind: self._boundary(kind) for kind in KINDS}
        self._guardrails = {theme: self._guardrail(theme) for theme in THEMES}
        self.boundary = self._boundaries["functions"]
        self.execution_role = self._execution_role()
        policies = (*self._boundaries.values(), *self._guardrails.values())
        self.keep_exporting(*(policy.managed_policy_arn for policy in policies))

    def confine(self, role: iam.Role, kind: Kind) -> None:
        """Hold a role to what its kind can be allowed, and to the guardrails; `service_role` calls it."""
        # The boundary that is applied closest to a role wins over the one that the stage puts on all.
        iam.PermissionsBoundary.of(role).apply(self._boundaries[kind])
        for theme in GUARDED.get(kind, ()):
            role.add_managed_policy(self._guardrails[theme])

    def _boundary(self, kind: Kind) -> iam.ManagedPolicy:
        spec = self._props.spec
        description = f"The most that {kind} of team {spec.team} in {spec.name} can be allowed"
        statements = permissions.boundary(kind, spec, self._props.place)
        return self._policy(f"Boundary-{kind}", description, statements)

    def _guardrail(self, theme: Theme) -> iam.ManagedPolicy:
        spec = self._props.spec
        description = f"What is refused about {theme} of team {spec.team} in {spec.name}, whoever asks"
        return self._policy(f"Guardrails-{theme}", description, guardrails(theme, spec, self._props.place))

    def _policy(self, id_: str, description: str, statements: list[Permission]) -> iam.ManagedPolicy:
        size = policy_size(statements)
        if size > POLICY_LIMIT:
            # Other stacks refer to it: divided into several, it could never become fewer again.
            raise TooLarge(
                f"{self.stack_name}: {id_} has {size} characters, and IAM stores {POLICY_LIMIT}:"
                " in the guardrails, name families such as ml.g5.* rather than types; or shorten the names"
                " of team and environment"
            )
        return managed_policy(self, id_, statements, description=description)

    def _execution_role(self) -> ServiceRole:
        spec = self._props.spec
        description = f"Training jobs and endpoints of team {spec.team} in {spec.name}"
        role = service_role(self, "ExecutionRole", service="sagemaker.amazonaws.com", description=description)
        allow(role, *permissions.execution(spec, self._props.place))
        return role
