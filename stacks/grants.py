"""What permissions are made of: one function for each thing of an environment that a role can reach.

Policies grant these and permissions boundaries allow them, so that both say it in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns, partition
from stacks.constructs.guardrail_conditions import Place, own_tags
from stacks.constructs.permission import Permission

PULL_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH_ACTIONS = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
LOG_ACTIONS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
METRIC_NAMESPACES = ("/aws/sagemaker", "/aws/sagemaker/*", "aws/sagemaker/*")
OWN_RESOURCES = "what begins with the environment's name"
CREATED = f"{OWN_RESOURCES}; the guardrails hold for what is created"

# No wildcard may stand for the kind of a resource: policies name each.
SERVED = ("endpoint", "endpoint-config", "model", "model-package", "model-package-group")
TRAINED = ("hyper-parameter-tuning-job", "processing-job", "training-job", "transform-job")
LOOKED_AT = ("app-image-config", "image", "image-version", "studio-lifecycle-config")

OWNER_TAG = "ManagedByAmazonSageMakerResource"
"""On what SageMaker makes around a Studio domain; its value is the domain's ARN."""

UNSCOPED_ACTIONS = {
    "cloudwatch:GetMetricStatistics": "metrics have no ARN",
    "cloudwatch:PutMetricData": "metrics have no ARN; roles are granted it for one namespace or SageMaker's",
    "ec2:DescribeDhcpOptions": "takes no resource",
    "ec2:DescribeNetworkInterfaces": "takes no resource",
    "ec2:DescribeSecurityGroups": "takes no resource",
    "ec2:DescribeSubnets": "takes no resource",
    "ec2:DescribeVpcs": "takes no resource",
    "ecr:GetAuthorizationToken": "the token is the caller's and opens no repository by itself",
    "elasticfilesystem:DescribeFileSystems": "lists all, of which only the tags tell whose they are",
    "logs:CreateLogDelivery": "the delivery of a state machine's log has no ARN",
    "logs:DeleteLogDelivery": "the delivery of a state machine's log has no ARN",
    "logs:DescribeLogGroups": "lists by prefix, takes no resource",
    "logs:DescribeResourcePolicies": "takes no resource",
    "logs:GetLogDelivery": "the delivery of a state machine's log has no ARN",
    "logs:ListLogDeliveries": "takes no resource",
    "logs:PutResourcePolicy": "takes no resource",
    "logs:UpdateLogDelivery": "the delivery of a state machine's log has no ARN",
    "sagemaker:ListApps": "takes no resource",
    "sagemaker:ListDomains": "takes no resource",
    "sagemaker:ListEndpointConfigs": "takes no resource",
    "sagemaker:ListEndpoints": "takes no resource",
    "sagemaker:ListHyperParameterTuningJobs": "takes no resource",
    "sagemaker:ListModelPackages": "takes no resource",
    "sagemaker:ListModels": "takes no resource",
    "sagemaker:ListNotebookInstances": "takes no resource",
    "sagemaker:ListProcessingJobs": "takes no resource",
    "sagemaker:ListSpaces": "takes no resource",
    "sagemaker:ListStudioLifecycleConfigs": "takes no resource",
    "sagemaker:ListTrainingJobs": "takes no resource",
    "sagemaker:ListTransformJobs": "takes no resource",
    "sagemaker:ListUserProfiles": "takes no resource",
    "xray:GetSamplingRules": "takes no resource",
    "xray:GetSamplingTargets": "takes no resource",
    "xray:PutTelemetryRecords": "takes no resource",
    "xray:PutTraceSegments": "takes no resource",
}
"""Actions that AWS lets nobody narrow to a resource, each with the reason; tests refuse every other `*`."""

JOIN_NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
LOOK_AT_NETWORK = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def unscoped(sid: str, *actions: str) -> Permission:
    """Actions of UNSCOPED_ACTIONS."""
    return Permission(
        sid=sid,
        actions=list(actions),
        resources=["*"],
        because="; ".join(sorted({UNSCOPED_ACTIONS[action] for action in actions})),
    )


