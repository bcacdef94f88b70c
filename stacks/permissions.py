"""What the roles of an environment may do at most, and what its jobs may do.

A permissions boundary grants nothing. It is here so that a mistake in one policy, or a role that someone
adds later, cannot reach another team: every line names this environment's resources, or says why it cannot.
There is one for each kind of role, so that what runs a team's code is held closer than what runs ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks import template_permissions as templates
from stacks.arns import BUCKET_KINDS, Arns, partition
from stacks.constructs.guardrail_conditions import THEMES, Place, Theme, keep_tags, own_tags
from stacks.constructs.permission import Permission

Kind: TypeAlias = Literal[
    "functions", "removal", "workflows", "jobs", "people", "workplaces", "budgets", "builds"
]
"""Who has a role: our functions, the one of them that removes, our state machines, the team's jobs and
endpoints, people who assume it, Studio and notebooks where people run code of their own, AWS Budgets, builds
of images."""
KINDS: tuple[Kind, ...] = get_args(Kind)
GUARDED: dict[Kind, tuple[Theme, ...]] = {
    "workflows": ("jobs", "endpoints"),
    "people": THEMES,
    "workplaces": THEMES,
}
"""Which guardrails hold for which kind of role; the others can create nothing that guardrails are about."""

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


def boundary(kind: Kind, spec: TeamEnvironment, place: Place | None = None) -> list[Permission]:
    """The permissions boundary of one kind of role; 6,144 characters at most in all."""
    arns = Arns(spec)
    match kind:
        case "functions":
            allowed = _functions(arns, spec)
        case "removal":
            allowed = _removal(arns, spec)
        case "workflows":
            allowed = _workflows(arns, spec)
        case "jobs":
            allowed = _jobs(arns, spec, place)
        case "people":
            allowed = _people(arns, spec)
        case "workplaces":
            allowed = _workplaces(arns, spec, place)
        case "budgets":
            allowed = _budgets(arns)
        case "builds":
            allowed = _builds(arns, spec)
    allowed += templates.within_boundary(kind, spec)
    # For those whom guardrails hold, these are among them.
    return allowed if kind in GUARDED else [*allowed, *keep_tags(spec)]


def execution(spec: TeamEnvironment, place: Place | None = None) -> list[Permission]:
    """What a training job or endpoint may do besides reading data and writing artifacts."""
    arns = Arns(spec)
    return [
        _logs(arns.job_logs()),
        _secrets(arns),
        *_images(arns, spec),
        *_pretrained(spec),
        unscoped("LogInToRegistries", "ecr:GetAuthorizationToken"),
        Permission(
            sid="OwnMetrics",
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringLike": {"cloudwatch:namespace": list(METRIC_NAMESPACES)}},
            because=UNSCOPED_ACTIONS["cloudwatch:PutMetricData"],
        ),
        *_join_network(arns, place),
        *([unscoped("LookAtNetwork", *LOOK_AT_NETWORK)] if place else []),
    ]


def unscoped(sid: str, *actions: str) -> Permission:
    """Actions of UNSCOPED_ACTIONS."""
    return Permission(
        sid=sid,
        actions=list(actions),
        resources=["*"],
        because="; ".join(sorted({UNSCOPED_ACTIONS[action] for action in actions})),
    )


def _functions(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    return [
        # CDK's function that empties a bucket first stops new objects.
        _buckets(arns, "s3:DeleteObject*", "s3:PutBucketPolicy", kinds=BUCKET_KINDS),
        _key(arns, spec),
        _machine_learning(
            arns,
            (*SERVED, "notebook-instance", "training-job"),
            "sagemaker:DeleteEndpoint",
            "sagemaker:Describe*",
            "sagemaker:InvokeEndpoint*",
            "sagemaker:StopNotebookInstance",
        ),
        _workflow_resources(arns),
        _logs([*arns.job_logs(), *arns.workflow_logs(), arns.notebook_logs()], "logs:GetLogEvents"),
        *_default_groups(arns, spec),
        unscoped("NoResourceToName", *_unscoped("cloudwatch:", "sagemaker:", "xray:")),
    ]


def _removal(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    return [
        _machine_learning(
            arns,
            (*SERVED, *TRAINED, "notebook-instance", "studio-lifecycle-config"),
            "sagemaker:Delete*",
            "sagemaker:List*",
            "sagemaker:Stop*",
        ),
        *_removal_of_studio(arns, spec),
        Permission(
            sid="OwnWorkflows",
            actions=["lambda:InvokeFunction", "ssm:DeleteParameter", "states:*Execution*"],
            resources=arns.workflows(),
            because=OWN_RESOURCES,
        ),
        _scaling(arns),
        _logs([*arns.job_logs(), *arns.workflow_logs()], "logs:DeleteLogGroup"),
        Permission(
            sid="OwnBudgets",
            actions=["budgets:DescribeBudgetActionsForBudget", "budgets:ExecuteBudgetAction"],
            resources=arns.budgets(),
            because="budgets that begin with the environment's name, and their actions",
        ),
        unscoped("NoResourceToName", "logs:DescribeLogGroups", *_unscoped("sagemaker:", "xray:")),
    ]


def _removal_of_studio(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    """A domain, with what people and SageMaker made in it and around it."""
    if spec.studio is None:
        return []
    kinds = ("app", "domain", "space", "user-profile")
    return [
        Permission(
            sid="OwnStudio",
            actions=[
                "sagemaker:DeleteApp",
                "sagemaker:DeleteDomain",
                "sagemaker:DeleteSpace",
                "sagemaker:DeleteUserProfile",
                "sagemaker:DescribeDomain",
            ],
            resources=[arns.of("sagemaker", f"{kind}/*") for kind in kinds],
            # What people make by hand carries no tags of ours.
            conditions={"StringEqualsIfExists": own_tags(spec, "aws:ResourceTag")},
            because="a domain's id is random, and the function's policy names it",
        ),
        Permission(
            sid="AroundStudio",
            actions=[
                "ec2:DeleteSecurityGroup",
                "ec2:RevokeSecurityGroup*",
                "elasticfilesystem:Delete*",
                "elasticfilesystem:DescribeMountTargets",
            ],
            resources=[arns.of("ec2", "security-group/*"), arns.of("elasticfilesystem", "file-system/*")],
            conditions={"StringLike": {f"aws:ResourceTag/{OWNER_TAG}": arns.of("sagemaker", "domain/*")}},
            because="what SageMaker makes is tagged with its domain, and the function's policy names that",
        ),
        Permission(
            sid="InterfacesOfStudio",
            actions=["ec2:DeleteNetworkInterface"],
            resources=[arns.of("ec2", "network-interface/*")],
            because="an interface's id is random; the function's policy names the VPC",
        ),
        unscoped("FindThem", "ec2:DescribeSecurityGroups", "elasticfilesystem:DescribeFileSystems"),
    ]


def _default_groups(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    """The function that closes the default security group of a VPC that is created here."""
    if spec.network.mode != "created":
        return []
    return [
        Permission(
            sid="CloseDefaultGroup",
            actions=["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"],
            resources=[arns.of("ec2", "security-group/*")],
            because="a group's id is random; the function's own policy names it, and rules are only taken",
        )
    ]


def _workflows(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    return [
        _buckets(arns),
        _code(arns),
        _key(arns, spec),
        _machine_learning(
            arns,
            (*SERVED, *TRAINED),
            "sagemaker:AddTags",
            "sagemaker:Create*",
            "sagemaker:Delete*",
            "sagemaker:Describe*",
            "sagemaker:Stop*",
            "sagemaker:Update*",
        ),
        _workflow_resources(arns),
        _scaling(arns),
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
        _pass_role(arns),
        unscoped("NoResourceToName", "sagemaker:ListEndpoints", *_unscoped("logs:", "xray:")),
    ]


def _jobs(arns: Arns, spec: TeamEnvironment, place: Place | None) -> list[Permission]:
    return [
        _buckets(arns),
        *_pretrained(spec, exact=False),
        _key(arns, spec),
        _secrets(arns),
        _logs(arns.job_logs()),
        *_images(arns, spec),
        *_join_network(arns, place),
        unscoped(
            "NoResourceToName",
            "cloudwatch:PutMetricData",
            "ecr:GetAuthorizationToken",
            *_unscoped("ec2:"),
        ),
    ]


def _people(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    return [
        _buckets(arns, "s3:DeleteObject*"),
        _key(arns, spec),
        _peoples_machine_learning(arns),
        _studio(arns, spec),
        _peoples_workflows(arns, spec),
        _pass_role(arns),
        Permission(
            sid="OwnDeadLetters",
            actions=["sqs:*Message*", "sqs:GetQueueAttributes"],
            resources=[arns.of("sqs", "{}-*")],
            because="CloudFormation names the queues after their stack",
        ),
        Permission(
            sid="SeeWhatIsDeployed",
            actions=[
                "cloudformation:Describe*",
                "cloudformation:GetTemplate",
                "cloudformation:ListStackResources",
                "iam:Get*",
                "iam:List*",
            ],
            resources=[arns.of("cloudformation", "stack/{}-*"), arns.roles(), arns.policies()],
            because="stacks, and roles and policies, which CloudFormation names after their stack",
        ),
        Permission(
            sid="ReadLogs",
            actions=["logs:DescribeLogStreams", "logs:GetLogEvents"],
            resources=arns.job_logs(),
            because="streams are named when they begin; they begin with the environment's name",
        ),
        unscoped("NoResourceToName", *_unscoped("sagemaker:")),
    ]


def _workplaces(arns: Arns, spec: TeamEnvironment, place: Place | None) -> list[Permission]:
    return [
        _buckets(arns, "s3:DeleteObject*"),
        _key(arns, spec),
        _secrets(arns),
        _peoples_machine_learning(arns),
        _studio(arns, spec, *LOOKED_AT),
        _peoples_workflows(arns, spec),
        _pass_role(arns),
        _logs([*arns.job_logs(), *arns.workplace_logs()], "logs:GetLogEvents"),
        *_images(arns, spec),
        *_join_network(arns, place),
        unscoped(
            "NoResourceToName",
            "cloudwatch:PutMetricData",
            "ecr:GetAuthorizationToken",
            *_unscoped("ec2:", "sagemaker:"),
        ),
    ]


def _machine_learning(arns: Arns, kinds: Sequence[str], *actions: str) -> Permission:
    return Permission(
        sid="OwnMachineLearning",
        actions=actions,
        # Without the region, so that the longest names fit: an environment's name is that of one region.
        resources=[arns.of("sagemaker", f"{kind}/{{}}-*", region="*") for kind in kinds],
        because=CREATED,
    )


def _peoples_machine_learning(arns: Arns) -> Permission:
    return _machine_learning(
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


def _peoples_workflows(arns: Arns, spec: TeamEnvironment) -> Permission:
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


def _unscoped(*services: str) -> list[str]:
    """Those of UNSCOPED_ACTIONS that begin so, such as `sagemaker:`."""
    return [one for one in UNSCOPED_ACTIONS if one.startswith(services)]


def _studio(arns: Arns, spec: TeamEnvironment, *also: str) -> Permission:
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


def _budgets(arns: Arns) -> list[Permission]:
    return [
        Permission(
            sid="StopAtTheBudgetsLimit",
            actions=["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            resources=[arns.roles()],
            conditions={"ArnLike": {"iam:PolicyARN": arns.policies("cost")}},
            because="every role that spends; the policy is the cost stack's, which only denies",
        )
    ]


def _builds(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    return [
        _code(arns),
        _key(arns, spec),
        *_images(arns, spec, *PUSH_ACTIONS),
        _logs([arns.of("logs", "log-group:/aws/codebuild/{}-*")]),
        unscoped("NoResourceToName", "ecr:GetAuthorizationToken"),
    ]


def _buckets(arns: Arns, *also: str, kinds: Sequence[names.BucketKind] = ("data", "artifacts")) -> Permission:
    return Permission(
        sid="OwnBuckets",
        actions=["s3:AbortMultipartUpload", "s3:Get*", "s3:List*", "s3:PutObject*", *also],
        resources=[arns.bucket(kind) + objects for kind in kinds for objects in ("", "/*")],
        because="the environment's own buckets, by their full names",
    )


def _code(arns: Arns) -> Permission:
    return Permission(
        sid="OwnCode",
        actions=["s3:GetObject", "s3:GetObjectVersion"],
        resources=[arns.assets()],
        because="an asset's key is a hash; the bucket is this account's",
    )


def _key(arns: Arns, spec: TeamEnvironment) -> Permission:
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


def _secrets(arns: Arns) -> Permission:
    return Permission(
        sid="OwnSecrets",
        actions=["secretsmanager:GetSecretValue"],
        resources=[arns.of("secretsmanager", "secret:{}/*")],
        because="secrets below the environment's name, whose ARNs end in random characters",
    )


def _workflow_resources(arns: Arns) -> Permission:
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


def _scaling(arns: Arns) -> Permission:
    return Permission(
        sid="OwnScaling",
        actions=["application-autoscaling:*"],
        resources=[arns.of("application-autoscaling", "scalable-target/*")],
        because="a scalable target's ARN is random; the role that uses one names its endpoint",
    )


def _pass_role(arns: Arns) -> Permission:
    return Permission(
        sid="PassOwnRoles",
        actions=["iam:PassRole"],
        resources=[arns.roles()],
        conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        because="CloudFormation names roles after their stack; policies name the exact role",
    )


def _join_network(arns: Arns, place: Place | None) -> list[Permission]:
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


def _logs(groups: Sequence[str], *also: str) -> Permission:
    return Permission(
        sid="OwnLogs",
        actions=[*LOG_ACTIONS, *also],
        resources=groups,
        because="streams are named when they begin; they begin with the environment's name",
    )


def _images(arns: Arns, spec: TeamEnvironment, *also: str) -> list[Permission]:
    return [
        Permission(
            sid="OwnImages",
            actions=[*PULL_ACTIONS, "ecr:DescribeImages", *also],
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


def _pretrained(spec: TeamEnvironment, *, exact: bool = True) -> list[Permission]:
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
