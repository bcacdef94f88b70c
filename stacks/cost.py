"""What an environment may cost, who hears of it, and what is done about what nobody uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.access import Access
from stacks.constructs.budget_limit import BudgetLimit, BudgetLimitProps
from stacks.constructs.idle_watch import IdleWatch, IdleWatchProps
from stacks.data import Data
from stacks.registry import Registry
from stacks.serving import Serving
from stacks.team_stack import TeamStack
from stacks.training import Training


@dataclass(frozen=True, kw_only=True)
class CostProps:
    """What the cost stack is built from."""

    spec: TeamEnvironment
    access: Access
    data: Data
    registry: Registry
    training: Training
    serving: Serving
    roles_of_people: Sequence[iam.Role | str] = ()
    """The roles with which people work, or their names where those are fixed."""


class Cost(TeamStack):
    """A budget with its alerts and its limit, and a watch over endpoints and notebook instances."""

    def __init__(self, scope: Construct, id_: names.StackKind, props: CostProps) -> None:
        super().__init__(scope, id_, props.spec)
        self._props = props
        if props.spec.budget:
            self.limit = BudgetLimit(
                self,
                "Limit",
                BudgetLimitProps(
                    spec=props.spec,
                    budget=props.spec.budget,
                    topic=props.training.topic,
                    removal=props.registry.removal,
                    roles=self._roles_that_spend(),
                ),
            )
        if props.spec.endpoints or props.spec.notebooks:
            self.idle = self._idle_watch()

    @staticmethod
    def needed(spec: TeamEnvironment) -> bool:
        """Whether there is anything to put into the stack: CloudFormation takes none without a resource."""
        return bool(spec.budget or spec.endpoints or spec.notebooks)

    def _roles_that_spend(self) -> list[str]:
        props = self._props
        workflows = [*props.training.workflows.values(), *props.serving.workflows.values()]
        own = [props.access.execution_role, *(workflow.role for workflow in workflows)]
        return [_name(role) for role in [*own, *props.roles_of_people]]

    def _idle_watch(self) -> IdleWatch:
        spec, props = self._props.spec, self._props
        return IdleWatch(
            self,
            "Idle",
            IdleWatchProps(
                spec=spec,
                key=props.data.key,
                topic=props.training.topic,
                dead_letters=props.training.dead_letters,
            ),
        )


def _name(role: iam.Role | str) -> str:
    """A role's name, without holding the role fast: jobs, endpoints and users come and go."""
    if isinstance(role, str):
        return role
    resource = role.node.default_child
    assert isinstance(resource, iam.CfnRole)  # noqa: S101 -- narrows jsii's type
    return cdk.Stack.consume_reference(resource.ref, cdk.ReferenceStrength.WEAK)
