"""Where images and models are registered."""

from __future__ import annotations

import json


def test_images_are_immutable_scanned_and_encrypted(assembly):
    """A tag means one image for ever, each is scanned when pushed and encrypted with the team's key."""
    repositories = assembly.resources("AWS::ECR::Repository")
    assert {one.properties["RepositoryName"] for one in repositories} == {
        "audio-dev/denoise",
        "audio-prod/denoise",
        "lab-dev/iris",
        "research-dev/workbench",
        "research-prod/workbench",
    }
    for one in repositories:
        assert one.properties["ImageTagMutability"] == "IMMUTABLE"
        assert one.properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
        assert one.properties["EncryptionConfiguration"]["EncryptionType"] == "KMS"
        assert "KmsKey" in one.properties["EncryptionConfiguration"]


def test_an_image_with_a_folder_gets_a_project_that_builds_it(assembly):
    """It may push to that one repository; an image without files here is made elsewhere."""
    assert not assembly.resources("AWS::CodeBuild::Project", stage="audio-dev")
    [project] = assembly.resources("AWS::CodeBuild::Project", stage="lab-dev")
    assert (project.stack, project.properties["Name"]) == ("lab-dev-registry", "lab-dev-build-iris")
    variables = {
        one["Name"]: one["Value"] for one in project.properties["Environment"]["EnvironmentVariables"]
    }
    assert variables["REPOSITORY"] == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/lab-dev/iris"
    pushes = [
        statement.resources
        for statement in assembly.statements(stage="lab-dev")
        if "ecr:PutImage" in statement.actions
    ]
    assert pushes == [["arn:aws:ecr:eu-west-1:111122223333:repository/lab-dev/iris"]]


def test_only_as_many_images_stay_as_the_team_keeps(assembly):
    """`keep: 5` in the team file is the count of the lifecycle rule."""
    for one in assembly.resources("AWS::ECR::Repository", stage="audio-dev"):
        [rule] = json.loads(one.properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        assert rule["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}


def test_repositories_are_emptied_with_their_stack_unless_they_stay(assembly):
    """A repository with images blocks the removal of its stack."""
    empty = {
        one.stack: one.properties.get("EmptyOnDelete", False)
        for one in assembly.resources("AWS::ECR::Repository")
    }
    assert empty == {
        "audio-dev-registry": True,
        "audio-prod-registry": False,
        "lab-dev-registry": True,
        "research-dev-registry": True,
        "research-prod-registry": False,
    }


def test_each_job_has_a_model_package_group(assembly):
    """A job registers its models in a group of its own."""
    groups = assembly.resources("AWS::SageMaker::ModelPackageGroup")
    assert {one.properties["ModelPackageGroupName"] for one in groups} >= {
        "vision-dev-curve",
        "vision-prod-curve",
        "audio-dev-curve",
        "audio-dev-pitch",
        "audio-prod-pitch",
    }


def test_models_stay_when_an_environment_is_retained(assembly):
    """Neither a group nor what empties it is deleted then: to leave out the latter would empty the group."""
    for stage, kept in {"audio-dev": False, "audio-prod": True}.items():
        packages = [
            one
            for one in assembly.resources("Custom::AtelierRemoval", stage=stage)
            if one.properties["Kind"] == "ModelPackages"
        ]
        groups = assembly.resources("AWS::SageMaker::ModelPackageGroup", stage=stage)
        assert {one.properties["Name"] for one in packages} == {
            one.properties["ModelPackageGroupName"] for one in groups
        }
        for one in [*packages, *groups]:
            assert (one.definition.get("DeletionPolicy") == "RetainExceptOnCreate") == kept
