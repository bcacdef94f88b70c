"""`atelier approve` and `atelier reject`: a person's word on a model that passed its gate."""

from __future__ import annotations

from typing import Annotated

import typer
from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.errors import CliError
from atelier.cli.runs import WAITING
from atelier.cli.target import EnvOption, Target, TeamOption, choose_target
from atelier.spec import names

Package = Annotated[
    str, typer.Argument(metavar="MODEL-PACKAGE", help="Its ARN, or <job>/<version> such as curve/3.")
]
Note = Annotated[str | None, typer.Option(help="Why; kept with the model.")]


def approve(package: Package, team: TeamOption = None, env: EnvOption = None, note: Note = None) -> None:
    """Approve a model: it is deployed."""
    _decide(choose_target(team, env), package, "Approved", note)


def reject(package: Package, team: TeamOption = None, env: EnvOption = None, note: Note = None) -> None:
    """Reject a model: it is not deployed."""
    _decide(choose_target(team, env), package, "Rejected", note)


def _decide(target: Target, package: str, status: str, note: str | None) -> None:
    sagemaker = target.client("sagemaker")
    arn = _arn(target, package)
    try:
        before = sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"]
    except ClientError as error:
        if wrong := target.wrong_account():
            raise wrong from error
        if "does not exist" in errors.message(error):
            raise CliError(f"there is no model package {package}: {_known(target, arn)}") from error
        raise
    again = before == status
    if again and status == "Rejected":
        raise CliError(f"{arn} is rejected already")
    if again:
        # Only a change of the approval is told to what deploys; an approval that stays is none.
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=WAITING)
    description = {"ApprovalDescription": note} if note else {}
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status, **description)
    typer.echo(f"{arn} {status.lower()}{' again: it is deployed again' if again else ''}")


def _arn(target: Target, package: str) -> str:
    """The ARN of a package of the environment, which may be given as its ARN."""
    if package.startswith("arn:"):
        if package.rpartition("/")[0] not in [_versions(target, job) for job in target.spec.jobs]:
            raise CliError(
                f"{package} is no model package of {target.label}: choose its team and environment "
                "with --team and --env"
            )
        return package
    job, _, version = package.partition("/")
    if not version.isdecimal():
        raise CliError(f"{package!r} is no model package: write its ARN, or <job>/<version> such as curve/3")
    target.check_job(job)
    return f"{_versions(target, job)}/{version}"


def _versions(target: Target, job: str) -> str:
    """What the ARNs of all versions of a job's model begin with."""
    group = names.model_package_group(target.spec.team, target.spec.name, job)
    return target.arn("sagemaker", f"model-package/{group}")


def _known(target: Target, arn: str) -> str:
    """The newest models of the job of a package, and which of any job wait for a word."""
    [job] = [one for one in target.spec.jobs if arn.startswith(f"{_versions(target, one)}/")]
    newest = ", ".join(_models(target, job)) or f"none of job {job}"
    waiting = [one for name in target.spec.jobs for one in _models(target, name, ModelApprovalStatus=WAITING)]
    waits = f"waiting for approval: {', '.join(waiting)}" if waiting else "none waits for approval"
    return f"there is {newest}; {waits}"


def _models(target: Target, job: str, **filters: str) -> list[str]:
    """The newest model packages of a job, the newest first."""
    group = names.model_package_group(target.spec.team, target.spec.name, job)
    try:
        packages = target.client("sagemaker").list_model_packages(
            ModelPackageGroupName=group,
            MaxResults=20,
            SortBy="CreationTime",
            SortOrder="Descending",
            **filters,
        )
    except ClientError as error:
        if "does not exist" in errors.message(error):
            return []
        raise
    return [f"{job}/{one['ModelPackageVersion']}" for one in packages["ModelPackageSummaryList"]]
