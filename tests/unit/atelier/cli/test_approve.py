from __future__ import annotations

import pytest

GROUP = "tiny-dev-curve"


@pytest.fixture
def version(deployed) -> str:
    """A model package that waits for approval, as <job>/<version>."""
    sagemaker = deployed("sagemaker")
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    if not groups:
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP, ModelPackageGroupDescription="test")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:1"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    return f"curve/{arn.rpartition('/')[2]}"


def described(deployed, version: str) -> dict[str, str]:
    """The package as SageMaker has it."""
    arn = f"arn:aws:sagemaker:eu-west-1:111122223333:model-package/{GROUP}/{version.rpartition('/')[2]}"
    return deployed("sagemaker").describe_model_package(ModelPackageName=arn)


def test_approve_and_reject(atelier, deployed, version):
    """A person's word changes the package's status and keeps the note; a second rejection is refused."""
    result = atelier("approve", version, "--note", "looks good")
    assert result.exit_code == 0
    assert result.output.endswith(f"model-package/{GROUP}/{version.rpartition('/')[2]} approved\n")
    package = described(deployed, version)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["ApprovalDescription"] == "looks good"
    assert atelier("reject", package["ModelPackageArn"]).exit_code == 0
    assert described(deployed, version)["ModelApprovalStatus"] == "Rejected"
    assert "is rejected already" in atelier("reject", version).stderr


def test_approving_again_deploys_again(atelier, deployed, version):
    """A second approval is a change of its own, so that a deployment that failed can be repeated."""
    atelier("approve", version)
    first = described(deployed, version)
    result = atelier("approve", version)
    assert result.exit_code == 0
    assert result.output.endswith("approved again: it is deployed again\n")
    second = described(deployed, version)
    assert second["ModelApprovalStatus"] == "Approved"
    assert second["LastModifiedTime"] > first["LastModifiedTime"]


def test_a_package_of_another_team_is_refused(atelier, project):
    """An ARN is taken only if it is of the chosen environment."""
    result = atelier(
        "approve",
        "arn:aws:sagemaker:eu-west-1:111122223333:model-package/other-dev-curve/1",
        "--team",
        "tiny",
    )
    assert result.exit_code == 1
    assert "is no model package of tiny-dev" in result.stderr


def test_another_account_is_named(atelier, deployed, monkeypatch):
    """Credentials of another account are told as such."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "444455556666")
    says = "the credentials are of account 444455556666, but tiny-dev lives in 111122223333"
    assert says in atelier("approve", "curve/1").stderr


def test_what_waits_is_named(atelier, version):
    """A package that does not exist is answered with those that wait for a word."""
    result = atelier("approve", "curve/9999")
    assert result.exit_code == 1
    assert "there is no model package curve/9999" in result.stderr
    assert version in result.stderr


def test_the_models_that_exist_are_named(atelier, version):
    """The newest first, whether or not they wait; a job without any is told as such."""
    atelier("approve", version)
    assert (
        f"there is no model package curve/9999: there is {version}" in atelier("approve", "curve/9999").stderr
    )
    assert "there is none of job bare; " in atelier("approve", "bare/1").stderr


@pytest.mark.parametrize(
    ("package", "says"),
    [("curve", "is no model package"), ("curve/x", "is no model package"), ("curv/1", "did you mean curve?")],
)
def test_bad_names(atelier, project, package, says):
    """What names no package is refused before any call."""
    result = atelier("approve", package)
    assert result.exit_code == 1
    assert says in result.stderr