def machine_learning(arns: Arns, kinds: Sequence[str], *actions: str) -> Permission:
    """These actions on the environment's resources of these kinds in SageMaker."""
    return Permission(
        sid="OwnMachineLearning",
        actions=actions,
        # Without the region, so that the longest names fit: an environment's name is that of one region.
        resources=[arns.of("sagemaker", f"{kind}/{{}}-*", region="*") for kind in kinds],
        because=CREATED,
    )


def peoples_machine_learning(arns: Arns) -> Permission:
    """What people do with jobs, models, endpoints and notebook instances."""
    return machine_learning(
        arns,
        (*SERVED, *TRAINED, "notebook-instance"),
        "sagemaker:AddTags",
        "sagemaker:Create*",
        "sagemaker:Delete*",
        "sagemaker:Describe*",
        "sagemaker:Invoke*",
        "sagemaker:ListTags",
        "sagemaker:St*",  # start, stop
        "sagemaker:Update*",
    )


def peoples_workflows(arns: Arns, spec: TeamEnvironment) -> Permission:
    """To run state machines and functions and to read what they keep."""
    return Permission(
        sid="OwnWorkflows",
        actions=[
            "lambda:InvokeFunction",
            "ssm:GetParameter",
            "states:*Execution*",
            "states:DescribeStateMachine",
        ],
        resources=[
            arns.of("lambda", "function:{}-*"),
            arns.of("ssm", f"parameter/atelier/{spec.team}/{spec.name}/*"),
            *arns.executions(),
        ],
        because=OWN_RESOURCES,
    )


def unscoped_of(*services: str) -> list[str]:
    """Those of UNSCOPED_ACTIONS that begin so, such as `sagemaker:`."""
    return [one for one in UNSCOPED_ACTIONS if one.startswith(services)]


def studio(arns: Arns, spec: TeamEnvironment, *also: str) -> Permission:
    """To work in Studio, and to look at these other kinds in it."""
    kinds = ("app", "domain", "space", "user-profile", *also)
    return Permission(
        sid="OwnStudio",
        actions=[
            "sagemaker:AddTags",
            "sagemaker:CreatePresignedDomainUrl",
            "sagemaker:Describe*",
            "sagemaker:ListTags",
            "sagemaker:Update*",
            "sagemaker:*App",
            "sagemaker:*Space",
        ],
        resources=[arns.of("sagemaker", f"{kind}/*", region="*") for kind in kinds],
        # What Studio makes by itself carries no tags of ours.
        conditions={"StringEqualsIfExists": own_tags(spec, "aws:ResourceTag")},
        because="a domain's id is random, and policies name it; what belongs to another team is tagged so",
    )


def buckets(arns: Arns, *also: str, kinds: Sequence[names.BucketKind] = ("data", "artifacts")) -> Permission:
    """To read and write the environment's buckets."""
    return Permission(
        sid="OwnBuckets",
        actions=["s3:AbortMultipartUpload", "s3:Get*", "s3:List*", "s3:PutObject*", *also],
        resources=[arns.bucket(kind) + objects for kind in kinds for objects in ("", "/*")],
        because="the environment's own buckets, by their full names",
    )


def code(arns: Arns) -> Permission:
    """To read the code that CDK has uploaded."""
    return Permission(
        sid="OwnCode",
        actions=["s3:GetObject", "s3:GetObjectVersion"],
        resources=[arns.assets()],
        because="an asset's key is a hash; the bucket is this account's",
    )


def key(arns: Arns, spec: TeamEnvironment) -> Permission:
    """To use the environment's key."""
    return Permission(
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
        conditions=key_condition(spec),
        because="a key's ARN is random; the condition names the key by its alias",
    )


def secrets(arns: Arns) -> Permission:
    """To read the environment's secrets."""
    return Permission(
        sid="OwnSecrets",
        actions=["secretsmanager:GetSecretValue"],
        resources=[arns.of("secretsmanager", "secret:{}/*")],
        because="secrets below the environment's name, whose ARNs end in random characters",
    )


