"""What people may do in an environment, by what they are to the team.

Nobody gets more than their work takes: a data scientist trains and asks, a reviewer looks and decides, an
admin also mends and removes, automation starts runs and reads. What they create is held to the guardrails
and runs as the execution role, the only one that they may pass on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.guardrail_conditions import JOBS, own_tags
from stacks.constructs.permission import Permission, run_as
from stacks.grants import SERVED, TRAINED, UNSCOPED_ACTIONS, unscoped

Persona: TypeAlias = Literal["data_scientist", "reviewer", "admin", "automation"]

KEY_ACTIONS = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
OWN = "everything of the environment, by its name"
NAMED_LATER = "named when they are made; their names begin with the environment's"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What the sentences are about; the two ARNs may be tokens."""

    spec: TeamEnvironment
    key_arn: str
    execution_role_arn: str

    @property
    def arns(self) -> Arns:
        """The environment's ARNs."""
        return Arns(self.spec)

    def sagemaker(self, *kinds: str) -> list[str]:
        """The environment's resources of these kinds, such as `training-job`."""
        return [self.arns.of("sagemaker", f"{kind}/{{}}-*") for kind in kinds]


def permissions_of(persona: Persona, subject: Subject, *, inside: bool = False) -> list[Permission]:
    """All that a persona may do; `inside` Studio or a notebook, only what the work there takes."""
    sentences = [one for one in SENTENCES[persona] if not (inside and one in OUTSIDE)]
    return [permission for sentence in sentences for permission in sentence(subject)]


def _start_runs(subject: Subject) -> Iterable[Permission]:
    spec = subject.spec
    yield Permission(
        sid="StartRuns",
        actions=["lambda:InvokeFunction"],
        resources=[
            subject.arns.of("lambda", f"function:{names.function(spec.team, spec.name, 'start_training')}")
        ],
    )
    yield Permission(
        sid="StopRuns",
        actions=["states:StopExecution"],
        resources=[subject.arns.of("states", "execution:{}-train-*")],
        because="every run of the environment",
    )


def _follow_runs(subject: Subject) -> Iterable[Permission]:
    arns = subject.arns
    yield Permission(
        sid="FollowRuns",
        actions=[
            "states:DescribeExecution",
            "states:DescribeStateMachine",
            "states:GetExecutionHistory",
            "states:ListExecutions",
        ],
        resources=arns.executions(),
        because="every run and deployment of the environment",
    )
    yield Permission(
        sid="ReadLogs",
        actions=["logs:DescribeLogStreams", "logs:GetLogEvents"],
        resources=arns.job_logs(),
        because="streams are named when they begin; they begin with the environment's name",
    )
    yield Permission(
        sid="ReadRecords",
        actions=["ssm:GetParameter"],
        resources=[
            arns.of("ssm", f"parameter{names.endpoint_record(subject.spec.team, subject.spec.name, '*')}")
        ],
        because="the record of every endpoint",
    )


def _see_models(subject: Subject) -> Iterable[Permission]:
    yield Permission(
        sid="SeeModels",
        actions=[
            "sagemaker:DescribeEndpoint",
            "sagemaker:DescribeEndpointConfig",
            "sagemaker:DescribeHyperParameterTuningJob",
            "sagemaker:DescribeModel",
            "sagemaker:DescribeModelPackage",
            "sagemaker:DescribeModelPackageGroup",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:DescribeTrainingJob",
            "sagemaker:DescribeTransformJob",
            "sagemaker:ListTags",
        ],
        resources=subject.sagemaker(*SERVED, *TRAINED),
        because=OWN,
    )
    yield unscoped("FindThem", *(one for one in UNSCOPED_ACTIONS if one.startswith("sagemaker:List")))


def _read_data(subject: Subject) -> Iterable[Permission]:
    data, artifacts = subject.arns.bucket("data"), subject.arns.bucket("artifacts")
    yield Permission(sid="ListBuckets", actions=["s3:ListBucket"], resources=[data, artifacts])
    yield Permission(
        sid="ReadDataAndArtifacts",
        actions=["s3:GetObject"],
        resources=[f"{data}/*", f"{artifacts}/*"],
        because="all objects of the environment's own buckets",
    )
    yield Permission(sid="UseKey", actions=KEY_ACTIONS, resources=[subject.key_arn])


def _write_data(subject: Subject) -> Iterable[Permission]:
    prefixes = {prefix for job in subject.spec.jobs.values() for prefix in job.sources.values()}
    data = subject.arns.bucket("data")
    if prefixes:
        yield Permission(
            sid="WriteData",
            actions=["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"],
            resources=[f"{data}/{prefix}*" for prefix in sorted(prefixes)],
            because="objects below the prefixes that jobs read",
        )


def _ask_endpoints(subject: Subject) -> Iterable[Permission]:
    yield Permission(
        sid="AskEndpoints",
        actions=["sagemaker:InvokeEndpoint"],
        resources=subject.sagemaker("endpoint"),
        because=OWN,
    )


def _experiment(subject: Subject) -> Iterable[Permission]:
    """Jobs beside those of the team file, as from a notebook."""
    yield Permission(
        sid="Experiment",
        actions=[
            *JOBS,
            "sagemaker:AddTags",
            "sagemaker:StopHyperParameterTuningJob",
            "sagemaker:StopProcessingJob",
            "sagemaker:StopTrainingJob",
            "sagemaker:StopTransformJob",
        ],
        resources=subject.sagemaker(*TRAINED),
        because=NAMED_LATER,
    )
    yield run_as(subject.execution_role_arn)


