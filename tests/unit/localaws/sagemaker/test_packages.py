"""The model registry: groups, versions, approval."""

from __future__ import annotations

import itertools

import pytest
from botocore.exceptions import ClientError

from localaws.sagemaker.service import SageMaker

_names = (f"group-{number}" for number in itertools.count())


@pytest.fixture
def group(lab):
    """The name of an empty group."""
    name = next(_names)
    lab.sagemaker.create_model_package_group(
        ModelPackageGroupName=name, ModelPackageGroupDescription="models"
    )
    return name


def specification(lab, data=None):
    """An inference specification for a model in S3."""
    container = {"Image": lab.image, "ModelDataUrl": data or f"s3://{lab.bucket}/model.tar.gz"}
    return {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def register(lab, group, **more):
    """Create the next version; its ARN."""
    package = lab.sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification(lab), **more
    )
    return package["ModelPackageArn"]


def refused(call, **params):
    """The code of the error that a call ends with."""
    with pytest.raises(ClientError) as error:
        call(**params)
    return error.value.response["Error"]["Code"]


def versions(lab, **filters):
    """The version numbers that a list shows."""
    listed = lab.sagemaker.list_model_packages(**filters)["ModelPackageSummaryList"]
    return [package["ModelPackageVersion"] for package in listed]


def test_versions_count_up_and_are_not_used_again(lab, group):
    """Each package of a group has the next number, also after one is deleted."""
    first, second = register(lab, group), register(lab, group)
    assert (first.rsplit("/", 2)[1:], second.rsplit("/", 1)[1]) == ([group, "1"], "2")
    lab.sagemaker.delete_model_package(ModelPackageName=second)
    assert register(lab, group).endswith("/3")
    assert versions(lab, ModelPackageGroupName=group, SortOrder="Ascending") == [1, 3]


def test_a_package_waits_for_approval_unless_it_comes_approved(lab, group):
    """PendingManualApproval by default; UpdateModelPackage changes it, with a description."""
    arn = register(lab, group, CustomerMetadataProperties={"rmse": "150", "old": "1"})
    described = lab.sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert (described["ModelPackageStatus"], described["ModelPackageVersion"]) == ("Completed", 1)
    lab.sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
        CustomerMetadataProperties={"by": "me"},
        CustomerMetadataPropertiesToRemove=["old"],
    )
    described = lab.sagemaker.describe_model_package(ModelPackageName=arn)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "good")
    assert described["CustomerMetadataProperties"] == {"rmse": "150", "by": "me"}
    assert described["LastModifiedTime"] >= described["CreationTime"]
    register(lab, group)
    assert versions(lab, ModelPackageGroupName=group, ModelApprovalStatus="Approved") == [1]


def test_the_same_client_token_is_the_same_package(lab, group):
    """A retried call registers nothing twice."""
    token = f"{group}-token-000000000000000000000000000000"[:36]
    assert register(lab, group, ClientToken=token) == register(lab, group, ClientToken=token)
    assert versions(lab, ModelPackageGroupName=group) == [1]


def test_a_group_that_holds_packages_is_not_deleted(lab, group):
    """ConflictException until its last version is deleted."""
    arn = register(lab, group)
    delete = lab.sagemaker.delete_model_package_group
    assert refused(delete, ModelPackageGroupName=group) == "ConflictException"
    lab.sagemaker.delete_model_package(ModelPackageName=arn)
    delete(ModelPackageGroupName=group)
    assert (
        refused(lab.sagemaker.describe_model_package_group, ModelPackageGroupName=group)
        == "ValidationException"
    )


def test_a_group_keeps_policy_and_tags(lab, group):
    """Both are read back; a duplicate group and an unknown resource are refused."""
    described = lab.sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert described["ModelPackageGroupDescription"] == "models"
    arn = described["ModelPackageGroupArn"]
    get = lab.sagemaker.get_model_package_group_policy
    assert refused(get, ModelPackageGroupName=group) == "ValidationException"
    lab.sagemaker.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy="{}")
    assert get(ModelPackageGroupName=group)["ResourcePolicy"] == "{}"
    lab.sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "team", "Value": "vision"}, {"Key": "x", "Value": "1"}]
    )
    lab.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["x"])
    assert lab.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "vision"}]
    assert refused(lab.sagemaker.list_tags, ResourceArn=arn + "x") == "ValidationException"
    assert (
        refused(lab.sagemaker.create_model_package_group, ModelPackageGroupName=group)
        == "ValidationException"
    )


def test_a_model_can_be_made_from_a_package(lab, group):
    """Image, model data and environment come from the package."""
    data = lab.archive("model.tar.gz", {"model.txt": "x"})
    arn = register(lab, group)
    lab.sagemaker.create_model(
        ModelName=group, ExecutionRoleArn=lab.role, PrimaryContainer={"ModelPackageName": arn}
    )
    assert data == f"s3://{lab.bucket}/model.tar.gz"
    assert refused(
        lab.sagemaker.create_model,
        ModelName="none",
        ExecutionRoleArn=lab.role,
        PrimaryContainer={"ModelPackageName": f"{arn}9"},
    ) == ("ValidationException")


def test_what_would_have_to_run_and_cannot_is_refused_by_name(lab):
    """Nothing is pretended."""
    with pytest.raises(ClientError, match="SageMaker's CreateProject is not emulated") as error:
        lab.sagemaker.create_project(ProjectName="p")
    assert error.value.response["Error"]["Code"] == "NotEmulated"


def test_every_create_operation_is_answered_or_refused(server):
    """Nothing that creates falls through to moto's pretence."""
    service = SageMaker(server.world)
    names = {name for name, _ in service.operations()}
    model = server.world.client("sagemaker", "111122223333", "eu-west-1").meta.service_model
    assert {name for name in model.operation_names if name.startswith(("Create", "Start", "Update"))} <= names
