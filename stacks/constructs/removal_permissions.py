"""What it takes to remove what CloudFormation does not know."""

from __future__ import annotations

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.permission import Permission
from stacks.grants import OWNER_TAG, TRAINED, unscoped

REMOVED = (
    "endpoint",
    "endpoint-config",
    "model",
    "model-package",
    "notebook-instance",
    "studio-lifecycle-config",
)
NAMED_LATER = "what people and workflows make is named then; the names begin with the environment's"


def of_work(spec: TeamEnvironment) -> list[Permission]:
    """Stop all that runs for an environment, remove all that answers for it, lift its budget's limit."""
    arns = Arns(spec)
    myself = names.function(spec.team, spec.name, "remove_resources")
    return [
        Permission(
            sid="GoOn",
            actions=["lambda:InvokeFunction"],
            resources=[arns.of("lambda", f"function:{myself}")],
        ),
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
            sid="StopJobs",
            actions=[
                "sagemaker:StopHyperParameterTuningJob",
                "sagemaker:StopProcessingJob",
                "sagemaker:StopTrainingJob",
                "sagemaker:StopTransformJob",
            ],
            resources=[arns.of("sagemaker", f"{kind}/{{}}-*") for kind in TRAINED],
            because=NAMED_LATER,
        ),
        Permission(
            sid="RemoveWhatAnswers",
            actions=[
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
                "sagemaker:DeleteModelPackage",
                "sagemaker:DeleteNotebookInstance",
                "sagemaker:DeleteStudioLifecycleConfig",
                "sagemaker:StopNotebookInstance",
            ],
            resources=[arns.of("sagemaker", f"{kind}/{{}}-*") for kind in REMOVED],
            because=NAMED_LATER,
        ),
        unscoped(
            "FindThem",
            "logs:DescribeLogGroups",
            "sagemaker:ListEndpointConfigs",
            "sagemaker:ListEndpoints",
            "sagemaker:ListHyperParameterTuningJobs",
            "sagemaker:ListModelPackages",
            "sagemaker:ListModels",
            "sagemaker:ListNotebookInstances",
            "sagemaker:ListProcessingJobs",
            "sagemaker:ListStudioLifecycleConfigs",
            "sagemaker:ListTrainingJobs",
            "sagemaker:ListTransformJobs",
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
    ]


def of_domain(spec: TeamEnvironment, domain_id: str, vpc_id: str) -> list[Permission]:
    """Remove one domain, what is in it, and what SageMaker made around it; the ids may be tokens."""
    arns = Arns(spec)
    sagemaker = arns.of("sagemaker", "")
    domain = f"{sagemaker}domain/{domain_id}"
    around_it = {"StringEquals": {f"aws:ResourceTag/{OWNER_TAG}": domain}}
    return [
        Permission(
            sid="RemoveDomain",
            actions=["sagemaker:DeleteDomain", "sagemaker:DescribeDomain"],
            resources=[domain],
        ),
        Permission(
            sid="RemoveWhatIsInIt",
            actions=["sagemaker:DeleteApp", "sagemaker:DeleteSpace", "sagemaker:DeleteUserProfile"],
            resources=[f"{sagemaker}{kind}/{domain_id}/*" for kind in ("app", "space", "user-profile")],
            because="of this domain; what people make in it has names of their own",
        ),
        unscoped(
            "FindWhatIsInIt", "sagemaker:ListApps", "sagemaker:ListSpaces", "sagemaker:ListUserProfiles"
        ),
        Permission(
            sid="RemoveHomes",
            actions=[
                "elasticfilesystem:DeleteFileSystem",
                "elasticfilesystem:DeleteMountTarget",
                "elasticfilesystem:DescribeMountTargets",
            ],
            resources=[arns.of("elasticfilesystem", "file-system/*")],
            conditions=around_it,
            because="SageMaker makes the file system; its tag says of which domain it is",
        ),
        # EFS takes a mount target's interface away in the name of who deletes the mount target.
        Permission(
            sid="RemoveInterfacesOfHomes",
            actions=["ec2:DeleteNetworkInterface"],
            resources=[arns.of("ec2", "network-interface/*")],
            conditions={"ArnEquals": {"ec2:Vpc": arns.of("ec2", "vpc/") + vpc_id}},
            because="an interface's id is random; those of this VPC alone, and none that is in use",
        ),
        Permission(
            sid="RemoveGroups",
            actions=[
                "ec2:DeleteSecurityGroup",
                "ec2:RevokeSecurityGroupEgress",
                "ec2:RevokeSecurityGroupIngress",
            ],
            resources=[arns.of("ec2", "security-group/*")],
            conditions=around_it,
            because="SageMaker makes the two groups; their tag says of which domain they are",
        ),
        # The domain that could name them may be gone by then.
        unscoped("FindAroundIt", "ec2:DescribeSecurityGroups", "elasticfilesystem:DescribeFileSystems"),
    ]
