"""Notebook instances and what they name."""

from __future__ import annotations

import base64

import pytest

SCRIPT = [{"Content": base64.b64encode(b"#!/bin/bash\n").decode()}]


def test_an_instance_is_changed_and_deleted_only_when_stopped(place):
    """Each refusal in AWS's words; its interface stands in the subnet from first to last."""
    sagemaker, name = place.sagemaker, {"NotebookInstanceName": "Desk"}
    found = place.notebook(
        "Desk",
        SubnetId=place.subnets[0],
        SecurityGroupIds=[place.group],
        DirectInternetAccess="Disabled",
        Tags=[{"Key": "team", "Value": "vision"}],
    )
    arn = found["NotebookInstanceArn"]
    assert arn.endswith(":notebook-instance/desk")
    assert (found["NotebookInstanceStatus"], found["VolumeSizeInGB"]) == ("InService", 5)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "vision"}]

    def refusal(call, **params):
        return place.refusal(call, **name, **params)["Message"]

    wrong = "Status (InService) not in ([{}]). Unable to transition to ({}) for Notebook Instance ({})."
    for call, allowed, to in (
        (sagemaker.delete_notebook_instance, "Failed, Stopped", "Deleting"),
        (sagemaker.start_notebook_instance, "Stopped, Failed", "Pending"),
        (sagemaker.update_notebook_instance, "Stopped, Failed", "Updating"),
    ):
        assert refusal(call) == wrong.format(allowed, to, arn)
    sagemaker.stop_notebook_instance(**name)
    assert "Status (Stopping) not in ([InService])" in refusal(sagemaker.stop_notebook_instance)
    place.settled(sagemaker.describe_notebook_instance, **name)
    sagemaker.update_notebook_instance(**name, VolumeSizeInGB=20, InstanceType="ml.t3.large")
    found = place.settled(sagemaker.describe_notebook_instance, **name)
    assert found["NotebookInstanceStatus"] == "Stopped"
    assert (found["VolumeSizeInGB"], found["InstanceType"]) == (20, "ml.t3.large")
    assert "cannot be decreased" in refusal(sagemaker.update_notebook_instance, VolumeSizeInGB=10)
    sagemaker.start_notebook_instance(**name)
    place.settled(sagemaker.describe_notebook_instance, **name)
    url = sagemaker.create_presigned_notebook_instance_url(**name)["AuthorizedUrl"]
    assert "/notebooks-are-not-emulated/desk?" in url
    sagemaker.stop_notebook_instance(**name)
    place.settled(sagemaker.describe_notebook_instance, **name)
    refused = place.refusal(place.ec2.delete_subnet, SubnetId=place.subnets[0])
    assert refused["Code"] == "DependencyViolation"
    sagemaker.delete_notebook_instance(**name)
    assert place.settled(sagemaker.describe_notebook_instance, **name) is None
    place.ec2.delete_subnet(SubnetId=place.subnets[0])
    assert refusal(sagemaker.describe_notebook_instance) == "RecordNotFound"


REFUSED = [
    ({"VolumeSizeInGB": 16385}, "less than or equal to 16384"),
    ({"DirectInternetAccess": "Disabled"}, "only if a SubnetId"),
    ({"SecurityGroupIds": ["sg-0"]}, "only with a SubnetId"),
    ({"SubnetId": "subnet-0"}, "subnet-0"),
    ({"LifecycleConfigName": "none"}, "Notebook Instance Lifecycle Config does not exist"),
    ({"DefaultCodeRepository": "none"}, "Cannot find CodeRepository"),
    ({"AcceleratorTypes": ["ml.eia2.medium"]}, "Elastic Inference is no longer available"),
    ({"PlatformIdentifier": "notebook-al1-v1"}, "Use notebook-al2023-v1"),
    ({"InstanceType": "ml.none"}, "enum value set"),
    ({"NotebookInstanceName": "a_b"}, "regular expression"),
    ({"RoleArn": "arn:aws:iam::111122223333:role/x"}, "Cross-account"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_an_instance_that_aws_refuses_is_refused(shared, changes, message):
    """Before it is there."""
    request = {"NotebookInstanceName": "bad", "InstanceType": "ml.t3.medium", "RoleArn": shared.role}
    refused = shared.refusal(shared.sagemaker.create_notebook_instance, **{**request, **changes})
    assert (refused["Code"], message in refused["Message"]) == ("ValidationException", True), refused
    assert shared.sagemaker.list_notebook_instances()["NotebookInstances"] == []


def test_a_lifecycle_config_in_use_stays(place):
    """Until the instance lets it go; a repository goes at any time."""
    sagemaker, config = place.sagemaker, {"NotebookInstanceLifecycleConfigName": "start"}
    sagemaker.create_notebook_instance_lifecycle_config(**config, OnStart=SCRIPT)
    refused = place.refusal(sagemaker.create_notebook_instance_lifecycle_config, **config)
    assert "already exists" in refused["Message"]
    sagemaker.create_code_repository(
        CodeRepositoryName="code", GitConfig={"RepositoryUrl": "https://example.com/code.git"}
    )
    place.notebook(LifecycleConfigName="start", DefaultCodeRepository="code")
    refused = place.refusal(sagemaker.delete_notebook_instance_lifecycle_config, **config)
    assert "is in use by Notebook Instance(s) nb" in refused["Message"]
    sagemaker.update_notebook_instance_lifecycle_config(**config, OnCreate=SCRIPT)
    found = sagemaker.describe_notebook_instance_lifecycle_config(**config)
    assert (found["OnCreate"], found["OnStart"]) == (SCRIPT, [])
    name = {"NotebookInstanceName": "nb"}
    sagemaker.stop_notebook_instance(**name)
    place.settled(sagemaker.describe_notebook_instance, **name)
    sagemaker.update_notebook_instance(**name, DisassociateLifecycleConfig=True)
    found = place.settled(sagemaker.describe_notebook_instance, **name)
    assert "NotebookInstanceLifecycleConfigName" not in found
    sagemaker.delete_notebook_instance_lifecycle_config(**config)
    sagemaker.delete_code_repository(CodeRepositoryName="code")
    assert sagemaker.list_code_repositories()["CodeRepositorySummaryList"] == []
    refused = place.refusal(sagemaker.describe_code_repository, CodeRepositoryName="code")
    assert refused["Message"].startswith("Cannot find CodeRepository")


def test_lists_are_filtered(place):
    """By status, configuration and repository."""
    place.notebook("one", DefaultCodeRepository="https://example.com/one.git")
    place.notebook("two", AdditionalCodeRepositories=["https://example.com/two.git"])

    def listed(**filters):
        found = place.sagemaker.list_notebook_instances(**filters)["NotebookInstances"]
        return {each["NotebookInstanceName"] for each in found}

    assert listed(StatusEquals="InService") == {"one", "two"}
    assert listed(DefaultCodeRepositoryContains="one") == {"one"}
    assert listed(AdditionalCodeRepositoryEquals="https://example.com/two.git") == {"two"}
    assert listed(NameContains="tw") == {"two"}
    assert listed(NotebookInstanceLifecycleConfigNameContains="x") == set()
