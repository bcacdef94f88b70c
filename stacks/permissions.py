"""The most that any role of an environment can be allowed, whatever its own policies say.

A permissions boundary grants nothing. It is here so that a mistake in one policy, or a role that someone
adds later, cannot reach another team: every line names this environment's resources, or says why it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from atelier.spec import names
from atelier.spec.model import TeamEnvironment

BUCKET_KINDS: tuple[names.BucketKind, ...] = ("data", "artifacts", "logs")
PULL_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
LOG_ACTIONS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
METRIC_NAMESPACES = ("/aws/sagemaker", "/aws/sagemaker/*", "aws/sagemaker/*")

UNSCOPED_ACTIONS = {
    "cloudwatch:PutMetricData": "metrics have no ARN; the namespace is bounded where a role is granted it",
    "ecr:GetAuthorizationToken": "the token is the caller's and opens no repository by itself",
    "logs:CreateLogDelivery": "Step Functions' delivery of logs is an object without an ARN",
    "logs:DeleteLogDelivery": "Step Functions' delivery of logs is an object without an ARN",
    "logs:DescribeLogGroups": "takes no resource",
    "logs:DescribeResourcePolicies": "takes no resource",
    "logs:GetLogDelivery": "Step Functions' delivery of logs is an object without an ARN",
    "logs:ListLogDeliveries": "takes no resource",
    "logs:PutResourcePolicy": "takes no resource",
    "logs:UpdateLogDelivery": "Step Functions' delivery of logs is an object without an ARN",
    "sagemaker:ListEndpoints": "takes no resource",
    "sagemaker:ListModelPackages": "takes no resource",
    "sagemaker:ListTrainingJobs": "takes no resource",
    "xray:GetSamplingRules": "takes no resource",
    "xray:GetSamplingTargets": "takes no resource",
    "xray:PutTelemetryRecords": "takes no resource",
    "xray:PutTraceSegments": "takes no resource",
}
"""Actions allowed on `*`, each with the reason; tests refuse every other `*` in a policy."""


class Arns:
    """The ARNs of one environment's resources, by the names that they begin with."""

    def __init__(self, spec: TeamEnvironment) -> None:
        self._stem = f"arn:{cdk.Aws.PARTITION}"
        self._place = f"{spec.region}:{spec.account}"
        self._spec = spec
        self.prefix = names.stage(spec.team, spec.name)

    def of(self, service: str, resource: str) -> str:
        """A resource of this account and region; `{}` in `resource` stands for `team-env`."""
        return f"{self._stem}:{service}:{self._place}:{resource.format(self.prefix)}"

    def role(self) -> str:
        """Every role that CloudFormation names after one of the environment's stacks."""
        return f"{self._stem}:iam::{self._spec.account}:role/{self.prefix}-*"

    def buckets(self) -> list[str]:
        """The environment's buckets and their objects."""
        spec = self._spec
        own = [names.bucket(spec.team, spec.name, kind, spec.account, spec.region) for kind in BUCKET_KINDS]
        return [f"{self._stem}:s3:::{name}{objects}" for name in own for objects in ("", "/*")]

    def assets(self) -> str:
        """What `cdk deploy` publishes in this account and region: code archives."""
        return f"{self._stem}:s3:::cdk-*-assets-{self._spec.account}-{self._spec.region}/*"

    def log_streams(self) -> list[str]:
        """Groups of the environment's own, and its streams in the groups that SageMaker shares by account."""
        return [
            self.of("logs", f"log-group:{pattern}")
            for pattern in (
                "/aws/lambda/{}-*",
                "/aws/vendedlogs/states/{}-*",
                "/aws/sagemaker/Endpoints/{}-*",
                "/aws/sagemaker/TrainingJobs",
                "/aws/sagemaker/TrainingJobs:log-stream:{}-*",
            )
        ]

    def foreign_repositories(self) -> str:
        """Repositories of any account: AWS publishes its images from another account in each region."""
        return f"{self._stem}:ecr:{self._spec.region}:*:repository/*"


