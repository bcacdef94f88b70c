"""Domains: what they leave in a VPC, what holds them, what may change."""

from __future__ import annotations

import pytest


def nfs_groups(place):
    """The security groups that domains made, by direction."""
    groups = place.ec2.describe_security_groups()["SecurityGroups"]
    return {group["GroupName"].split("-")[3]: group for group in groups if "-nfs-" in group["GroupName"]}


def interfaces(place):
    """The interfaces in the account."""
    return place.ec2.describe_network_interfaces()["NetworkInterfaces"]


def test_a_domain_is_pending_and_then_in_service(place):
    """With a file system mounted once a zone behind groups that name each other, as on AWS."""
    made = place.sagemaker.create_domain(**place.domain_request())
    domain = made["DomainId"]
    assert made["DomainArn"] == f"arn:aws:sagemaker:eu-west-1:{place.account}:domain/{domain}"
    assert place.sagemaker.describe_domain(DomainId=domain)["Status"] == "Pending"
    found = place.settled(place.sagemaker.describe_domain, DomainId=domain)
    assert found["Status"] == "InService"
    assert found["AppNetworkAccessType"] == "PublicInternetOnly"
    assert [each["DomainId"] for each in place.sagemaker.list_domains()["Domains"]] == [domain]

    (files,) = place.client("efs").describe_file_systems()["FileSystems"]
    assert files["FileSystemId"] == found["HomeEfsFileSystemId"]
    assert files["CreationToken"] == domain
    groups = nfs_groups(place)
    (rule,) = groups["inbound"]["IpPermissions"]
    assert rule["FromPort"] == rule["ToPort"] == 2049
    assert rule["UserIdGroupPairs"][0]["GroupId"] == groups["outbound"]["GroupId"]
    (rule,) = groups["outbound"]["IpPermissionsEgress"]
    assert rule["UserIdGroupPairs"][0]["GroupId"] == groups["inbound"]["GroupId"]
    assert {each["SubnetId"] for each in interfaces(place)} == {place.subnets[0], place.subnets[2]}
    assert all(each["RequesterManaged"] and each["Status"] == "in-use" for each in interfaces(place))


@pytest.mark.parametrize("policy", ["Retain", "Delete", None])
def test_what_a_deleted_domain_leaves_holds_the_vpc(place, policy):
    """All of it by default; the groups even when the caller gives the file system up."""
    domain = place.domain()
    more = {"RetentionPolicy": {"HomeEfsFileSystem": policy}} if policy else {}
    place.sagemaker.delete_domain(DomainId=domain, **more)
    assert place.sagemaker.describe_domain(DomainId=domain)["Status"] == "Deleting"
    assert place.settled(place.sagemaker.describe_domain, DomainId=domain) is None
    if policy == "Delete":
        assert not place.client("efs").describe_file_systems()["FileSystems"]
        assert not interfaces(place)
        place.ec2.delete_subnet(SubnetId=place.subnets[0])
    else:
        assert place.client("efs").describe_file_systems()["FileSystems"]
        refused = place.refusal(place.ec2.delete_subnet, SubnetId=place.subnets[0])
        assert refused["Code"] == "DependencyViolation"
    group = nfs_groups(place)["inbound"]["GroupId"]
    assert place.refusal(place.ec2.delete_security_group, GroupId=group)["Code"] == "DependencyViolation"


