"""How an environment serves: an approved model goes to its endpoints, or leaves them as they were."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import OWN_VARIANT, TeamEnvironment
from lambdas.start_deployment.settings import StartDeploymentSettings
from stacks.access import Access
from stacks.arns import Arns
from stacks.constructs.deploy_workflow import DeployWorkflowProps, deploy_definition
from stacks.constructs.event_rule import EventRule, EventRuleProps
from stacks.constructs.function import LambdaFunction, LambdaFunctionProps
from stacks.constructs.guardrail_conditions import Place
from stacks.constructs.permission import Permission, allow, run_as
from stacks.constructs.workflow import Workflow, WorkflowProps
from stacks.data import Data
from stacks.grants import UNSCOPED_ACTIONS
from stacks.registry import Registry
from stacks.team_stack import TeamStack
from stacks.training import Training

SMOKE_TEST_SECONDS = 75  # an endpoint has 60 to answer


@dataclass(frozen=True, kw_only=True)
class ServingProps:
    """What the serving stack is built from."""

    spec: TeamEnvironment
    data: Data
    access: Access
    registry: Registry
    training: Training
    place: Place | None = None
    """Where models run, where the environment has a network."""


class Serving(TeamStack):
    """A state machine for each endpoint, and the function that starts them when a model is approved.

    The endpoints themselves are made by the state machines, so that a new model is no change of the stack.
    """

    def __init__(self, scope: Construct, id_: names.StackKind, props: ServingProps) -> None:
        super().__init__(scope, id_, props.spec)
        self._props = props
        self._arns = Arns(props.spec)
        self._smoke_test = self._smoke_test_function()
        self.workflows = {endpoint: self._workflow(endpoint) for endpoint in props.spec.endpoints}
        removals = [self._removal(endpoint) for endpoint in props.spec.endpoints]
        if props.spec.endpoints:
            self._deploy_on_approval(self._start_deployment(), removals)
        for endpoint in props.spec.endpoints:
            name = names.endpoint(props.spec.team, props.spec.name, endpoint)
            description = "Answers once a first model is approved"
            cdk.CfnOutput(self, f"Endpoint-{endpoint}", value=name, description=description)

    def _smoke_test_function(self) -> LambdaFunction:
        props = LambdaFunctionProps(
            spec=self._props.spec,
            verb_noun="smoke_test",
            description="Asks a newly deployed endpoint its sample question",
            key=self._props.data.key,
            timeout_seconds=SMOKE_TEST_SECONDS,
        )
        function = LambdaFunction(self, "SmokeTest", props)
        allow(
            function.role,
            Permission(
                sid="AskEndpoints",
                actions=["sagemaker:InvokeEndpoint"],
                resources=[self._arns.of("sagemaker", "endpoint/{}-*")],
                because="every endpoint of the environment",
            ),
        )
        return function

    def _workflow(self, endpoint: str) -> Workflow:
        spec, training = self._props.spec, self._props.training
        definition = deploy_definition(
            DeployWorkflowProps(
                spec=spec,
                endpoint_name=endpoint,
                key_arn=self._props.data.key.key_arn,
                execution_role_arn=self._props.access.execution_role.role_arn,
                smoke_test_arn=self._smoke_test.arn,
                explain_arn=training.explain_failure.arn,
                topic_arn=training.topic.arn,
                place=self._props.place,
            )
        )
        name = names.deploy_machine(spec.team, spec.name, endpoint)
        props = WorkflowProps(name=name, definition=definition, key=self._props.data.key)
        workflow = Workflow(self, f"Deploy-{endpoint}", props)
        self._allow_workflow(workflow, endpoint)
        if spec.endpoints[endpoint].scaling:
            self._allow_scaling(workflow, endpoint)
        if spec.endpoints[endpoint].variants:
            because = UNSCOPED_ACTIONS["sagemaker:ListModelPackages"]
            action = ["sagemaker:ListModelPackages"]
            allow(
                workflow.role,
                Permission(sid="FindPackages", actions=action, resources=["*"], because=because),
            )
        return workflow

    def _allow_workflow(self, workflow: Workflow, endpoint: str) -> None:
        spec, arns, props = self._props.spec, self._arns, self._props
        name = names.endpoint(spec.team, spec.name, endpoint)
        served = spec.endpoints[endpoint].served.values()
        groups = [names.model_package_group(spec.team, spec.name, job) for job in served]
        allow(
            workflow.role,
            Permission(
                sid="ReadPackage",
                actions=["sagemaker:DescribeModelPackage"],
                resources=[arns.of("sagemaker", f"model-package/{group}/*") for group in groups],
                because="every version of the models of its jobs",
            ),
            Permission(
                sid="MakeModelsAndConfigs",
                actions=[
                    "sagemaker:AddTags",
                    "sagemaker:CreateEndpointConfig",
                    "sagemaker:CreateModel",
                    "sagemaker:DeleteEndpointConfig",
                    "sagemaker:DeleteModel",
                ],
                resources=[
                    arns.of("sagemaker", f"model/{name}-*"),
                    arns.of("sagemaker", f"endpoint-config/{name}-*"),
                ],
                because="each deployment names its own; they begin with the endpoint's name",
            ),
            Permission(
                sid="MakeTheEndpoint",
                actions=[
                    "sagemaker:AddTags",
                    "sagemaker:CreateEndpoint",
                    "sagemaker:DeleteEndpoint",
                    "sagemaker:DescribeEndpoint",
                    "sagemaker:UpdateEndpoint",
                ],
                resources=[
                    arns.of("sagemaker", f"endpoint/{name}"),
                    arns.of("sagemaker", f"endpoint-config/{name}-*"),
                ],
                because="an endpoint is made from a config, which each deployment names",
            ),
            Permission(
                sid="FindTheEndpoint",
                actions=["sagemaker:ListEndpoints"],
                resources=["*"],
                because=UNSCOPED_ACTIONS["sagemaker:ListEndpoints"],
            ),
            run_as(props.access.execution_role.role_arn),
            Permission(
                sid="LendKeyToSageMaker",
                actions=["kms:CreateGrant", "kms:DescribeKey"],
                resources=[props.data.key.key_arn],
            ),
            Permission(
                sid="ForgetScaling",
                actions=["application-autoscaling:DeregisterScalableTarget"],
                resources=[arns.of("application-autoscaling", "scalable-target/*")],
                because="a scalable target's ARN is random",
            ),
            Permission(
                sid="Record",
                actions=["ssm:GetParameter", "ssm:PutParameter"],
                resources=[
                    arns.of("ssm", f"parameter{names.endpoint_record(spec.team, spec.name, endpoint)}")
                ],
            ),
            Permission(
                sid="TestAndExplain",
                actions=["lambda:InvokeFunction"],
                resources=[self._smoke_test.arn, props.training.explain_failure.arn],
            ),
        )
        props.training.topic.allow_publishing(workflow.role)

    def _allow_scaling(self, workflow: Workflow, endpoint: str) -> None:
        arns = self._arns
        name = names.endpoint(self._props.spec.team, self._props.spec.name, endpoint)
        allow(
            workflow.role,
            Permission(
                sid="Scale",
                actions=[
                    "application-autoscaling:PutScalingPolicy",
                    "application-autoscaling:RegisterScalableTarget",
                ],
                resources=[arns.of("application-autoscaling", "scalable-target/*")],
                because="a scalable target's ARN is random",
            ),
            # Application Auto Scaling asks whether who registers a target may do to it what scaling will do.
            Permission(
                sid="MayBeScaled",
                actions=["sagemaker:UpdateEndpointWeightsAndCapacities"],
                resources=[arns.of("sagemaker", f"endpoint/{name}")],
            ),
            Permission(
                sid="AlarmsOfScaling",
                actions=["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
                resources=[arns.of("cloudwatch", f"alarm:TargetTracking-endpoint/{name}/*")],
                because="target tracking names its own alarms",
            ),
            Permission(
                sid="ScalingsOwnRole",
                actions=["iam:CreateServiceLinkedRole"],
                resources=[arns.scaling_role()],
            ),
        )

    def _removal(self, endpoint: str) -> cdk.CfnResource:
        spec = self._props.spec
        return self._props.registry.removal.of_endpoint(
            self,
            f"Removal-{endpoint}",
            name=names.endpoint(spec.team, spec.name, endpoint),
            variant=OWN_VARIANT,
            record=names.endpoint_record(spec.team, spec.name, endpoint),
            machine_arn=self.workflows[endpoint].arn,
        )

    def _start_deployment(self) -> LambdaFunction:
        spec, arns = self._props.spec, self._arns
        machines = names.deploy_machine(spec.team, spec.name, "")
        settings = StartDeploymentSettings(
            machines=arns.of("states", f"stateMachine:{machines}"), endpoints=self._endpoints_by_group()
        )
        props = LambdaFunctionProps(
            spec=spec,
            verb_noun="start_deployment",
            description="Starts the deployments of a model that has been approved",
            key=self._props.data.key,
            environment=settings.to_environment(),
        )
        function = LambdaFunction(self, "StartDeployment", props)
        allow(
            function.role,
            Permission(
                sid="ReadPackages",
                actions=["sagemaker:DescribeModelPackage"],
                resources=[arns.of("sagemaker", "model-package/{}-*")],
                because="every version of every job's models",
            ),
            Permission(
                sid="StartDeployments",
                actions=["states:StartExecution"],
                resources=[arns.of("states", f"stateMachine:{machines}*")],
                because="the state machine of every endpoint",
            ),
        )
        function.send_failures_to(self._props.training.dead_letters)
        return function

    def _endpoints_by_group(self) -> dict[str, list[str]]:
        spec = self._props.spec
        groups: dict[str, list[str]] = {}
        for name, endpoint in spec.endpoints.items():
            for job in endpoint.served.values():
                group = names.model_package_group(spec.team, spec.name, job)
                groups.setdefault(group, []).append(name)
        return groups

    def _deploy_on_approval(self, start_deployment: LambdaFunction, removals: list[cdk.CfnResource]) -> None:
        rule = EventRule(
            self,
            "OnApproval",
            EventRuleProps(
                description="A model is approved",
                function=start_deployment,
                dead_letters=self._props.training.dead_letters,
                pattern={
                    "source": ["aws.sagemaker"],
                    "detail-type": ["SageMaker Model Package State Change"],
                    "detail": {
                        "ModelPackageGroupName": sorted(self._endpoints_by_group()),
                        "ModelPackageStatus": ["Completed"],
                        "ModelApprovalStatus": ["Approved"],
                    },
                },
            ),
        )
        # What depends on something goes before it: no deployment starts while endpoints are being removed.
        rule.node.add_dependency(*removals)