def other_accounts(spec: TeamEnvironment) -> Mapping[str, Any]:
    """The condition that keeps a wildcard over accounts away from the teams that share this account."""
    return {"StringNotEquals": {"aws:ResourceAccount": spec.account}}


def key_of(spec: TeamEnvironment) -> Mapping[str, Any]:
    """The condition that a KMS key is the environment's own, or the one that AWS keeps for S3."""
    own = names.key_alias(spec.team, spec.name)
    return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": [own, "alias/aws/s3"]}}


def boundary_statements(spec: TeamEnvironment) -> list[iam.PolicyStatement]:
    """The statements of the environment's permissions boundary; 6,144 characters at most in all."""
    arns = Arns(spec)
    return [
        _allow(
            "OwnBuckets",
            [
                "s3:AbortMultipartUpload",
                "s3:DeleteObject*",
                "s3:Get*",
                "s3:List*",
                "s3:PutBucketPolicy",  # CDK's function that empties a bucket first stops new objects
                "s3:PutObject*",
            ],
            arns.buckets(),
        ),
        _allow("OwnCode", ["s3:GetObject*"], [arns.assets()]),
        _allow(
            "OwnKey",
            [
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            [arns.of("kms", "key/*")],
            key_of(spec),
        ),
        _allow("OwnLogs", LOG_ACTIONS, arns.log_streams()),
        _allow("OwnImages", PULL_ACTIONS, [arns.of("ecr", "repository/{}/*")]),
        _allow("ImagesOfAws", PULL_ACTIONS, [arns.foreign_repositories()], other_accounts(spec)),
        _allow(
            "OwnMachineLearning",
            ["sagemaker:*"],
            [arns.of("sagemaker", "*/{}-*")],
        ),
        _allow(
            "OwnWorkflows",
            [
                "cloudwatch:DeleteAlarms",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:PutMetricAlarm",
                "lambda:InvokeFunction",
                "sns:Publish",
                "sqs:*Message*",
                "sqs:GetQueueAttributes",
                "ssm:*Parameter*",
                "states:*Execution*",
            ],
            [
                arns.of("cloudwatch", "alarm:{}-*"),
                arns.of("cloudwatch", "alarm:TargetTracking-endpoint/{}-*"),
                arns.of("lambda", "function:{}-*"),
                arns.of("sns", "{}-*"),
                arns.of("sqs", "{}-*"),
                arns.of("ssm", f"parameter/atelier/{spec.team}/{spec.name}/*"),
                arns.of("states", "*:{}-*"),
            ],
        ),
        _allow(
            "Scaling",
            ["application-autoscaling:*"],
            [arns.of("application-autoscaling", "scalable-target/*")],
        ),
        _allow(
            "WaitForJobs",
            ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
            [arns.of("events", "rule/StepFunctionsGetEventsForSageMaker*")],
        ),
        _allow(
            "PassOwnRoles",
            ["iam:PassRole"],
            [arns.role()],
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        _allow("NoResourceToName", list(UNSCOPED_ACTIONS), ["*"]),
    ]


def execution_statements(spec: TeamEnvironment) -> list[iam.PolicyStatement]:
    """What a training job or endpoint may do beyond the environment's data: log, measure, pull its image."""
    arns = Arns(spec)
    return [
        _allow("OwnLogs", LOG_ACTIONS, arns.log_streams()),
        _allow(
            "OwnMetrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringLike": {"cloudwatch:namespace": list(METRIC_NAMESPACES)}},
        ),
        _allow("LogInToRegistries", ["ecr:GetAuthorizationToken"], ["*"]),
        _allow("OwnImages", PULL_ACTIONS, [arns.of("ecr", "repository/{}/*")]),
        _allow("ImagesOfAws", PULL_ACTIONS, [arns.foreign_repositories()], other_accounts(spec)),
    ]


def _allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=list(resources), conditions=conditions
    )
