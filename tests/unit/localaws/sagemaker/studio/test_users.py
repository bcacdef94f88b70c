"""User profiles, spaces and apps: what each needs, and what goes before what."""

from __future__ import annotations

import pytest


def test_apps_go_before_spaces_before_profiles(place):
    """Each refuses as long as the one before is there, even on its way out."""
    sagemaker, domain = place.sagemaker, place.domain(AppNetworkAccessType="VpcOnly")
    profile = place.profile(domain, "Ada")
    assert profile["UserProfileArn"].endswith(f":user-profile/{domain}/ada")
    place.space(domain)
    before = place.interfaces()
    app = place.app(domain)
    assert sagemaker.describe_app(**app)["Status"] == "Pending"
    assert place.settled(sagemaker.describe_app, **app)["Status"] == "InService"
    assert len(place.interfaces() - before) == 1

    desk, ada = {"DomainId": domain, "SpaceName": "desk"}, {"DomainId": domain, "UserProfileName": "ada"}
    for _ in ("running", "going"):
        refused = place.refusal(sagemaker.delete_space, **desk)
        assert refused["Code"] == "ResourceInUse"
        assert refused["Message"].endswith(f"space/{domain}/desk] because App(s) are associated with it.")
        assert "because App(s)" in place.refusal(sagemaker.delete_user_profile, **ada)["Message"]
        refused = place.refusal(sagemaker.update_domain, DomainId=domain, SubnetIds=place.subnets[:1])
        assert "because App(s)" in refused["Message"]
        if sagemaker.describe_app(**app)["Status"] == "InService":
            sagemaker.delete_app(**app)
    assert place.refusal(sagemaker.delete_app, **app)["Code"] == "ResourceInUse"
    assert place.settled(sagemaker.describe_app, **app)["Status"] == "Deleted"
    # It outlives the app by a while, and holds its groups until then.
    place.until(lambda: place.interfaces() == before)
    assert [each["Status"] for each in sagemaker.list_apps(DomainIdEquals=domain)["Apps"]] == ["Deleted"]
    assert place.refusal(sagemaker.delete_app, **app)["Code"] == "ResourceNotFound"
    assert "because Space(s)" in place.refusal(sagemaker.delete_user_profile, **ada)["Message"]
    sagemaker.delete_space(**desk)
    assert "because Space(s)" in place.refusal(sagemaker.delete_user_profile, **ada)["Message"]
    assert place.settled(sagemaker.describe_space, **desk) is None
    sagemaker.delete_user_profile(**ada)
    assert place.settled(sagemaker.describe_user_profile, **ada) is None


def test_a_name_of_an_app_is_free_again_once_it_is_deleted(shared):
    """One app a space, and the space's kind of app."""
    sagemaker = shared.sagemaker
    shared.space(shared.domain_id, "again")
    app = shared.app(shared.domain_id, "again")
    refused = shared.refusal(sagemaker.create_app, **app)
    assert refused["Code"] == "ResourceInUse"
    refused = shared.refusal(sagemaker.create_app, **{**app, "AppType": "CodeEditor"})
    assert "is for AppType JupyterLab" in refused["Message"]
    sagemaker.delete_app(**app)
    shared.settled(sagemaker.describe_app, **app)
    sagemaker.create_app(**app, ResourceSpec={"InstanceType": "ml.m5.large"})
    found = shared.settled(sagemaker.describe_app, **app)
    assert found["ResourceSpec"] == {"InstanceType": "ml.m5.large"}


def test_apps_carry_tags_and_settings_of_what_is_around_them(place):
    """The space's over the user's over the domain's."""
    sagemaker = place.sagemaker
    domain = place.domain(Tags=[{"Key": "team", "Value": "vision"}])
    spec = {"JupyterLabAppSettings": {"DefaultResourceSpec": {"InstanceType": "ml.t3.large"}}}
    place.profile(domain, **spec)
    place.space(domain)
    app = place.app(domain)
    found = sagemaker.describe_app(**app)
    assert found["ResourceSpec"]["InstanceType"] == "ml.t3.large"
    assert sagemaker.list_tags(ResourceArn=found["AppArn"])["Tags"] == [{"Key": "team", "Value": "vision"}]


APPS = [
    ({"AppType": "JupyterServer"}, "ValidationException", "Use JupyterLab or CodeEditor"),
    ({"AppType": "KernelGateway"}, "ValidationException", "Use JupyterLab or CodeEditor"),
    ({"AppType": "Canvas"}, "NotEmulated", "Canvas"),
    ({"SpaceName": "none"}, "ResourceNotFound", "/none] does not exist"),
    ({"SpaceName": None, "UserProfileName": "ada"}, "ValidationException", "runs in a space"),
    ({"ResourceSpec": {"InstanceType": "system"}}, "ValidationException", "not supported"),
    ({"ResourceSpec": {"InstanceType": "ml.p2.xlarge"}}, "ValidationException", "enum value set"),
]


@pytest.mark.parametrize(("changes", "code", "message"), APPS)
def test_an_app_that_aws_refuses_is_refused(shared, changes, code, message):
    """Those of Studio Classic with what replaces them."""
    if not shared.sagemaker.list_spaces(SpaceNameContains="apps")["Spaces"]:
        shared.space(shared.domain_id, "apps")
    request = {
        "DomainId": shared.domain_id,
        "SpaceName": "apps",
        "AppType": "JupyterLab",
        "AppName": "default",
        **changes,
    }
    request = {key: value for key, value in request.items() if value is not None}
    refused = shared.refusal(shared.sagemaker.create_app, **request)
    assert (refused["Code"], message in refused["Message"]) == (code, True), refused