def test_a_domain_goes_last(place):
    """Not while profiles, spaces or apps are in it; each refusal names what is."""
    sagemaker, domain = place.sagemaker, place.domain()
    place.profile(domain)
    arn = f"arn:aws:sagemaker:eu-west-1:{place.account}:domain/{domain}"
    refused = place.refusal(sagemaker.delete_domain, DomainId=domain)
    assert refused["Code"] == "ResourceInUse"
    assert (
        refused["Message"]
        == f"Unable to delete Domain [{arn}] because UserProfile(s) are associated with it."
    )
    place.space(domain, sharing="Shared")
    sagemaker.delete_user_profile(DomainId=domain, UserProfileName="ada")
    place.settled(sagemaker.describe_user_profile, DomainId=domain, UserProfileName="ada")
    assert "because Space(s)" in place.refusal(sagemaker.delete_domain, DomainId=domain)["Message"]
    sagemaker.delete_space(DomainId=domain, SpaceName="desk")
    place.settled(sagemaker.describe_space, DomainId=domain, SpaceName="desk")
    sagemaker.delete_domain(DomainId=domain)
    assert place.refusal(sagemaker.delete_domain, DomainId=domain)["Code"] == "ResourceInUse"


REFUSED = [
    ({"DomainName": "-team"}, "ValidationException", "regular expression"),
    ({"SubnetIds": ["subnet-0"]}, "ValidationException", "subnet-0"),
    ({"VpcId": "vpc-0"}, "ValidationException", "is in vpc-"),
    ({"DefaultUserSettings": {}}, "ValidationException", "ExecutionRole"),
    (
        {"DefaultUserSettings": {"ExecutionRole": "arn:aws:iam::{account}:role/none"}},
        "ValidationException",
        "Could not assume role",
    ),
    ({"DomainName": "shared"}, "ResourceInUse", "already exists"),
    ({"DomainSettings": {"UnifiedStudioSettings": {}}}, "NotEmulated", "UnifiedStudioSettings"),
]


@pytest.mark.parametrize(("changes", "code", "message"), REFUSED)
def test_a_domain_that_aws_refuses_is_refused(shared, changes, code, message):
    """Before anything is made."""
    changes = {
        key: {name: text.format(account=shared.account) for name, text in value.items()}
        if key == "DefaultUserSettings"
        else value
        for key, value in changes.items()
    }
    if changes.get("DomainName") == "shared":
        changes = {}
    refused = shared.refusal(shared.sagemaker.create_domain, **shared.domain_request(**changes))
    assert (refused["Code"], message in refused["Message"]) == (code, True), refused
    assert len(shared.sagemaker.list_domains()["Domains"]) == 1


SETTINGS = [
    (
        {"AppLifecycleManagement": {"IdleSettings": {"LifecycleManagement": "ENABLED"}}},
        "IdleTimeoutInMinutes is required",
    ),
    (
        {
            "AppLifecycleManagement": {
                "IdleSettings": {"IdleTimeoutInMinutes": 60, "MinIdleTimeoutInMinutes": 90}
            }
        },
        "MinIdleTimeoutInMinutes [90] must not be greater than IdleTimeoutInMinutes [60]",
    ),
    (
        {"AppLifecycleManagement": {"IdleSettings": {"IdleTimeoutInMinutes": 525601}}},
        "less than or equal to 525600",
    ),
    ({"CustomImages": [{"ImageName": "no", "AppImageConfigName": "no"}]}, "Image [no] does not exist"),
    (
        {
            "LifecycleConfigArns": [
                "arn:aws:sagemaker:eu-west-1:111122223333:studio-lifecycle-config/no",
            ]
        },
        "does not exist",
    ),
]


@pytest.mark.parametrize(("app", "message"), SETTINGS)
def test_settings_that_aws_refuses_are_refused(shared, app, message):
    """Of a domain that is updated as of one that is created."""
    refused = shared.refusal(
        shared.sagemaker.update_domain,
        DomainId=shared.domain_id,
        DefaultUserSettings={"JupyterLabAppSettings": app},
    )
    assert refused["Code"] == "ValidationException"
    assert message in refused["Message"]


def test_an_account_has_a_quota_of_domains(place):
    """AWS's words."""
    for number in range(5):
        place.sagemaker.create_domain(**place.domain_request(DomainName=f"team{number}"))
    refused = place.refusal(place.sagemaker.create_domain, **place.domain_request())
    assert refused["Code"] == "ResourceLimitExceeded"
    assert refused["Message"].startswith(
        "The account-level service limit 'Total domains' is 5 Domains, with current utilization of 5 Domains"
    )


