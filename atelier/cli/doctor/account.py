"""Whether the account can be deployed to: credentials, region, bootstrap, permissions, key, sign-in."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.doctor.finding import Finding, missing, ok, unknown
from atelier.cli.target import Target
from atelier.spec import names

QUALIFIER = "hnb659fds"  # CDK's own, unless cdk.json names another
VERSION_PARAMETER = f"/cdk-bootstrap/{QUALIFIER}/version"
LEAST_VERSION = 6  # what the templates of CDK ask for
ROLES = ("deploy", "file-publishing")
SESSION_SECONDS = 900  # the shortest there is


def credentials(target: Target) -> Iterator[Finding]:
    """The credentials are of the environment's account."""
    caller = target.client("sts").get_caller_identity()
    account, who = caller["Account"], caller["Arn"].rpartition(":")[2]
    if account == target.spec.account:
        yield ok("credentials", f"{who} in account {account}")
    else:
        yield missing(
            "credentials",
            f"they are of account {account}, and {target.label} lives in {target.spec.account}",
            f"sign in to {target.spec.account}, for example with AWS_PROFILE{errors.point_at_embedded()}",
        )


def region(target: Target) -> Iterator[Finding]:
    """The region is switched on."""
    name = target.spec.region
    found = target.client("ec2").describe_regions(RegionNames=[name], AllRegions=True)["Regions"]
    if found[0].get("OptInStatus") == "not-opted-in":
        ask = f"aws account enable-region --region-name {name}"
        yield missing("region", f"{name} is switched off in this account", ask)
    else:
        yield ok("region", name)


def bootstrap(target: Target) -> Iterator[Finding]:
    """The CDK has put its bucket and roles into the account and region."""
    spec = target.spec
    ask = f"npx cdk bootstrap aws://{spec.account}/{spec.region}"
    try:
        found = target.client("ssm").get_parameter(Name=VERSION_PARAMETER)["Parameter"]["Value"]
    except ClientError as error:
        if errors.code(error) != "ParameterNotFound":
            raise
        yield missing("CDK bootstrap", f"{spec.account}/{spec.region} is not bootstrapped", ask)
        return
    if int(found) < LEAST_VERSION:
        yield missing("CDK bootstrap", f"version {found}; {LEAST_VERSION} is needed", ask)
    else:
        yield ok("CDK bootstrap", f"version {found}, qualifier {QUALIFIER}")


def permissions(target: Target) -> Iterator[Finding]:
    """The credentials may deploy: assume the roles of the bootstrap that publish and deploy."""
    spec = target.spec
    for kind in ROLES:
        name = f"cdk-{QUALIFIER}-{kind}-role-{spec.account}-{spec.region}"
        arn = target.arn("iam", f"role/{name}").replace(f":{spec.region}:", "::", 1)
        try:
            target.client("sts").assume_role(
                RoleArn=arn, RoleSessionName="atelier-doctor", DurationSeconds=SESSION_SECONDS
            )
        except ClientError as error:
            if errors.code(error) not in errors.FORBIDDEN:
                raise
            yield missing(
                f"permission to {kind}",
                f"these credentials may not assume {name}",
                f"ask an administrator of {spec.account} for sts:AssumeRole on {arn}",
            )
        else:
            yield ok(f"permission to {kind}", name)


def key(target: Target) -> Iterator[Finding]:
    """The environment's key, once deployed, can be used."""
    alias = names.key_alias(target.spec.team, target.spec.name)
    try:
        found = target.client("kms").describe_key(KeyId=alias)["KeyMetadata"]
    except ClientError as error:
        if errors.code(error) != "NotFoundException":
            raise
        yield ok("key", f"{alias} comes with the first deployment")
        return
    remedies = {
        "PendingDeletion": f"aws kms cancel-key-deletion --key-id {found['KeyId']}, then enable-key",
        "Disabled": f"aws kms enable-key --key-id {found['KeyId']}",
    }
    state = found["KeyState"]
    if state in remedies:
        yield missing("key", f"{alias} is {state}", f"{remedies[state]} --region {target.spec.region}")
    else:
        yield ok("key", f"{alias} is {state}")


def sign_in(target: Target) -> Iterator[Finding]:
    """The instance of IAM Identity Center that the team file names can be seen from the region."""
    studio = target.spec.studio
    if studio is None or studio.sign_in != "sso":
        return
    found = target.client("sso-admin").list_instances()["Instances"]
    if any(one["InstanceArn"] == studio.identity_center for one in found):
        yield ok("IAM Identity Center", f"{studio.identity_center}")
    elif found:
        known = ", ".join(one["InstanceArn"] for one in found)
        ask = "write that one into studio.identity_center"
        yield missing("IAM Identity Center", f"this region has {known} instead", ask)
    else:
        ask = "ask the administrator of the organization to enable it in this region, or write sign_in: iam"
        yield unknown("IAM Identity Center", "no instance can be seen from this account and region", ask)