SPACES = [
    ({"owner": "nobody"}, "ResourceNotFound", "/nobody] does not exist"),
    ({"app": "JupyterServer"}, "ValidationException", "Studio Classic"),
    ({"SpaceManagedResources": "ENABLED"}, "NotEmulated", "SpaceManagedResources"),
    (
        {"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 21}}},
        "ValidationException",
        "must not be greater than MaximumEbsVolumeSizeInGb [20]",
    ),
    (
        {"owner": "ada", "SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 101}}},
        "ValidationException",
        "must not be greater than MaximumEbsVolumeSizeInGb [100]",
    ),
    (
        {
            "JupyterLabAppSettings": {
                "AppLifecycleManagement": {"IdleSettings": {"IdleTimeoutInMinutes": 500}}
            }
        },
        "ValidationException",
        "MaxIdleTimeoutInMinutes [120]",
    ),
    ({"name": "desk"}, "ResourceInUse", "already exists"),
]


@pytest.fixture(scope="module")
def bounded(shared):
    """A profile with bounds for its spaces, and one space."""
    idle = {
        "LifecycleManagement": "ENABLED",
        "IdleTimeoutInMinutes": 60,
        "MaxIdleTimeoutInMinutes": 120,
    }
    shared.profile(
        shared.domain_id,
        "bob",
        SpaceStorageSettings={
            "DefaultEbsStorageSettings": {"DefaultEbsVolumeSizeInGb": 5, "MaximumEbsVolumeSizeInGb": 20}
        },
        JupyterLabAppSettings={"AppLifecycleManagement": {"IdleSettings": idle}},
    )
    storage = {"EbsStorageSettings": {"EbsVolumeSizeInGb": 10}}
    shared.space(shared.domain_id, "desk", owner="bob", SpaceStorageSettings=storage)
    return shared


@pytest.mark.parametrize(("changes", "code", "message"), SPACES)
def test_a_space_that_aws_refuses_is_refused(bounded, changes, code, message):
    """As its owner's settings bound it."""
    request = bounded.space_request(bounded.domain_id, **{"name": "other", "owner": "bob", **changes})
    refused = bounded.refusal(bounded.sagemaker.create_space, **request)
    assert (refused["Code"], message in refused["Message"]) == (code, True), refused


def test_a_space_keeps_its_app_type_and_its_volume_only_grows(bounded):
    """And that while no app runs."""
    sagemaker, names = bounded.sagemaker, {"DomainId": bounded.domain_id, "SpaceName": "desk"}

    def resize(size):
        return {
            **names,
            "SpaceSettings": {"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": size}}},
        }

    refused = bounded.refusal(sagemaker.update_space, **names, SpaceSettings={"AppType": "CodeEditor"})
    assert "cannot be changed" in refused["Message"]
    assert "cannot be decreased" in bounded.refusal(sagemaker.update_space, **resize(5))["Message"]
    app = bounded.app(bounded.domain_id)
    bounded.settled(sagemaker.describe_app, **app)
    assert "because App(s)" in bounded.refusal(sagemaker.update_space, **resize(12))["Message"]
    sagemaker.delete_app(**app)
    bounded.settled(sagemaker.describe_app, **app)
    sagemaker.update_space(**resize(12), SpaceDisplayName="Desk")
    found = bounded.settled(sagemaker.describe_space, **names)
    assert found["SpaceSettings"]["SpaceStorageSettings"] == {"EbsStorageSettings": {"EbsVolumeSizeInGb": 12}}
    (brief,) = sagemaker.list_spaces(SpaceNameContains="desk")["Spaces"]
    assert brief["SpaceDisplayName"] == "Desk"
    assert brief["OwnershipSettingsSummary"] == {"OwnerUserProfileName": "bob"}


def test_profiles_of_a_vpc_only_domain_need_a_security_group(place):
    """Their own or the domain's, in the domain's VPC."""
    domain = place.domain(AppNetworkAccessType="VpcOnly", DefaultUserSettings={"ExecutionRole": place.role})
    create = place.sagemaker.create_user_profile
    refused = place.refusal(create, DomainId=domain, UserProfileName="ada")
    assert "SecurityGroups is required" in refused["Message"]
    settings = {"SecurityGroups": ["sg-0"]}
    refused = place.refusal(create, DomainId=domain, UserProfileName="ada", UserSettings=settings)
    assert "sg-0" in refused["Message"]
    place.profile(domain, SecurityGroups=[place.group])
    refused = place.refusal(create, DomainId=domain, UserProfileName="ADA", UserSettings=settings)
    assert refused["Code"] in ("ResourceInUse", "ValidationException")


def test_a_profile_changes_in_place(shared):
    """What is not given stays."""
    sagemaker, names = shared.sagemaker, {"DomainId": shared.domain_id, "UserProfileName": "eve"}
    shared.profile(shared.domain_id, "eve", ExecutionRole=shared.role)
    sagemaker.update_user_profile(**names, UserSettings={"DefaultLandingUri": "studio::"})
    found = shared.settled(sagemaker.describe_user_profile, **names)
    assert found["UserSettings"] == {"ExecutionRole": shared.role, "DefaultLandingUri": "studio::"}
    listed = sagemaker.list_user_profiles(DomainIdEquals=shared.domain_id, UserProfileNameContains="EVE")
    assert [each["UserProfileName"] for each in listed["UserProfiles"]] == ["eve"]
