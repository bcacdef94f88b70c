"""Resource types of EC2: what leads out of a VPC, and the record of what went through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Props,
    absent_ok,
    given,
    truth,
)
from localaws.cloudformation.resources._ec2 import GONE, settle_tags, tagged


class InternetGateway(ResourceType):
    """A gateway to the internet, not yet attached to a VPC."""

    type_name = "AWS::EC2::InternetGateway"
    properties = frozenset({"Tags"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the gateway."""
        tags = tagged(context, props, "internet-gateway")
        made = Api(context, "ec2")("create_internet_gateway", TagSpecifications=tags)
        return self._described(str(made["InternetGateway"]["InternetGatewayId"]))

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Only the tags can change."""
        settle_tags(context, physical_id, new)
        return self._described(physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the gateway; EC2 refuses while it is attached."""
        with absent_ok(*GONE):
            Api(context, "ec2")("delete_internet_gateway", InternetGatewayId=physical_id)

    @staticmethod
    def _described(gateway: str) -> Created:
        return Created(gateway, {"InternetGatewayId": gateway})


class VpcGatewayAttachment(ResourceType):
    """An internet gateway's attachment to a VPC."""

    type_name = "AWS::EC2::VPCGatewayAttachment"
    properties = frozenset({"InternetGatewayId", "VpcId"})
    replaces = frozenset({"VpcId"})

    def create(self, context: Context, props: Props) -> Created:
        """Attach the gateway; EC2 refuses one that is attached already."""
        Api(context, "ec2")("attach_internet_gateway", **props)
        return self._described(props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Attach the one gateway in place of the other."""
        self.delete(context, physical_id, old)
        return self.create(context, new)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Detach the gateway; EC2 refuses while a public address of the VPC is in use."""
        with absent_ok(*GONE):
            Api(context, "ec2")("detach_internet_gateway", **props)

    @staticmethod
    def _described(props: Props) -> Created:
        return Created(f"IGW|{props['VpcId']}", {"AttachmentType": "IGW"})


class Address(ResourceType):
    """A public address that stays the same."""

    type_name = "AWS::EC2::EIP"
    properties = frozenset({"Domain", "Tags"})

    def create(self, context: Context, props: Props) -> Created:
        """Allocate an address."""
        tags = tagged(context, props, "elastic-ip")
        made = Api(context, "ec2")("allocate_address", Domain="vpc", TagSpecifications=tags)
        return self._described(made)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Only the tags can change."""
        [found] = Api(context, "ec2")("describe_addresses", PublicIps=[physical_id])["Addresses"]
        settle_tags(context, found["AllocationId"], new)
        return self._described(found)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Give the address back; EC2 refuses while something uses it."""
        ec2 = Api(context, "ec2")
        with absent_ok("InvalidAddress.NotFound", *GONE):
            [found] = ec2("describe_addresses", PublicIps=[physical_id])["Addresses"]
            ec2("release_address", AllocationId=found["AllocationId"])

    @staticmethod
    def _described(address: Mapping[str, Any]) -> Created:
        return Created(address["PublicIp"], given(address, "AllocationId", "PublicIp"))


class NatGateway(ResourceType):
    """A gateway through which private subnets reach the internet."""

    type_name = "AWS::EC2::NatGateway"
    properties = frozenset({"AllocationId", "ConnectivityType", "SubnetId", "Tags"})
    replaces = frozenset({"AllocationId", "ConnectivityType", "SubnetId"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the gateway; one that fails, as without an internet gateway, fails the resource."""
        made = Api(context, "ec2")(
            "create_nat_gateway",
            **given(props, *self.replaces),
            TagSpecifications=tagged(context, props, "natgateway"),
        )["NatGateway"]
        gateway = str(made["NatGatewayId"])
        if made["State"] == "failed":
            raise ResourceFailed(
                f"NatGateway {gateway} is in state failed and hence failed to stabilize."
                f" Detailed failure message: {made['FailureMessage']}",
                physical_id=gateway,
            )
        return self._described(context, gateway)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Only the tags can change."""
        settle_tags(context, physical_id, new)
        return self._described(context, physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the gateway, which lets go of its address and subnet."""
        with absent_ok(*GONE):
            Api(context, "ec2")("delete_nat_gateway", NatGatewayId=physical_id)

    @staticmethod
    def _described(context: Context, gateway: str) -> Created:
        [found] = Api(context, "ec2")("describe_nat_gateways", NatGatewayIds=[gateway])["NatGateways"]
        attributes = {
            "AutoProvisionZones": "",
            "AutoScalingIps": "",
            "EniId": found["NatGatewayAddresses"][0]["NetworkInterfaceId"],
            "NatGatewayId": gateway,
            "RouteTableId": "",
        }
        return Created(gateway, attributes)


_SETS = {
    "RouteTableIds": ("AddRouteTableIds", "RemoveRouteTableIds"),
    "SecurityGroupIds": ("AddSecurityGroupIds", "RemoveSecurityGroupIds"),
    "SubnetIds": ("AddSubnetIds", "RemoveSubnetIds"),
}
"""How ModifyVpcEndpoint changes each list of an endpoint."""


class VpcEndpoint(ResourceType):
    """An endpoint of an AWS service in a VPC: interfaces in subnets, or routes."""

    type_name = "AWS::EC2::VPCEndpoint"
    properties = frozenset(
        {*_SETS, "PolicyDocument", "PrivateDnsEnabled", "ServiceName", "Tags", "VpcEndpointType", "VpcId"}
    )
    replaces = frozenset({"ServiceName", "VpcEndpointType", "VpcId"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the endpoint; without PrivateDnsEnabled it has no private names, other than by the API."""
        private = truth(props.get("PrivateDnsEnabled", False))
        made = Api(context, "ec2")(
            "create_vpc_endpoint",
            **given(props, *self.replaces, *_SETS, "PolicyDocument"),
            PrivateDnsEnabled=private,
            TagSpecifications=tagged(context, props, "vpc-endpoint"),
        )["VpcEndpoint"]
        return self._described(made)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell what differs."""
        ec2, changes = Api(context, "ec2"), {}
        for name, (add, remove) in _SETS.items():
            before, after = old.get(name) or [], new.get(name) or []
            changes[add] = [one for one in after if one not in before] or None
            changes[remove] = [one for one in before if one not in after] or None
        ec2(
            "modify_vpc_endpoint",
            VpcEndpointId=physical_id,
            **changes,
            **(given(new, "PolicyDocument") or {"ResetPolicy": True}),
            PrivateDnsEnabled=truth(new.get("PrivateDnsEnabled", False)),
        )
        settle_tags(context, physical_id, new)
        [found] = ec2("describe_vpc_endpoints", VpcEndpointIds=[physical_id])["VpcEndpoints"]
        return self._described(found)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the endpoint; one that is gone is told in the answer, not as an error."""
        Api(context, "ec2")("delete_vpc_endpoints", VpcEndpointIds=[physical_id])

    @staticmethod
    def _described(endpoint: Mapping[str, Any]) -> Created:
        names = endpoint.get("DnsEntries", ())
        attributes = {
            "CreationTimestamp": str(endpoint["CreationTimestamp"]),
            "DnsEntries": [f"{name['HostedZoneId']}:{name['DnsName']}" for name in names],
            "Id": endpoint["VpcEndpointId"],
            "NetworkInterfaceIds": endpoint.get("NetworkInterfaceIds", []),
        }
        return Created(endpoint["VpcEndpointId"], attributes)


class FlowLog(ResourceType):
    """A record of the traffic of a VPC, subnet or interface: the embedded AWS has none, so it stays empty."""

    type_name = "AWS::EC2::FlowLog"
    properties = frozenset(
        {
            "DeliverLogsPermissionArn",
            "LogDestination",
            "LogDestinationType",
            "LogFormat",
            "LogGroupName",
            "MaxAggregationInterval",
            "ResourceId",
            "ResourceType",
            "Tags",
            "TrafficType",
        }
    )
    ignored: ClassVar[Mapping[str, str]] = {
        "DestinationOptions": "no file is written to a bucket, in whatever format"
    }
    replaces = properties - {"Tags"}

    def create(self, context: Context, props: Props) -> Created:
        """Make the log; EC2 refuses a second one with the same destination."""
        settings = given(props, *self.replaces - {"ResourceId"})
        made = Api(context, "ec2")(
            "create_flow_logs",
            **settings,
            ResourceIds=[props["ResourceId"]],
            TagSpecifications=tagged(context, props, "vpc-flow-log"),
        )
        for failed in made.get("Unsuccessful", ()):
            raise ResourceFailed(failed["Error"]["Message"])
        log = str(made["FlowLogIds"][0])
        return Created(log, {"Id": log})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Only the tags can change."""
        settle_tags(context, physical_id, new)
        return Created(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the log; what it has recorded stays."""
        with absent_ok(*GONE):
            Api(context, "ec2")("delete_flow_logs", FlowLogIds=[physical_id])


TYPES: tuple[type[ResourceType], ...] = (
    InternetGateway,
    VpcGatewayAttachment,
    Address,
    NatGateway,
    VpcEndpoint,
    FlowLog,
)
