"""What the roles of an environment may do at most, and what its jobs may do.

A permissions boundary grants nothing. It is here so that a mistake in one policy, or a role that someone
adds later, cannot reach another team: every line names this environment's resources, or says why it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.permission import Permission

PULL_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
LOG_ACTIONS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
METRIC_NAMESPACES = ("/aws/sagemaker", "/aws/sagemaker/*", "aws/sagemaker/*")

UNSCOPED_ACTIONS = {
    "cloudwatch:PutMetricData": "metrics have no ARN; roles are granted it for SageMaker's namespaces",
    "ecr:GetAuthorizationToken": "the token is the caller's and opens no repository by itself",
    "logs:CreateLogDelivery": "the delivery of a state machine's log has no ARN",
    "logs:DeleteLogDelivery": "the delivery of a state machine's log has no ARN",
    "logs:DescribeLogGroups": "lists by prefix, takes no resource",
    "logs:DescribeResourcePolicies": "takes no resource",
    "logs:GetLogDelivery": "the delivery of a state machine's log has no ARN",
    "logs:ListLogDeliveries": "takes no resource",
    "logs:PutResourcePolicy": "takes no resource",
    "logs:UpdateLogDelivery": "the delivery of a state machine's log has no ARN",
    "sagemaker:ListEndpointConfigs": "takes no resource",
    "sagemaker:ListEndpoints": "takes no resource",
    "sagemaker:ListModelPackages": "takes no resource",
    "sagemaker:ListModels": "takes no resource",
    "sagemaker:ListTrainingJobs": "takes no resource",
    "xray:GetSamplingRules": "takes no resource",
    "xray:GetSamplingTargets": "takes no resource",
    "xray:PutTelemetryRecords": "takes no resource",
    "xray:PutTraceSegments": "takes no resource",
}
"""Actions that AWS lets nobody narrow to a resource, each with the reason; tests refuse every other `*`."""


def boundary(spec: TeamEnvironment) -> list[Permission]:
    """The environment's permissions boundary; 6,144 characters at most in all."""
    arns = Arns(spec)
    return [
        Permission(
            sid="OwnBuckets",
            actions=[
                "s3:AbortMultipartUpload",
                "s3:DeleteObject*",
                "s3:Get*",
                "s3:List*",
                "s3:PutBucketPolicy",  # CDK's function that empties a bucket first stops new objects
                "s3:PutObject*",
            ],
            resources=arns.buckets(),
            because="the environment's own buckets, by their full names",
        ),
        Permission(
            sid="OwnCode",
            actions=["s3:GetObject"],
            resources=[arns.assets()],
            because="an asset's key is a hash; the bucket is this account's",
        ),
        Permission(
            sid="OwnKey",
            actions=[
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            resources=[arns.of("kms", "key/*")],
            conditions=_key_condition(spec),
            because="a key's ARN is random; the condition names the key by its alias",
        ),
        Permission(
            sid="OwnMachineLearning",
            actions=["sagemaker:*"],
            resources=[arns.of("sagemaker", "*/{}-*")],
            because="jobs, models, packages and endpoints that begin with the environment's name",
        ),
        Permission(
            sid="OwnWorkflows",
            actions=[
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
            resources=arns.workflows(),
            because="what begins with the environment's name",
        ),
        Permission(
            sid="OwnScaling",
            actions=["application-autoscaling:*"],
            resources=[arns.of("application-autoscaling", "scalable-target/*")],
            because="a scalable target's ARN is random; the role that uses one names its endpoint",
        ),
        Permission(
            sid="ScalingsOwnRole",
            actions=["iam:CreateServiceLinkedRole"],
            resources=[arns.scaling_role()],
        ),
        Permission(
            sid="WaitForJobs",
            actions=["events:DescribeRule", "events:PutRule", "events:PutTargets"],
            resources=[arns.of("events", "rule/StepFunctionsGetEventsForSageMaker*")],
            because="rules that Step Functions manages, one for each kind of job",
        ),
        Permission(
            sid="PassOwnRoles",
            actions=["iam:PassRole"],
            resources=[arns.roles()],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            because="CloudFormation names roles after their stack; policies name the exact role",
        ),
        *_logs_and_images(arns, spec, also_logs=arns.workflow_logs()),
        Permission(
            sid="ReadAndRemoveJobLogs",
            actions=["logs:DeleteLogGroup", "logs:GetLogEvents"],
            resources=arns.job_logs(),
            because="streams are named when they begin; they begin with the environment's name",
        ),
        Permission(
            sid="NoResourceToName",
            actions=list(UNSCOPED_ACTIONS),
            resources=["*"],
            because="AWS lets nobody narrow these actions to a resource: UNSCOPED_ACTIONS says why for each",
        ),
    ]


def execution(spec: TeamEnvironment) -> list[Permission]:
    """What a training job or endpoint may do besides reading data and writing artifacts."""
    return [
        *_logs_and_images(Arns(spec), spec),
        Permission(
            sid="LogInToRegistries",
            actions=["ecr:GetAuthorizationToken"],
            resources=["*"],
            because=UNSCOPED_ACTIONS["ecr:GetAuthorizationToken"],
        ),
        Permission(
            sid="OwnMetrics",
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringLike": {"cloudwatch:namespace": list(METRIC_NAMESPACES)}},
            because=UNSCOPED_ACTIONS["cloudwatch:PutMetricData"],
        ),
    ]


def _logs_and_images(
    arns: Arns, spec: TeamEnvironment, also_logs: list[str] | None = None
) -> list[Permission]:
    return [
        Permission(
            sid="OwnLogs",
            actions=LOG_ACTIONS,
            resources=[*arns.job_logs(), *(also_logs or [])],
            because="streams are named when they begin; they begin with the environment's name",
        ),
        Permission(
            sid="OwnImages",
            actions=PULL_ACTIONS,
            resources=[arns.of("ecr", "repository/{}/*")],
            because="all images of the environment",
        ),
        Permission(
            sid="ImagesOfAws",
            actions=PULL_ACTIONS,
            resources=[arns.of("ecr", "repository/*", account="*")],
            # Keeps the wildcard away from the other teams of this account.
            conditions={"StringNotEquals": {"aws:ResourceAccount": spec.account}},
            because="AWS publishes images from another account in each region; its owner decides who pulls",
        ),
    ]


def _key_condition(spec: TeamEnvironment) -> Mapping[str, Any]:
    own = names.key_alias(spec.team, spec.name)
    # The second is AWS's own key, with which the bucket of CDK's assets is encrypted.
    return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": [own, "alias/aws/s3"]}}
