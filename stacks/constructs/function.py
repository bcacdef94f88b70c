"""A Lambda function whose code is one of the folders of lambdas/.

Written as plain CloudFormation resources: `aws_cdk.aws_lambda` brings all of EC2 along, and loading it takes
a fifth of the time in which an environment is synthesized.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.messaging import DeadLetters
from stacks.constructs.permission import Permission, ServiceRole, allow
from stacks.constructs.role import service_role
from stacks.limits import TooLarge
from stacks.permissions import Kind

PROJECT = Path(__file__).parents[2]
ENVIRONMENT_LIMIT_BYTES = 4096
LOG_RETENTION = logs.RetentionDays.THREE_MONTHS
TRACES = Permission(
    sid="Traces",
    actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    resources=["*"],
    because="X-Ray's traces have no ARN",
)

ACKNOWLEDGED = {
    "AwsSolutions-L1": "one release behind the newest, so that its boto3 is one the handlers are tested with",
    "NIST.800.53.R5-LambdaConcurrency": "a few events an hour: a limit would only keep it from others",
    "NIST.800.53.R5-LambdaDLQ": "what it could not handle of its events goes to a queue by its destination;"
    " who calls it and waits for the answer hears of the failure",
    "NIST.800.53.R5-LambdaInsideVPC": "it speaks with AWS's services alone, over TLS, as its role allows;"
    " in a VPC it would reach nothing more, and one is not always there",
}
"""What rules of others find at every function here, and why it is so."""


@dataclass(frozen=True, kw_only=True)
class LambdaFunctionProps:
    """What tells one function from another."""

    spec: TeamEnvironment
    verb_noun: str
    """The folder below lambdas/ whose handler.py holds `handler`."""
    description: str
    key: kms.IKey
    """Encrypts the log group."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The `to_environment()` of the function's settings."""
    timeout_seconds: int = 30
    memory_mb: int = 256
    kind: Kind = "functions"
    """Whose permissions boundary its role has."""


class LambdaFunction(Construct):
    """A function with a role and a log group of its own.

    What it may do is granted to its `role`; `arn` and `name` are tokens and text to refer to it by.
    """

    def __init__(self, scope: Construct, id_: str, props: LambdaFunctionProps) -> None:
        super().__init__(scope, id_)
        self.name = names.function(props.spec.team, props.spec.name, props.verb_noun)
        self._rules = Arns(props.spec).of("events", "rule/{}-*")
        self._may_be_invoked = False
        _check_environment(self.name, props.environment)
        self.role = self._role(props.kind)
        self._function = self._resource(props, self._log_group(props.key))
        self.arn = self._function.get_att("Arn").to_string()

    def allow_rules(self) -> None:
        """Let the environment's rules of EventBridge invoke it, however many there are.

        In one statement: a function's policy holds 20 KB, those of some fifty rules.
        """
        if self._may_be_invoked:
            return
        self._may_be_invoked = True
        cdk.CfnResource(
            self,
            "RulesMayInvoke",
            type="AWS::Lambda::Permission",
            properties={
                "Action": "lambda:InvokeFunction",
                "FunctionName": self.arn,
                "Principal": "events.amazonaws.com",
                "SourceArn": self._rules,
            },
        )

    def send_failures_to(self, dead_letters: DeadLetters) -> None:
        """Keep there the events that the function could not handle, after Lambda's two retries."""
        dead_letters.allow_sending(self.role)
        cdk.CfnResource(
            self,
            "Failures",
            type="AWS::Lambda::EventInvokeConfig",
            properties={
                "FunctionName": self._function.ref,
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 2,
                "DestinationConfig": {"OnFailure": {"Destination": dead_letters.arn}},
            },
        )

    def _role(self, kind: Kind) -> ServiceRole:
        role = service_role(
            self,
            "Role",
            service="lambda.amazonaws.com",
            kind=kind,
            description=f"Runs the function {self.name}",
        )
        allow(role, TRACES)
        return role

    def _log_group(self, key: kms.IKey) -> logs.LogGroup:
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{self.name}",
            retention=LOG_RETENTION,
            encryption_key=key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        allow(
            self.role,
            Permission(
                sid="WriteLog",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[log_group.log_group_arn],
            ),
        )
        return log_group

    def _resource(self, props: LambdaFunctionProps, log_group: logs.LogGroup) -> cdk.CfnResource:
        code = _code(cdk.Stack.of(self))
        function = cdk.CfnResource(
            self,
            "Function",
            type="AWS::Lambda::Function",
            properties={
                "FunctionName": self.name,
                "Description": props.description,
                "Code": {"S3Bucket": code.s3_bucket_name, "S3Key": code.s3_object_key},
                "Handler": f"lambdas.{props.verb_noun}.handler.handler",
                "Runtime": "python3.13",
                # Pure Python runs on either; arm64 costs a fifth less for the same memory and time.
                "Architectures": ["arm64"],
                "Role": self.role.role_arn,
                "LoggingConfig": {"LogGroup": log_group.log_group_name},
                "Environment": {"Variables": dict(props.environment)},
                "Timeout": props.timeout_seconds,
                "MemorySize": props.memory_mb,
                "TracingConfig": {"Mode": "Active"},
            },
        )
        cdk.Validations.of(function).acknowledge(
            *(cdk.Acknowledgment(id=id_, reason=reason) for id_, reason in ACKNOWLEDGED.items())
        )
        return function


def _code(stack: cdk.Stack) -> assets.Asset:
    """All of lambdas/ and nothing else: one asset for all functions, the same wherever it is built."""
    existing = stack.node.try_find_child("Lambdas")
    if isinstance(existing, assets.Asset):
        return existing
    return assets.Asset(
        stack,
        "Lambdas",
        path=str(PROJECT),
        exclude=["/*", "!/lambdas", "__pycache__", "*.pyc"],
        ignore_mode=cdk.IgnoreMode.GIT,
    )


def _check_environment(name: str, environment: Mapping[str, str]) -> None:
    """Refuse what Lambda would refuse while deploying; a value that is a token counts as it stands."""
    size = sum(len(key.encode()) + len(value.encode()) for key, value in environment.items())
    if size > ENVIRONMENT_LIMIT_BYTES:
        largest = max(environment, key=lambda key: len(environment[key]))
        raise TooLarge(
            f"function {name}: its environment has {size} bytes and Lambda allows {ENVIRONMENT_LIMIT_BYTES};"
            f" the largest is {largest} with {len(environment[largest])} characters:"
            " make two teams of this one, each with a file of its own"
        )