def _decide(subject: Subject) -> Iterable[Permission]:
    yield Permission(
        sid="ApproveAndReject",
        actions=["sagemaker:UpdateModelPackage"],
        resources=subject.sagemaker("model-package"),
        conditions={"StringEquals": {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]}},
        because="every version of every job's models",
    )


def _own_studio(subject: Subject) -> Iterable[Permission]:
    studio = subject.spec.studio
    if studio is None or studio.sign_in == "sso":
        return  # through IAM Identity Center people come in without a presigned URL
    yield Permission(
        sid="OpenOwnStudio",
        actions=["sagemaker:CreatePresignedDomainUrl"],
        resources=[subject.arns.of("sagemaker", "user-profile/*/${{aws:SourceIdentity}}")],
        conditions={"StringEquals": own_tags(subject.spec, "aws:ResourceTag")},
        because="the domain's id is random; the tags are those of the environment's own",
    )


def _own_notebooks(subject: Subject) -> Iterable[Permission]:
    by_owner: dict[str | None, list[str]] = {}
    for name, notebook in subject.spec.notebooks.items():
        by_owner.setdefault(notebook.owner, []).append(name)
    for number, (owner, notebooks) in enumerate(by_owner.items(), 1):
        yield Permission(
            sid=f"OpenNotebooks{number}",
            actions=[
                "sagemaker:CreatePresignedNotebookInstanceUrl",
                "sagemaker:DescribeNotebookInstance",
                "sagemaker:StartNotebookInstance",
                "sagemaker:StopNotebookInstance",
            ],
            resources=_notebooks(subject, notebooks),
            conditions={"StringEquals": {"aws:SourceIdentity": owner}} if owner else {},
        )


def _mend(subject: Subject) -> Iterable[Permission]:
    arns = subject.arns
    yield Permission(
        sid="StopAndRemove",
        actions=[
            "sagemaker:DeleteEndpoint",
            "sagemaker:DeleteEndpointConfig",
            "sagemaker:DeleteModel",
            "sagemaker:DeleteModelPackage",
        ],
        resources=subject.sagemaker("endpoint", "endpoint-config", "model", "model-package"),
        because=OWN,
    )
    yield Permission(
        sid="StopDeployments",
        actions=["states:StopExecution"],
        resources=[arns.of("states", "execution:{}-deploy-*")],
        because="every deployment of the environment",
    )


def _try_again(subject: Subject) -> Iterable[Permission]:
    yield Permission(
        sid="TryDeadLettersAgain",
        actions=[
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:StartMessageMoveTask",
        ],
        resources=[subject.arns.of("sqs", "{}-*")],
        because="CloudFormation names the queues after their stack",
    )


def _keep_workplaces(subject: Subject) -> Iterable[Permission]:
    arns, studio = subject.arns, subject.spec.studio
    yield Permission(
        sid="KeepNotebooks",
        actions=[
            "sagemaker:AddTags",
            "sagemaker:CreateNotebookInstance",
            "sagemaker:DeleteNotebookInstance",
            "sagemaker:DescribeNotebookInstance",
            "sagemaker:StopNotebookInstance",
            "sagemaker:UpdateNotebookInstance",
        ],
        resources=subject.sagemaker("notebook-instance"),
        because=NAMED_LATER,
    )
    if studio is not None:
        yield Permission(
            sid="KeepStudio",
            actions=[
                "sagemaker:DeleteApp",
                "sagemaker:DeleteSpace",
                "sagemaker:DescribeApp",
                "sagemaker:DescribeDomain",
                "sagemaker:DescribeSpace",
                "sagemaker:DescribeUserProfile",
                "sagemaker:UpdateDomain",
                "sagemaker:UpdateSpace",
                "sagemaker:UpdateUserProfile",
            ],
            resources=[
                arns.of("sagemaker", f"{kind}/*") for kind in ("app", "domain", "space", "user-profile")
            ],
            conditions={"StringEquals": own_tags(subject.spec, "aws:ResourceTag")},
            because="the domain's id is random; the tags are those of the environment's own",
        )


def _see_what_is_deployed(subject: Subject) -> Iterable[Permission]:
    arns = subject.arns
    yield Permission(
        sid="SeeStacks",
        actions=[
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStackResources",
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplate",
            "cloudformation:ListStackResources",
        ],
        resources=[arns.of("cloudformation", "stack/{}-*")],
        because="every stack of the environment, whose ARNs end in a random id",
    )
    yield Permission(
        sid="SeeRoles",
        actions=[
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ],
        resources=[arns.roles(), arns.policies()],
        because="CloudFormation names roles and policies after their stack",
    )


def _notebooks(subject: Subject, notebooks: Sequence[str]) -> list[str]:
    spec = subject.spec
    physical = [names.notebook(spec.team, spec.name, name) for name in notebooks]
    return [subject.arns.of("sagemaker", f"notebook-instance/{name}") for name in physical]


_LOOK = (_follow_runs, _see_models)
_WORK = (_start_runs, *_LOOK, _read_data, _write_data, _ask_endpoints)
_OWN = (_own_studio, _own_notebooks)
SENTENCES: dict[Persona, tuple[Callable[[Subject], Iterable[Permission]], ...]] = {
    "data_scientist": (*_WORK, _experiment, *_OWN),
    "reviewer": (*_LOOK, _read_data, _ask_endpoints, _decide, *_OWN),
    "admin": (
        *_WORK,
        _experiment,
        _decide,
        *_OWN,
        _mend,
        _keep_workplaces,
        _try_again,
        _see_what_is_deployed,
    ),
    "automation": (*_WORK, _see_what_is_deployed),
}
OUTSIDE = {*_OWN, _try_again, _see_what_is_deployed}