def test_a_domain_that_failed_is_there_until_it_is_deleted(place):
    """It tells why, and has left nothing in the VPC."""
    made = place.sagemaker.create_domain(**place.domain_request())
    place.ec2.delete_subnet(SubnetId=place.subnets[2])
    found = place.settled(place.sagemaker.describe_domain, DomainId=made["DomainId"])
    assert found["Status"] == "Failed"
    assert place.subnets[2] in found["FailureReason"]
    assert not nfs_groups(place)
    refused = place.refusal(
        place.sagemaker.create_domain, **place.domain_request(SubnetIds=place.subnets[:1])
    )
    assert refused["Code"] == "ResourceInUse"
    place.sagemaker.delete_domain(DomainId=made["DomainId"])
    assert place.settled(place.sagemaker.describe_domain, DomainId=made["DomainId"]) is None


def test_a_domain_changes_in_place(place):
    """Settings are merged, subnets gain and lose mount targets, a missing home is made and then stays."""
    sagemaker = place.sagemaker
    domain = place.domain(SubnetIds=place.subnets[:1], HomeEfsFileSystemCreation="Disabled")
    assert not place.client("efs").describe_file_systems()["FileSystems"]
    sagemaker.update_domain(
        DomainId=domain,
        SubnetIds=place.subnets[1:],
        HomeEfsFileSystemCreation="Enabled",
        DefaultUserSettings={"StudioWebPortal": "ENABLED"},
        DomainSettingsForUpdate={"DockerSettings": {"EnableDockerAccess": "ENABLED"}},
    )
    assert sagemaker.describe_domain(DomainId=domain)["Status"] == "Updating"
    assert place.refusal(sagemaker.update_domain, DomainId=domain)["Code"] == "ResourceInUse"
    found = place.settled(sagemaker.describe_domain, DomainId=domain)
    assert found["Status"] == "InService"
    assert found["DefaultUserSettings"]["ExecutionRole"] == place.role
    assert found["DefaultUserSettings"]["StudioWebPortal"] == "ENABLED"
    assert found["DomainSettings"]["DockerSettings"] == {"EnableDockerAccess": "ENABLED"}
    assert {each["SubnetId"] for each in interfaces(place)} == set(place.subnets[1:])
    sagemaker.update_domain(DomainId=domain, SubnetIds=place.subnets[:1])
    place.settled(sagemaker.describe_domain, DomainId=domain)
    assert {each["SubnetId"] for each in interfaces(place)} == set(place.subnets[:1])
    refused = place.refusal(sagemaker.update_domain, DomainId=domain, HomeEfsFileSystemCreation="Disabled")
    assert "cannot be changed" in refused["Message"]


def test_only_iam_domains_give_urls_and_the_url_is_no_studio(shared):
    """Its path says so."""
    call = shared.sagemaker.create_presigned_domain_url
    url = call(DomainId=shared.domain_id, UserProfileName="ADA")["AuthorizedUrl"]
    assert f"/studio-is-not-emulated/{shared.domain_id}/ada?token=" in url
    refused = shared.refusal(call, DomainId=shared.domain_id, UserProfileName="nobody")
    assert refused["Code"] == "ResourceNotFound"


def test_users_of_an_sso_domain_are_users_of_the_directory(place):
    """And its URLs come from there."""
    domain = place.domain(AuthMode="SSO")
    create = place.sagemaker.create_user_profile
    refused = place.refusal(create, DomainId=domain, UserProfileName="ada")
    assert "are required when the Domain's AuthMode is SSO" in refused["Message"]
    user = {"SingleSignOnUserIdentifier": "UserName", "SingleSignOnUserValue": "ada@example.com"}
    create(DomainId=domain, UserProfileName="ada", **user)
    url = place.sagemaker.create_presigned_domain_url
    assert "AuthMode IAM" in place.refusal(url, DomainId=domain, UserProfileName="ada")["Message"]
