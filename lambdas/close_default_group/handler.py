"""A custom resource of CloudFormation that takes every rule from the default security group of a VPC.

The group comes with the VPC and cannot be deleted; what is made without naming a group ends up in it, and its
two rules let that talk to its like and to everybody. CloudFormation has no means to take them away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.clients import client
from lambdas.shared.custom_resource import respond
from lambdas.shared.logs import Log

log = Log("close_default_group")


def handler(event: Mapping[str, Any], context: object) -> None:
    """Lambda's entry point, called by CloudFormation, which waits for the answer at the event's URL."""
    del context
    group = str(event["ResourceProperties"]["Group"])

    def work() -> None:
        if event["RequestType"] != "Delete":  # the group goes with its VPC
            close(client("ec2"), group)

    failure = respond(event, f"{group}/closed", work)
    if failure:
        log.failure("not closed", failure, group=group)


def close(ec2: Any, group: str) -> None:
    """Revoke the rules that AWS gives the group: everything from its own members, everything to everybody."""
    everything = {"IpProtocol": "-1"}
    from_itself = {**everything, "UserIdGroupPairs": [{"GroupId": group}]}
    to_everybody = {**everything, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    for revoke, rule in (
        (ec2.revoke_security_group_ingress, from_itself),
        (ec2.revoke_security_group_egress, to_everybody),
    ):
        try:
            revoke(GroupId=group, IpPermissions=[rule])
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidPermission.NotFound":
                raise
