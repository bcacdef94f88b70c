"""What the resource types of EC2 share: its way of tagging, and the codes of what is gone."""

from __future__ import annotations

from typing import Any

from localaws.cloudformation.resource import Context
from localaws.cloudformation.resources._common import Api, Props, wanted_tags

GONE = (
    "Gateway.NotAttached",
    "InvalidAllocationID.NotFound",
    "InvalidAssociationID.NotFound",
    "InvalidFlowLogId.NotFound",
    "InvalidGroup.NotFound",
    "InvalidInternetGatewayID.NotFound",
    "InvalidRoute.NotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidSecurityGroupRuleId.NotFound",
    "InvalidSubnetID.NotFound",
    "InvalidVpcID.NotFound",
    "NatGatewayNotFound",
)


def tagged(context: Context, props: Props, kind: str) -> list[dict[str, Any]] | None:
    """The `TagSpecifications` to create a resource with; None when it has no tags."""
    tags = wanted_tags(context, props)
    if not tags:
        return None
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def settle_tags(context: Context, resource_id: str, props: Props) -> None:
    """Make the resource's tags those of the stack and the template."""
    ec2, wanted = Api(context, "ec2"), wanted_tags(context, props)
    found = ec2("describe_tags", Filters=[{"Name": "resource-id", "Values": [resource_id]}])["Tags"]
    current = {tag["Key"]: tag["Value"] for tag in found}
    surplus = [{"Key": key} for key in current if key not in wanted and not key.startswith("aws:")]
    missing = [{"Key": key, "Value": value} for key, value in wanted.items() if current.get(key) != value]
    if surplus:
        ec2("delete_tags", Resources=[resource_id], Tags=surplus)
    if missing:
        ec2("create_tags", Resources=[resource_id], Tags=missing)


def of_vpc(vpc_id: str, **more: str) -> list[dict[str, Any]]:
    """Filters for what belongs to a VPC: `of_vpc(id, default="true")`."""
    return [{"Name": "vpc-id", "Values": [vpc_id]}] + [
        {"Name": name.replace("_", "-"), "Values": [value]} for name, value in more.items()
    ]
