"""Moto's record of an account's networks in one region, and the errors that EC2 answers about them."""

from __future__ import annotations

from typing import Any

from localaws.service import AwsError


def state(account: str, region: str) -> Any:
    """Moto's backend; loaded when somebody asks, since importing it takes longer than the server's start."""
    from moto.ec2.models import ec2_backends  # noqa: PLC0415 -- see above

    return ec2_backends[account][region]


def in_use(message: str) -> AwsError:
    """What EC2 answers when something cannot go because something else needs it."""
    return AwsError("DependencyViolation", message)


def group_of(ec2: Any, group_id: str, vpc_id: str) -> Any:
    """A security group of a VPC; raises AwsError when there is none."""
    group = ec2.get_security_group_from_id(group_id)
    if group is None:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    if group.vpc_id != vpc_id:
        raise AwsError(
            "InvalidParameter", f"Security group {group_id} and subnet belong to different networks."
        )
    return group
