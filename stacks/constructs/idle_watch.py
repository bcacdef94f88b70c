"""Tells people of endpoints and notebook instances that nobody uses, and stops them where that is wanted."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from lambdas.stop_idle.settings import METRIC, NAMESPACE, StopIdleSettings, dimensions
from stacks.arns import Arns
from stacks.constructs.event_rule import EventRule, EventRuleProps
from stacks.constructs.function import LambdaFunction, LambdaFunctionProps
from stacks.constructs.messaging import DeadLetters, Topic
from stacks.constructs.permission import Permission, allow
from stacks.grants import UNSCOPED_ACTIONS

SECONDS = 300  # for 100 endpoints, one after the other


@dataclass(frozen=True, kw_only=True)
class IdleWatchProps:
    """What is watched, and what follows."""

    spec: TeamEnvironment
    key: kms.IKey
    topic: Topic
    dead_letters: DeadLetters


class IdleWatch(Construct):
    """A function that measures each hour, and an alarm for each endpoint and notebook instance.

    CloudWatch has no measure of its own to set an alarm on: an endpoint that nobody calls has no data, just
    as one that is not deployed, and a notebook instance never has any.
    """

    def __init__(self, scope: Construct, id_: str, props: IdleWatchProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._arns = Arns(props.spec)
        function = self._function()
        self._allow_measuring(function)
        if props.spec.unused.stop:
            self._allow_stopping(function)
        EventRule(
            self,
            "EachHour",
            EventRuleProps(
                description="Looks for endpoints and notebook instances that nobody uses",
                function=function,
                dead_letters=props.dead_letters,
                schedule="rate(1 hour)",
            ),
        )
        for name, endpoint in self._endpoints().items():
            self._alarm("endpoint", name, endpoint)
        for name, notebook in self._notebooks().items():
            self._alarm("notebook", name, notebook)

    def _endpoints(self) -> dict[str, str]:
        """The endpoints of the team file, and what SageMaker calls them."""
        spec = self._props.spec
        return {name: names.endpoint(spec.team, spec.name, name) for name in spec.endpoints}

    def _notebooks(self) -> dict[str, str]:
        """The notebook instances of the team file, and what SageMaker calls them."""
        spec = self._props.spec
        return {name: names.notebook(spec.team, spec.name, name) for name in spec.notebooks}

    def _function(self) -> LambdaFunction:
        props, unused = self._props, self._props.spec.unused
        settings = StopIdleSettings(
            environment=self._arns.prefix,
            endpoints=list(self._endpoints().values()),
            notebooks=list(self._notebooks().values()),
            stop_after_hours=unused.report_after_hours if unused.stop else None,
            topic=props.topic.arn,
        )
        function = LambdaFunction(
            self,
            "StopIdle",
            LambdaFunctionProps(
                spec=props.spec,
                verb_noun="stop_idle",
                description="Measures for how long nobody has used endpoints and notebook instances",
                key=props.key,
                environment=settings.to_environment(),
                timeout_seconds=SECONDS,
            ),
        )
        function.send_failures_to(props.dead_letters)
        return function

    def _allow_measuring(self, function: LambdaFunction) -> None:
        allow(
            function.role,
            Permission(
                sid="SeeWhatRuns",
                actions=["sagemaker:DescribeEndpoint", "sagemaker:DescribeNotebookInstance"],
                resources=self._watched(),
                because="every endpoint and notebook instance of the environment",
            ),
            Permission(
                sid="SeeInvocations",
                actions=["cloudwatch:GetMetricStatistics"],
                resources=["*"],
                because=UNSCOPED_ACTIONS["cloudwatch:GetMetricStatistics"],
            ),
            Permission(
                sid="SeeLogsOfNotebooks",
                actions=["logs:DescribeLogStreams"],
                resources=[self._arns.notebook_logs()],
            ),
            Permission(
                sid="WriteMeasure",
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
                because=UNSCOPED_ACTIONS["cloudwatch:PutMetricData"],
            ),
        )

    def _allow_stopping(self, function: LambdaFunction) -> None:
        allow(
            function.role,
            Permission(
                sid="StopWhatIsIdle",
                actions=["sagemaker:DeleteEndpoint", "sagemaker:StopNotebookInstance"],
                resources=self._watched(),
                because="every endpoint and notebook instance of the environment",
            ),
        )
        self._props.topic.allow_publishing(function.role)

    def _watched(self) -> list[str]:
        return [self._arns.of("sagemaker", f"{kind}/{{}}-*") for kind in ("endpoint", "notebook-instance")]

    def _alarm(self, kind: str, name: str, physical: str) -> None:
        spec, hours = self._props.spec, self._props.spec.unused.report_after_hours
        cdk.CfnResource(
            self,
            f"Idle-{kind}-{name}",
            type="AWS::CloudWatch::Alarm",
            properties={
                "AlarmName": names.idle_alarm(spec.team, spec.name, kind, name),
                "AlarmDescription": (
                    f"Nobody has used the {kind} {name} for {hours} hours, and it costs money."
                    " Remove it from the team file if it is needed no more, or stop it."
                ),
                "Namespace": NAMESPACE,
                "MetricName": METRIC,
                "Dimensions": dimensions(self._arns.prefix, kind, physical),
                "Statistic": "Maximum",
                "Period": 3600,
                "EvaluationPeriods": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "Threshold": hours,
                # What does not run is not measured, and costs nothing.
                "TreatMissingData": "notBreaching",
                "AlarmActions": [self._props.topic.arn],
            },
        )
