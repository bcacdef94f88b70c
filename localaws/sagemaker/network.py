"""The VPC that a job or a model joins: one interface for each instance, as long as that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from botocore.exceptions import ClientError

from localaws.ec2 import attach_interface, detach_interface
from localaws.sagemaker.records import invalid
from localaws.service import Call
from localaws.world import World

VpcConfig: TypeAlias = "Mapping[str, Sequence[str]]"
"""`Subnets` and `SecurityGroupIds`; empty where nothing is joined."""
WITHOUT_TRAFFIC = "no traffic goes through the VPC; interfaces only hold its subnets"


def check_vpc(world: World, call: Call, config: VpcConfig) -> None:
    """Raise AwsError unless the subnets and security groups exist, as SageMaker looks at once."""
    if not config:
        return
    ec2 = world.client("ec2", call.account, call.region)
    try:
        ec2.describe_subnets(SubnetIds=list(config["Subnets"]))
        ec2.describe_security_groups(GroupIds=list(config["SecurityGroupIds"]))
    except ClientError as error:
        raise invalid(error.response["Error"]["Message"]) from error


class Membership:
    """The interfaces of a job or variant in the VPC that it joins, if it joins one."""

    def __init__(self, world: World, call: Call, config: VpcConfig, description: str) -> None:
        self._where: tuple[World, str, str] = (world, call.account, call.region)
        self._config = config
        self._description = description
        self._interfaces: list[str] = []

    def join(self, instances: int) -> None:
        """Make an interface for each instance, in the subnets by turns; raises AwsError where that fails."""
        for number in range(instances if self._config else 0):
            subnets = self._config["Subnets"]
            made = attach_interface(
                *self._where,
                subnet_id=subnets[number % len(subnets)],
                group_ids=self._config["SecurityGroupIds"],
                description=self._description,
            )
            self._interfaces.append(made)

    def leave(self) -> None:
        """Remove them; a second time is no error."""
        while self._interfaces:
            detach_interface(*self._where, self._interfaces.pop())
