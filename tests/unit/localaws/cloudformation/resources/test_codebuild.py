"""Build projects, as templates make them; builds are refused by name."""

import pytest
from botocore.exceptions import ClientError

PROJECT = "AWS::CodeBuild::Project"


def wanted(image="standard:5.0", **props):
    """The properties of a project."""
    return {
        "Name": "builds",
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Source": {"Type": "S3", "Location": "bucket/source.zip", "BuildSpec": "version: 0.2"},
        "Environment": {
            "Type": "LINUX_CONTAINER",
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "Image": image,
            "PrivilegedMode": "true",
            "EnvironmentVariables": [{"Name": "TAG", "Value": "latest"}],
        },
        "ServiceRole": "arn:aws:iam::111122223333:role/build",
        **props,
    }


def look(client, physical_id):
    """What is known of a project; None when it is gone."""
    found = client("codebuild").batch_get_projects(names=[physical_id])["projects"]
    return (found[0]["environment"]["image"], found[0]["description"]) if found else None


def test_a_project_is_made_changed_and_removed(live):
    """A change takes over nothing that the template does not say any more."""
    steps = [
        (wanted(Description="builds"), ("standard:5.0", "builds")),
        (wanted("standard:6.0"), ("standard:6.0", "")),
    ]
    live(PROJECT, look, steps)


def test_a_build_is_refused(context):
    """Nothing here could build an image, and nothing pretends to."""
    with pytest.raises(ClientError, match="NotEmulated"):
        context.client("codebuild").start_build(projectName="builds")
