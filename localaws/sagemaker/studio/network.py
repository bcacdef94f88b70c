"""What a domain leaves in a VPC: a file system, mount targets, two security groups that name each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from localaws.sagemaker.records import Record, invalid
from localaws.service import AwsError, Call
from localaws.world import World

_NFS_PORT = 2049
_POLL_SECONDS = 0.05
_OWNER_TAG = "ManagedByAmazonSageMakerResource"


@dataclass
class Home:
    """The home file system of a domain, and the groups that let its apps reach it."""

    inbound: str
    outbound: str
    file_system: str
    targets: dict[str, str] = field(default_factory=dict)
    """The mount target in each subnet that has one: one an availability zone."""


def check_places(
    world: World, call: Call, subnets: Sequence[str], groups: Sequence[str], vpc: str | None
) -> str:
    """The VPC of all these; raises AwsError for one that does not exist, or stands in another VPC."""
    found = {subnet["SubnetId"]: subnet["VpcId"] for subnet in _subnets(world, call, subnets)}
    if groups:
        try:
            answer = world.client("ec2", call.account, call.region).describe_security_groups(
                GroupIds=list(groups)
            )
        except ClientError as error:
            raise invalid(error.response["Error"]["Message"]) from error
        found |= {group["GroupId"]: group["VpcId"] for group in answer["SecurityGroups"]}
    home = vpc or found[subnets[0]]
    for name, place in found.items():
        if place != home:
            raise invalid(f"{name} is in {place}, and not in {home}.")
    return home


def create_home(world: World, domain: Record) -> Home:
    """Make the groups and the file system of a domain, and mount it in the domain's subnets."""
    call, key = domain.call, domain.request.get("KmsKeyId")
    efs, ec2 = (world.client(service, call.account, call.region) for service in ("efs", "ec2"))
    inbound, outbound = (_create_group(ec2, domain, way) for way in ("inbound", "outbound"))
    _allow(ec2.authorize_security_group_ingress, inbound, outbound)
    _allow(ec2.authorize_security_group_egress, outbound, inbound)
    made = efs.create_file_system(
        CreationToken=domain.name,
        Encrypted=True,
        Tags=[{"Key": _OWNER_TAG, "Value": domain.arn}],
        **({"KmsKeyId": key} if key else {}),
    )
    home = Home(inbound, outbound, made["FileSystemId"])
    try:
        settle_targets(world, domain, home)
    except (ClientError, AwsError):
        delete_home(world, domain, home)
        delete_groups(world, domain, home)
        raise
    return home


def settle_targets(world: World, domain: Record, home: Home) -> None:
    """Let the file system be mounted in the domain's subnets and no others."""
    efs = world.client("efs", domain.call.account, domain.call.region)
    wanted = _one_a_zone(world, domain)
    lost = [subnet for subnet in home.targets if subnet not in wanted]
    _delete_targets(world, efs, [home.targets.pop(subnet) for subnet in lost])
    for subnet in wanted:
        if subnet not in home.targets:
            target = efs.create_mount_target(
                FileSystemId=home.file_system, SubnetId=subnet, SecurityGroups=[home.inbound]
            )
            home.targets[subnet] = target["MountTargetId"]


def delete_home(world: World, domain: Record, home: Home) -> None:
    """Remove file system and mount targets, as RetentionPolicy Delete does: the groups stay, as on AWS."""
    efs = world.client("efs", domain.call.account, domain.call.region)
    _delete_targets(world, efs, list(home.targets.values()))
    with _gone_ok():
        efs.delete_file_system(FileSystemId=home.file_system)


def delete_groups(world: World, domain: Record, home: Home) -> None:
    """Remove the two groups around a file system that came to nothing."""
    ec2 = world.client("ec2", domain.call.account, domain.call.region)
    with _gone_ok():
        _allow(ec2.revoke_security_group_ingress, home.inbound, home.outbound)
    with _gone_ok():
        _allow(ec2.revoke_security_group_egress, home.outbound, home.inbound)
    for group in (home.inbound, home.outbound):
        with _gone_ok():
            ec2.delete_security_group(GroupId=group)


def _delete_targets(world: World, efs: Any, targets: Sequence[str]) -> None:
    """Delete mount targets, and wait until they are gone."""
    for target in targets:
        with _gone_ok():
            efs.delete_mount_target(MountTargetId=target)
            while not world.stopping.wait(_POLL_SECONDS):
                efs.describe_mount_targets(MountTargetId=target)


def _create_group(ec2: Any, domain: Record, way: str) -> str:
    made: str = ec2.create_security_group(
        GroupName=f"security-group-for-{way}-nfs-{domain.name}",
        Description=f"[DO NOT DELETE] Security Group that allows {way} NFS traffic for SageMaker Notebooks "
        f"Domain [{domain.name}]",
        VpcId=domain.request["VpcId"],
        TagSpecifications=[
            {"ResourceType": "security-group", "Tags": [{"Key": _OWNER_TAG, "Value": domain.arn}]}
        ],
    )["GroupId"]
    everywhere = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.revoke_security_group_egress(GroupId=made, IpPermissions=[everywhere])
    return made


def _allow(tell: Any, group: str, other: str) -> None:
    """Authorize, or revoke, NFS between two groups."""
    rule = {
        "IpProtocol": "tcp",
        "FromPort": _NFS_PORT,
        "ToPort": _NFS_PORT,
        "UserIdGroupPairs": [{"GroupId": other}],
    }
    tell(GroupId=group, IpPermissions=[rule])


def _one_a_zone(world: World, domain: Record) -> list[str]:
    """The first subnet of each availability zone: EFS takes no second one."""
    zones: dict[str, str] = {}
    for subnet in _subnets(world, domain.call, domain.request["SubnetIds"]):
        zones.setdefault(subnet["AvailabilityZone"], subnet["SubnetId"])
    return list(zones.values())


def _subnets(world: World, call: Call, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The subnets; raises AwsError for the first that does not exist, where moto names any of them."""
    ec2 = world.client("ec2", call.account, call.region)
    found: list[dict[str, Any]] = ec2.describe_subnets(
        Filters=[{"Name": "subnet-id", "Values": list(wanted)}]
    )["Subnets"]
    present = {subnet["SubnetId"] for subnet in found}
    for name in wanted:
        if name not in present:
            raise invalid(f"The subnet ID '{name}' does not exist")
    return found


@contextmanager
def _gone_ok() -> Iterator[None]:
    """Somebody who cleaned up before has done the work; what is in use stays, as on AWS."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "NotFound" not in code and code not in ("FileSystemInUse", "DependencyViolation"):
            raise
