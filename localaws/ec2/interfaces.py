"""Network interfaces that a service makes in someone's subnet and that nobody else can delete."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from moto.core.exceptions import ServiceException

from localaws.ec2.state import group_of, state
from localaws.service import AwsError
from localaws.world import World

RESERVED_HOSTS = 3  # of each subnet, besides its first and last address


def attach_interface(
    world: World, account: str, region: str, *, subnet_id: str, group_ids: Sequence[str], description: str
) -> str:
    """Make an interface for a service (an EFS mount target, a notebook instance) and return its id.

    As long as it stands, its subnet, its groups and their VPC cannot be deleted. Raises AwsError when the
    subnet or a group does not exist, or no address is left.
    """
    del world
    try:
        return str(make(state(account, region), subnet_id, group_ids, description).id)
    except ServiceException as error:  # moto's, for a subnet that does not exist
        raise AwsError(error.code, error.message) from error


def detach_interface(world: World, account: str, region: str, interface_id: str) -> None:
    """Remove an interface that `attach_interface` made; one that is gone already is no error."""
    del world
    remove(state(account, region), interface_id)


def make(
    ec2: Any, subnet_id: str, group_ids: Sequence[str], description: str, kind: str = "interface"
) -> Any:
    """The same, for the services of this package: moto's object."""
    subnet = ec2.get_subnet(subnet_id)
    groups = [group_of(ec2, group_id, subnet.vpc_id) for group_id in group_ids]
    made = ec2.create_network_interface(
        subnet, _free_address(ec2, subnet), group_ids=list(group_ids), description=description
    )
    made._group_set = groups  # noqa: SLF001 -- moto puts the default group where none is given
    made.requester_managed = True
    made.status = "in-use"
    made.interface_type = kind
    return made


def remove(ec2: Any, interface_id: str) -> None:
    """Remove an interface, whoever made it."""
    ec2.enis.pop(interface_id, None)


def in_subnet(ec2: Any, subnet_id: str) -> list[Any]:
    """The interfaces in a subnet."""
    return [found for found in ec2.enis.values() if found.subnet.id == subnet_id]


def with_group(ec2: Any, group_id: str) -> list[Any]:
    """The interfaces that a security group guards."""
    return [
        found for found in ec2.enis.values() if group_id in {group.id for group in found.group_set if group}
    ]


def _free_address(ec2: Any, subnet: Any) -> str:
    taken = {found.private_ip_address for found in in_subnet(ec2, subnet.id)}
    for host in islice(subnet.cidr.hosts(), RESERVED_HOSTS, None):
        if str(host) not in taken:
            return str(host)
    raise AwsError(
        "InsufficientFreeAddressesInSubnet",
        f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of"
        " addresses.",
    )
