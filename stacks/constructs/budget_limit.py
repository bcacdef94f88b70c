"""A budget for one environment: who is told when, and what is denied at its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec import names
from atelier.spec.guardrails import Budget
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.messaging import Topic
from stacks.constructs.permission import Permission, ServiceRole, allow
from stacks.constructs.removal import Removal
from stacks.constructs.role import service_role

ROLES_AN_ACTION = 100  # AWS's limit; a budget may have five actions
DENIED_AT_THE_LIMIT = (
    "sagemaker:CreateApp",
    "sagemaker:CreateAutoMLJob",
    "sagemaker:CreateAutoMLJobV2",
    "sagemaker:CreateCluster",
    "sagemaker:CreateCompilationJob",
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateHyperParameterTuningJob",
    "sagemaker:CreateInferenceComponent",
    "sagemaker:CreateInferenceRecommendationsJob",
    "sagemaker:CreateLabelingJob",
    "sagemaker:CreateMlflowTrackingServer",
    "sagemaker:CreateMonitoringSchedule",
    "sagemaker:CreateNotebookInstance",
    "sagemaker:CreateOptimizationJob",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateTrainingJob",
    "sagemaker:CreateTransformJob",
    "sagemaker:StartMlflowTrackingServer",
    "sagemaker:StartMonitoringSchedule",
    "sagemaker:StartNotebookInstance",
    "sagemaker:StartPipelineExecution",
)
"""What begins to cost. What runs goes on, and an endpoint may still be updated: nobody is refused a fix."""


@dataclass(frozen=True, kw_only=True)
class BudgetLimitProps:
    """What the budget is about."""

    spec: TeamEnvironment
    budget: Budget
    topic: Topic
    """Hears of every alert, and of the limit."""
    removal: Removal
    """Lifts the limit with the stack."""
    roles: Sequence[str]
    """The names of the roles that are denied new jobs and endpoints at the limit, where that is wanted."""


class BudgetLimit(Construct):
    """A monthly budget over all that carries the environment's tags.

    The tags count from when `team` and `environment` are activated as cost allocation tags, by hand, in the
    account that pays: `atelier doctor` says whether they are.
    """

    def __init__(self, scope: Construct, id_: str, props: BudgetLimitProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._budget = self._resource()
        if props.budget.stop_at_limit:
            self._stop_at_limit()

    def _resource(self) -> cdk.CfnResource:
        spec, budget = self._props.spec, self._props.budget
        return cdk.CfnResource(
            self,
            "Budget",
            type="AWS::Budgets::Budget",
            properties={
                "Budget": {
                    "BudgetName": names.budget(spec.team, spec.name, budget.alerts),
                    "BudgetType": "COST",
                    "TimeUnit": "MONTHLY",
                    "BudgetLimit": {"Amount": budget.monthly_usd, "Unit": "USD"},
                    "CostFilters": {
                        "TagKeyValue": [f"user:team${spec.team}", f"user:environment${spec.name}"]
                    },
                },
                "NotificationsWithSubscribers": [self._alert(percentage) for percentage in budget.alerts]
                or None,
            },
        )

    def _alert(self, percentage: int) -> dict[str, Any]:
        return {
            "Notification": {
                "NotificationType": "ACTUAL",
                "ComparisonOperator": "GREATER_THAN",
                "Threshold": percentage,
                "ThresholdType": "PERCENTAGE",
            },
            # The topic alone, which mails to those to notify: with other subscribers it is another budget.
            "Subscribers": [{"SubscriptionType": "SNS", "Address": self._props.topic.arn}],
        }

    def _stop_at_limit(self) -> None:
        policy = iam.ManagedPolicy(
            self,
            "NothingNew",
            description=f"Attached by AWS Budgets while {self._props.spec.team} has spent its month's budget",
            statements=[
                iam.PolicyStatement(
                    sid="NothingNew",
                    effect=iam.Effect.DENY,
                    actions=list(DENIED_AT_THE_LIMIT),
                    resources=["*"],
                )
            ],
        )
        role = self._executor(policy)
        roles = self._props.roles
        actions = Construct(self, "Actions")
        for start in range(0, len(roles), ROLES_AN_ACTION):
            some = list(roles[start : start + ROLES_AN_ACTION])
            self._action(actions, start // ROLES_AN_ACTION, policy, role, some)
        self._props.removal.of_limit(self, "Lift", budget=self._budget_name, after=actions)

    def _executor(self, policy: iam.ManagedPolicy) -> ServiceRole:
        role = service_role(
            self,
            "Executor",
            service="budgets.amazonaws.com",
            description="Denies new jobs and endpoints once the budget is spent, and allows them again",
        )
        allow(
            role,
            Permission(
                sid="DenyAndAllowAgain",
                actions=["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
                resources=[Arns(self._props.spec).roles()],
                conditions={"ArnEquals": {"iam:PolicyARN": policy.managed_policy_arn}},
                because="every role of the environment, and this one policy",
            ),
        )
        return role

    def _action(
        self, scope: Construct, number: int, policy: iam.ManagedPolicy, role: iam.Role, roles: list[str]
    ) -> None:
        definition: dict[str, Any] = {"PolicyArn": policy.managed_policy_arn, "Roles": roles}
        action = cdk.CfnResource(
            scope,
            f"Action{number}",
            type="AWS::Budgets::BudgetsAction",
            properties={
                "BudgetName": self._budget_name,
                "ActionType": "APPLY_IAM_POLICY",
                "ActionThreshold": {"Type": "PERCENTAGE", "Value": 100},
                "NotificationType": "ACTUAL",
                "ApprovalModel": "AUTOMATIC",
                "Definition": {"IamActionDefinition": definition},
                "ExecutionRoleArn": role.role_arn,
                "Subscribers": [{"Type": "SNS", "Address": self._props.topic.arn}],
            },
        )
        action.node.add_dependency(self._budget)

    @property
    def _budget_name(self) -> str:
        spec = self._props.spec
        return names.budget(spec.team, spec.name, self._props.budget.alerts)