def workflow_resources(arns: Arns) -> Permission:
    """What state machines and functions use besides SageMaker."""
    return Permission(
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
        because=OWN_RESOURCES,
    )


def scaling(arns: Arns) -> Permission:
    """To scale the environment's endpoints."""
    return Permission(
        sid="OwnScaling",
        actions=["application-autoscaling:*"],
        resources=[arns.of("application-autoscaling", "scalable-target/*")],
        because="a scalable target's ARN is random; the role that uses one names its endpoint",
    )


def pass_role(arns: Arns) -> Permission:
    """To let SageMaker run as one of the environment's roles."""
    return Permission(
        sid="PassOwnRoles",
        actions=["iam:PassRole"],
        resources=[arns.roles()],
        conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        because="CloudFormation names roles after their stack; policies name the exact role",
    )


def join_network(arns: Arns, place: Place | None) -> list[Permission]:
    """SageMaker puts a job or app into the network in the name of the role that it runs as."""
    if place is None:
        return []
    return [
        Permission(
            sid="JoinNetwork",
            actions=JOIN_NETWORK,
            resources=[
                arns.of("ec2", f"{kind}/*") for kind in ("network-interface", "security-group", "subnet")
            ],
            because="interfaces are named when they are made; what a job asks for is held to the network",
        )
    ]


def logs(groups: Sequence[str], *also: str) -> Permission:
    """To write these log groups."""
    return Permission(
        sid="OwnLogs",
        actions=[*LOG_ACTIONS, *also],
        resources=groups,
        because="streams are named when they begin; they begin with the environment's name",
    )


def images(arns: Arns, spec: TeamEnvironment, *also: str) -> list[Permission]:
    """To pull the environment's images and those that AWS publishes."""
    return [own_images(arns, *also), images_of_aws(arns, spec)]


def own_images(arns: Arns, *also: str) -> Permission:
    """To pull the environment's images."""
    return Permission(
        sid="OwnImages",
        actions=[*PULL_ACTIONS, "ecr:DescribeImages", *also],
        resources=[arns.of("ecr", "repository/{}/*")],
        because="all images of the environment",
    )


def images_of_aws(arns: Arns, spec: TeamEnvironment) -> Permission:
    """To pull the images that AWS publishes."""
    return Permission(
        sid="ImagesOfAws",
        actions=PULL_ACTIONS,
        resources=[arns.of("ecr", "repository/*", account="*")],
        # Keeps the wildcard away from the other teams of this account.
        conditions={"StringNotEquals": {"aws:ResourceAccount": spec.account}},
        because="AWS publishes images from another account in each region; its owner decides who pulls",
    )


def pretrained(spec: TeamEnvironment, *, exact: bool = True) -> list[Permission]:
    """What JumpStart's models are made of lies in AWS's own buckets, which IAM must allow as well."""
    found = {url for job in spec.jobs.values() if job.jumpstart for url in job.jumpstart.addresses}
    if not found:
        return []
    place = f"arn:{partition(spec.region)}:s3:::"
    buckets = sorted({f"{place}{url.removeprefix('s3://').partition('/')[0]}" for url in found})
    objects = sorted(f"{place}{url.removeprefix('s3://')}*" for url in found)
    return [
        Permission(
            sid="ReadPretrained",
            actions=["s3:GetObject"],
            resources=objects if exact else [f"{bucket}/*" for bucket in buckets],
            because="the archive or all below a prefix; a boundary names the bucket, so that many fit",
        ),
        Permission(
            sid="ListPretrained",
            actions=["s3:ListBucket"],
            resources=buckets,
        ),
    ]


def key_condition(spec: TeamEnvironment) -> Mapping[str, Any]:
    """That a key is the environment's, or AWS's own with which the bucket of CDK's assets is encrypted."""
    own = names.key_alias(spec.team, spec.name)
    return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": [own, "alias/aws/s3"]}}
