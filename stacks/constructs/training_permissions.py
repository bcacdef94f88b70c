"""What a job's state machine may do: what its steps ask for, and no more."""

from __future__ import annotations

from collections.abc import Iterator

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.code_archive import CodeArchive
from stacks.constructs.permission import Permission, run_as

KEY_ACTIONS = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
WAITED_FOR = {
    "prepare": ("Prepare", "ProcessingJob", "processing-job", "Processing"),
    "train": ("Train", "TrainingJob", "training-job", "Training"),
    "tune": ("Tune", "HyperParameterTuningJob", "hyper-parameter-tuning-job", "Tuning"),
    "transform": ("Transform", "TransformJob", "transform-job", "Transform"),
}
"""By step: the statement's id, the API's name, the kind in ARNs, the name of Step Functions' managed rule."""


def permissions_of_run(
    spec: TeamEnvironment,
    job: str,
    code: CodeArchive | None,
    *,
    key_arn: str,
    execution_role_arn: str,
    explain_arn: str,
) -> list[Permission]:
    """The permissions of the state machine of the job called `job`; the ARNs may be tokens."""
    arns = Arns(spec)
    group = names.model_package_group(spec.team, spec.name, job)
    steps = _steps(spec, job)
    artifacts = arns.bucket("artifacts")
    return [
        *(_code(artifacts, job, code) if code else []),
        *_jobs(arns, group, steps),
        run_as(execution_role_arn),
        Permission(
            sid="RegisterModels",
            actions=["sagemaker:CreateModelPackage"],
            resources=[
                arns.of("sagemaker", f"model-package-group/{group}"),
                arns.of("sagemaker", f"model-package/{group}/*"),
            ],
            because="versions are numbered when they are registered",
        ),
        Permission(
            sid="ReadModels",
            actions=["s3:GetObject"],
            resources=[f"{artifacts}/models/{job}/*"],
            because="models lie below the name of their training job",
        ),
        Permission(sid="UseKey", actions=KEY_ACTIONS, resources=[key_arn]),
        Permission(
            sid="LendKeyToSageMaker",
            actions=["kms:CreateGrant"],
            resources=[key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        Permission(sid="Explain", actions=["lambda:InvokeFunction"], resources=[explain_arn]),
    ]


def _steps(spec: TeamEnvironment, job: str) -> list[str]:
    """The steps of the job that wait for a job of SageMaker's."""
    has = spec.jobs[job]
    asked = {
        "prepare": has.prepare is not None,
        "train": has.trains and has.tuning is None,
        "tune": has.tuning is not None,
        "transform": has.transform is not None,
    }
    return [step for step, is_asked in asked.items() if is_asked]


def _code(artifacts: str, job: str, code: CodeArchive) -> Iterator[Permission]:
    asset = f"{code.bucket.bucket_arn}/{code.s3_object_key}"
    yield Permission(sid="ReadCode", actions=["s3:GetObject"], resources=[asset])
    yield Permission(
        sid="KeepCode",
        actions=["s3:PutObject"],
        resources=[f"{artifacts}/code/{job}/*"],
        because="an archive's key is its digest",
    )


def _jobs(arns: Arns, group: str, steps: list[str]) -> Iterator[Permission]:
    for step in steps:
        sid, name, kind, _ = WAITED_FOR[step]
        yield Permission(
            sid=sid,
            actions=[
                "sagemaker:AddTags",
                f"sagemaker:Create{name}",
                f"sagemaker:Describe{name}",
                f"sagemaker:Stop{name}",
            ],
            resources=[arns.of("sagemaker", f"{kind}/{group}-*")],
            because="jobs are named when they begin; they begin with the job's name",
        )
    if "tune" in steps:
        yield Permission(
            sid="LookAtTheBest",
            actions=["sagemaker:DescribeTrainingJob"],
            resources=[arns.of("sagemaker", f"training-job/{group}-*")],
            because="a tuning job's trainings begin with its name",
        )
    if "transform" in steps:
        yield Permission(
            sid="MakeModels",
            actions=["sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DeleteModel"],
            resources=[arns.of("sagemaker", f"model/{group}-*")],
            because="models are named when a batch begins; they begin with the job's name",
        )
    rules = [f"rule/StepFunctionsGetEventsForSageMaker{WAITED_FOR[step][3]}JobsRule" for step in steps]
    if rules:
        yield Permission(
            sid="HearOfTheEnd",
            actions=["events:DescribeRule", "events:PutRule", "events:PutTargets"],
            resources=[arns.of("events", rule) for rule in rules],
        )
