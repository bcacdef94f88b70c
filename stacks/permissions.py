"""What the roles of an environment may do at most, and what its jobs may do.

A permissions boundary grants nothing. It is here so that a mistake in one policy, or a role that someone
adds later, cannot reach another team: every line names this environment's resources, or says why it cannot.
There is one for each kind of role, so that what runs a team's code is held closer than what runs ours.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from atelier.spec.model import TeamEnvironment
from stacks import grants
from stacks import template_permissions as templates
from stacks.arns import BUCKET_KINDS, Arns
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
        grants.logs(arns.job_logs()),
        grants.secrets(arns),
        *grants.images(arns, spec),
        *grants.pretrained(spec),
        grants.unscoped("LogInToRegistries", "ecr:GetAuthorizationToken"),
        Permission(
            sid="OwnMetrics",
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringLike": {"cloudwatch:namespace": list(grants.METRIC_NAMESPACES)}},
            because=grants.UNSCOPED_ACTIONS["cloudwatch:PutMetricData"],
        ),
        *grants.join_network(arns, place),
        *([grants.unscoped("LookAtNetwork", *grants.LOOK_AT_NETWORK)] if place else []),
    ]


def _functions(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    return [
        # CDK's function that empties a bucket first stops new objects.
        grants.buckets(arns, "s3:DeleteObject*", "s3:PutBucketPolicy", kinds=BUCKET_KINDS),
        grants.key(arns, spec),
        grants.machine_learning(
            arns,
            (*grants.SERVED, "notebook-instance", "training-job"),
            "sagemaker:DeleteEndpoint",
            "sagemaker:Describe*",
            "sagemaker:InvokeEndpoint*",
            "sagemaker:StopNotebookInstance",
        ),
        grants.workflow_resources(arns),
        grants.logs([*arns.job_logs(), *arns.workflow_logs(), arns.notebook_logs()], "logs:GetLogEvents"),
        *_default_groups(arns, spec),
        grants.unscoped("NoResourceToName", *grants.unscoped_of("cloudwatch:", "sagemaker:", "xray:")),
    ]


def _removal(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    return [
        grants.machine_learning(
            arns,
            (*grants.SERVED, *grants.TRAINED, "notebook-instance", "studio-lifecycle-config"),
            "sagemaker:Delete*",
            "sagemaker:List*",
            "sagemaker:Stop*",
        ),
        *_removal_of_studio(arns, spec),
        Permission(
            sid="OwnWorkflows",
            actions=["lambda:InvokeFunction", "ssm:DeleteParameter", "states:*Execution*"],
            resources=arns.workflows(),
            because=grants.OWN_RESOURCES,
        ),
        grants.scaling(arns),
        grants.logs([*arns.job_logs(), *arns.workflow_logs()], "logs:DeleteLogGroup"),
        Permission(
            sid="OwnBudgets",
            actions=["budgets:DescribeBudgetActionsForBudget", "budgets:ExecuteBudgetAction"],
            resources=arns.budgets(),
            because="budgets that begin with the environment's name, and their actions",
        ),
        grants.unscoped(
            "NoResourceToName", "logs:DescribeLogGroups", *grants.unscoped_of("sagemaker:", "xray:")
        ),
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
            conditions={
                "StringLike": {f"aws:ResourceTag/{grants.OWNER_TAG}": arns.of("sagemaker", "domain/*")}
            },
            because="what SageMaker makes is tagged with its domain, and the function's policy names that",
        ),
        Permission(
            sid="InterfacesOfStudio",
            actions=["ec2:DeleteNetworkInterface"],
            resources=[arns.of("ec2", "network-interface/*")],
            because="an interface's id is random; the function's policy names the VPC",
        ),
        grants.unscoped("FindThem", "ec2:DescribeSecurityGroups", "elasticfilesystem:DescribeFileSystems"),
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
        grants.buckets(arns),
        grants.code(arns),
        grants.key(arns, spec),
        grants.machine_learning(
            arns,
            (*grants.SERVED, *grants.TRAINED),
            "sagemaker:AddTags",
            "sagemaker:Create*",
            "sagemaker:Delete*",
            "sagemaker:Describe*",
            "sagemaker:Stop*",
            "sagemaker:Update*",
        ),
        grants.workflow_resources(arns),
        grants.scaling(arns),
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
        grants.pass_role(arns),
        grants.unscoped("NoResourceToName", "sagemaker:ListEndpoints", *grants.unscoped_of("logs:", "xray:")),
    ]


def _jobs(arns: Arns, spec: TeamEnvironment, place: Place | None) -> list[Permission]:
    return [
        grants.buckets(arns),
        *grants.pretrained(spec, exact=False),
        grants.key(arns, spec),
        grants.secrets(arns),
        grants.logs(arns.job_logs()),
        *grants.images(arns, spec),
        *grants.join_network(arns, place),
        grants.unscoped(
            "NoResourceToName",
            "cloudwatch:PutMetricData",
            "ecr:GetAuthorizationToken",
            *grants.unscoped_of("ec2:"),
        ),
    ]


def _people(arns: Arns, spec: TeamEnvironment) -> list[Permission]:
    return [
        grants.buckets(arns, "s3:DeleteObject*"),
        grants.key(arns, spec),
        grants.peoples_machine_learning(arns),
        grants.studio(arns, spec),
        grants.peoples_workflows(arns, spec),
        grants.pass_role(arns),
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
        grants.unscoped("NoResourceToName", *grants.unscoped_of("sagemaker:")),
    ]


def _workplaces(arns: Arns, spec: TeamEnvironment, place: Place | None) -> list[Permission]:
    return [
        grants.buckets(arns, "s3:DeleteObject*"),
        grants.key(arns, spec),
        grants.secrets(arns),
        grants.peoples_machine_learning(arns),
        grants.studio(arns, spec, *grants.LOOKED_AT),
        grants.peoples_workflows(arns, spec),
        grants.pass_role(arns),
        grants.logs([*arns.job_logs(), *arns.workplace_logs()], "logs:GetLogEvents"),
        *grants.images(arns, spec),
        *grants.join_network(arns, place),
        grants.unscoped(
            "NoResourceToName",
            "cloudwatch:PutMetricData",
            "ecr:GetAuthorizationToken",
            *grants.unscoped_of("ec2:", "sagemaker:"),
        ),
    ]


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
        grants.code(arns),
        grants.key(arns, spec),
        *grants.images(arns, spec, *grants.PUSH_ACTIONS),
        grants.logs([arns.of("logs", "log-group:/aws/codebuild/{}-*")]),
        grants.unscoped("NoResourceToName", "ecr:GetAuthorizationToken"),
    ]
