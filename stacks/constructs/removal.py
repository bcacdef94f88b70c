"""Custom resources that remove, with their stack, what CloudFormation does not know of."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct, IDependable

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.function import LambdaFunction, LambdaFunctionProps
from stacks.constructs.permission import Permission, allow
from stacks.permissions import UNSCOPED_ACTIONS

TIMEOUT_SECONDS = 900  # the longest that a function may run; an endpoint takes minutes to go
LISTS = (
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModelPackages",
    "sagemaker:ListModels",
    "sagemaker:ListTrainingJobs",
)


class Removal(Construct):
    """The function behind these resources: one for all stacks of an environment."""

    def __init__(self, scope: Construct, id_: str, *, spec: TeamEnvironment, key: kms.IKey) -> None:
        super().__init__(scope, id_)
        self._function = LambdaFunction(
            self,
            "RemoveResources",
            LambdaFunctionProps(
                spec=spec,
                verb_noun="remove_resources",
                description="Removes endpoints and model packages with the stack that stands for them",
                key=key,
                timeout_seconds=TIMEOUT_SECONDS,
            ),
        )
        self._allow(spec)

    def of_endpoint(
        self, scope: Construct, id_: str, *, name: str, variant: str, record: str, machine_arn: str
    ) -> cdk.CfnResource:
        """A resource with which go the endpoint `name`, its models, configs, scaling, log and record."""
        properties = {"Name": name, "Variant": variant, "Record": record, "Machine": machine_arn}
        return self._resource(scope, id_, "Endpoint", properties)

    def of_packages(self, scope: Construct, id_: str, *, group: str, after: IDependable) -> cdk.CfnResource:
        """A resource with which go the versions of a model package group, so that the group `after` can."""
        resource = self._resource(scope, id_, "ModelPackages", {"Name": group})
        resource.node.add_dependency(after)
        return resource

    def of_limit(self, scope: Construct, id_: str, *, budget: str, after: IDependable) -> cdk.CfnResource:
        """A resource with which goes what the actions of a budget, `after`, deny."""
        resource = self._resource(scope, id_, "Limit", {"Name": budget})
        resource.node.add_dependency(after)
        return resource

    def _resource(self, scope: Construct, id_: str, kind: str, properties: dict[str, str]) -> cdk.CfnResource:
        return cdk.CfnResource(
            scope,
            id_,
            type="Custom::AtelierRemoval",
            properties={"ServiceToken": self._function.arn, "Kind": kind, **properties},
        )

    def _allow(self, spec: TeamEnvironment) -> None:
        arns = Arns(spec)
        allow(
            self._function.role,
            Permission(
                sid="StopDeployments",
                actions=["states:ListExecutions", "states:StopExecution"],
                resources=[
                    arns.of("states", "stateMachine:{}-deploy-*"),
                    arns.of("states", "execution:{}-deploy-*"),
                ],
                because="every deployment of the environment",
            ),
            Permission(
                sid="RemoveEndpointsAndPackages",
                actions=[
                    "sagemaker:DeleteEndpoint",
                    "sagemaker:DeleteEndpointConfig",
                    "sagemaker:DeleteModel",
                    "sagemaker:DeleteModelPackage",
                    "sagemaker:DescribeEndpoint",
                ],
                resources=[
                    arns.of("sagemaker", f"{kind}/{{}}-*")
                    for kind in ("endpoint", "endpoint-config", "model", "model-package")
                ],
                because="every endpoint and model package of the environment",
            ),
            *_stop_training(spec, arns),
            Permission(
                sid="FindThem",
                actions=LISTS,
                resources=["*"],
                because=UNSCOPED_ACTIONS["sagemaker:ListModels"],
            ),
            Permission(
                sid="StopScaling",
                actions=["application-autoscaling:DeregisterScalableTarget"],
                resources=[arns.of("application-autoscaling", "scalable-target/*")],
                because="a scalable target's ARN is random",
            ),
            Permission(
                sid="LiftLimits",
                actions=["budgets:DescribeBudgetActionsForBudget", "budgets:ExecuteBudgetAction"],
                resources=arns.budgets(),
                because="every budget of the environment; the id of an action is random",
            ),
            Permission(
                sid="RemoveRecordsAndLogs",
                actions=["logs:DeleteLogGroup", "ssm:DeleteParameter"],
                resources=[
                    arns.of("logs", "log-group:/aws/sagemaker/Endpoints/{}-*"),
                    arns.of("ssm", f"parameter{names.endpoint_record(spec.team, spec.name, '*')}"),
                ],
                because="every endpoint of the environment",
            ),
        )


def _stop_training(spec: TeamEnvironment, arns: Arns) -> list[Permission]:
    groups = [names.model_package_group(spec.team, spec.name, job) for job in spec.jobs]
    if not groups:
        return []
    return [
        Permission(
            sid="StopTraining",
            actions=["sagemaker:StopTrainingJob"],
            resources=[arns.of("sagemaker", f"training-job/{group}-*") for group in groups],
            because="every training job of the environment's jobs; its name ends in its run's",
        )
    ]
