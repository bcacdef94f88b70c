"""Who may do what in an environment: its permissions boundary and the role of its SageMaker jobs."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks import permissions
from stacks.constructs.permission import allow
from stacks.constructs.role import service_role
from stacks.team_stack import TeamStack


@dataclass(frozen=True, kw_only=True)
class AccessProps:
    """What the access stack is built from."""

    spec: TeamEnvironment


class Access(TeamStack):
    """The boundary of all roles of the environment, and the role that its jobs and endpoints run as."""

    def __init__(self, scope: Construct, id_: names.StackKind, props: AccessProps) -> None:
        super().__init__(scope, id_, props.spec, holds_state=True)
        self._spec = props.spec
        self.boundary = self._boundary()
        self.execution_role = self._execution_role()

    def _boundary(self) -> iam.ManagedPolicy:
        spec = self._spec
        description = f"The most that any role of team {spec.team} in {spec.name} can be allowed"
        boundary = iam.ManagedPolicy(self, "Boundary", description=description)
        allow(boundary, *permissions.boundary(spec))
        return boundary

    def _execution_role(self) -> iam.Role:
        spec = self._spec
        description = f"Training jobs and endpoints of team {spec.team} in {spec.name}"
        role = service_role(self, "ExecutionRole", service="sagemaker.amazonaws.com", description=description)
        allow(role, *permissions.execution(spec))
        return role
