"""Lifecycle configurations, images and app image configurations."""

from __future__ import annotations

import base64
import json

import pytest


def test_a_lifecycle_config_goes_when_no_settings_name_it(place):
    """Neither those of the domain nor an app's."""
    sagemaker, arn = place.sagemaker, place.lifecycle_config()
    settings = {"JupyterLabAppSettings": {"LifecycleConfigArns": [arn]}}
    domain = place.domain(DefaultUserSettings={"ExecutionRole": place.role, **settings})
    refused = place.refusal(sagemaker.delete_studio_lifecycle_config, StudioLifecycleConfigName="start")
    assert refused["Code"] == "ResourceInUse"
    assert f"[{arn}] because Domain(s)" in refused["Message"]
    sagemaker.update_domain(
        DomainId=domain, DefaultUserSettings={"JupyterLabAppSettings": {"LifecycleConfigArns": []}}
    )
    sagemaker.delete_studio_lifecycle_config(StudioLifecycleConfigName="start")
    assert sagemaker.list_studio_lifecycle_configs()["StudioLifecycleConfigs"] == []


def test_a_lifecycle_config_is_for_one_kind_of_app(shared):
    """Settings of another kind refuse it; it is described as it was made."""
    arn = shared.lifecycle_config("editor", "CodeEditor")
    refused = shared.refusal(
        shared.sagemaker.update_domain,
        DomainId=shared.domain_id,
        DefaultUserSettings={"JupyterLabAppSettings": {"LifecycleConfigArns": [arn]}},
    )
    assert "is for AppType CodeEditor and not for JupyterLab" in refused["Message"]
    found = shared.sagemaker.describe_studio_lifecycle_config(StudioLifecycleConfigName="editor")
    assert base64.b64decode(found["StudioLifecycleConfigContent"]) == b"#!/bin/bash\n"
    listed = shared.sagemaker.list_studio_lifecycle_configs(AppTypeEquals="JupyterLab")
    assert listed["StudioLifecycleConfigs"] == []


@pytest.mark.parametrize(
    ("content", "message"),
    [("#!/bin/bash", "must be base64"), ("A" * 16388, "length less than or equal to 16384")],
)
def test_a_script_is_base64_and_short(shared, content, message):
    """For Studio and for notebook instances."""
    sagemaker = shared.sagemaker
    refused = shared.refusal(
        sagemaker.create_studio_lifecycle_config,
        StudioLifecycleConfigName="bad",
        StudioLifecycleConfigContent=content,
        StudioLifecycleConfigAppType="JupyterLab",
    )
    assert message in refused["Message"]
    refused = shared.refusal(
        sagemaker.create_notebook_instance_lifecycle_config,
        NotebookInstanceLifecycleConfigName="bad",
        OnStart=[{"Content": content}],
    )
    assert message in refused["Message"]


@pytest.fixture
def image(shared):
    """An image that is there, with the URI of a container that ECR holds."""
    sagemaker = shared.sagemaker
    if not sagemaker.list_images()["Images"]:
        sagemaker.create_image(ImageName="Tools", RoleArn=shared.role, Description="tools")
        ecr = shared.client("ecr")
        shared.uri = ecr.create_repository(repositoryName="tools")["repository"]["repositoryUri"]
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
        ecr.put_image(repositoryName="tools", imageTag="1", imageManifest=json.dumps(manifest))
    shared.settled(sagemaker.describe_image, ImageName="Tools")
    return shared


def version(place, **params):
    """Create a version and wait for its end."""
    request = {"ImageName": "Tools", "ClientToken": params.pop("token"), **params}
    made = place.sagemaker.create_image_version(**request)
    again = place.sagemaker.create_image_version(**request)
    assert again == {**made, "ResponseMetadata": again["ResponseMetadata"]}
    number = int(made["ImageVersionArn"].rpartition("/")[2])
    return place.settled(place.sagemaker.describe_image_version, ImageName="Tools", Version=number)


def test_a_version_is_of_an_image_in_ecr(image):
    """Else it fails, and says of what; aliases name one version each."""
    sagemaker = image.sagemaker
    first = version(image, token="a", BaseImage=f"{image.uri}:1", Aliases=["latest"])
    assert first["ImageVersionStatus"] == "CREATED"
    assert "@sha256:" in first["ContainerImage"]
    failed = version(image, token="b", BaseImage=f"{image.uri}:2", Aliases=["latest"])
    assert failed["ImageVersionStatus"] == "CREATE_FAILED"
    assert "tools:2" in failed["FailureReason"]
    assert failed["Version"] == first["Version"] + 1
    names = {"ImageName": "tools", "Version": first["Version"]}
    assert sagemaker.list_aliases(**names)["SageMakerImageVersionAliases"] == []
    sagemaker.update_image_version(**names, AliasesToAdd=["latest", "old"], VendorGuidance="STABLE")
    found = sagemaker.describe_image_version(ImageName="tools", Alias="latest")
    assert (found["Version"], found["VendorGuidance"]) == (first["Version"], "STABLE")
    sagemaker.delete_image_version(ImageName="tools", Version=failed["Version"])
    assert (
        image.settled(sagemaker.describe_image_version, ImageName="tools", Version=failed["Version"]) is None
    )


def test_an_attached_image_stays(image):
    """Until the domain lets it go; then its versions go with it."""
    sagemaker, domain = image.sagemaker, image.domain_id
    sagemaker.create_app_image_config(AppImageConfigName="lab", JupyterLabAppImageConfig={})
    attached = [{"ImageName": "Tools", "AppImageConfigName": "lab"}]
    for images in (attached, []):
        settings = {"JupyterLabAppSettings": {"CustomImages": images}}
        sagemaker.update_domain(DomainId=domain, DefaultUserSettings=settings)
        image.settled(sagemaker.describe_domain, DomainId=domain)
        if images:
            refused = image.refusal(sagemaker.delete_image, ImageName="tools")
            assert "because Domain(s)" in refused["Message"]
    sagemaker.delete_image(ImageName="tools")
    assert image.settled(sagemaker.describe_image, ImageName="tools") is None
    refused = image.refusal(sagemaker.list_image_versions, ImageName="tools")
    assert refused["Code"] == "ResourceNotFound"


def test_an_app_image_config_is_of_one_kind(shared):
    """And changes as a whole."""
    sagemaker, name = shared.sagemaker, {"AppImageConfigName": "editor"}
    both = {"JupyterLabAppImageConfig": {}, "CodeEditorAppImageConfig": {}}
    refused = shared.refusal(sagemaker.create_app_image_config, **name, **both)
    assert "only one of" in refused["Message"]
    sagemaker.create_app_image_config(**name, CodeEditorAppImageConfig={})
    assert shared.refusal(sagemaker.create_app_image_config, **name)["Code"] == "ResourceInUse"
    sagemaker.update_app_image_config(**name, JupyterLabAppImageConfig={"FileSystemConfig": {}})
    found = sagemaker.describe_app_image_config(**name)
    assert "CodeEditorAppImageConfig" not in found
    assert found["JupyterLabAppImageConfig"] == {"FileSystemConfig": {}}
    listed = sagemaker.list_app_image_configs(NameContains="edit", SortBy="Name")
    assert [each["AppImageConfigName"] for each in listed["AppImageConfigs"]] == ["editor"]
    sagemaker.delete_app_image_config(**name)
    assert shared.refusal(sagemaker.describe_app_image_config, **name)["Code"] == "ResourceNotFound"
