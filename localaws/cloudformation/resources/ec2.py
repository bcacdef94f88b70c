"""Resource types of EC2: VPCs, their subnets and routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Aspects,
    Props,
    absent_ok,
    given,
    truth,
    undone_on_failure,
)
from localaws.cloudformation.resources._ec2 import GONE, of_vpc, settle_tags, tagged

Target = tuple[Api, str]


def _dns_support(target: Target, props: Props) -> None:
    ec2, vpc = target
    ec2(
        "modify_vpc_attribute",
        VpcId=vpc,
        EnableDnsSupport={"Value": truth(props.get("EnableDnsSupport", True))},
    )


def _dns_names(target: Target, props: Props) -> None:
    ec2, vpc = target
    ec2(
        "modify_vpc_attribute",
        VpcId=vpc,
        EnableDnsHostnames={"Value": truth(props.get("EnableDnsHostnames", False))},
    )


_VPC = Aspects[Target]({("EnableDnsSupport",): _dns_support, ("EnableDnsHostnames",): _dns_names})


class Vpc(ResourceType):
    """A VPC with what comes with it: a main route table, a network ACL, a default security group."""

    type_name = "AWS::EC2::VPC"
    properties = _VPC.properties | {"CidrBlock", "Tags"}
    ignored: ClassVar[Mapping[str, str]] = {"InstanceTenancy": "no instance runs on hardware of its own"}
    replaces = frozenset({"CidrBlock"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the VPC and tell what CreateVpc does not take."""
        ec2 = Api(context, "ec2")
        made = ec2(
            "create_vpc", CidrBlock=props["CidrBlock"], TagSpecifications=tagged(context, props, "vpc")
        )
        vpc = str(made["Vpc"]["VpcId"])
        with undone_on_failure(self, context, vpc, props):
            _VPC.settle((ec2, vpc), {}, given(props, *_VPC.properties))
            return self._described(context, vpc)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell what differs."""
        _VPC.settle((Api(context, "ec2"), physical_id), old, new)
        settle_tags(context, physical_id, new)
        return self._described(context, physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the VPC; EC2 refuses while anything is in it."""
        with absent_ok(*GONE):
            Api(context, "ec2")("delete_vpc", VpcId=physical_id)

    @staticmethod
    def _described(context: Context, vpc: str) -> Created:
        ec2 = Api(context, "ec2")
        [shown] = ec2("describe_vpcs", VpcIds=[vpc])["Vpcs"]
        [group] = ec2("describe_security_groups", Filters=of_vpc(vpc, group_name="default"))["SecurityGroups"]
        [acl] = ec2("describe_network_acls", Filters=of_vpc(vpc, default="true"))["NetworkAcls"]
        attributes = {
            "CidrBlock": shown["CidrBlock"],
            "CidrBlockAssociations": [
                found["AssociationId"] for found in shown.get("CidrBlockAssociationSet", ())
            ],
            "DefaultNetworkAcl": acl["NetworkAclId"],
            "DefaultSecurityGroup": group["GroupId"],
            "Ipv6CidrBlocks": [],
            "VpcId": vpc,
        }
        return Created(vpc, attributes)


class Subnet(ResourceType):
    """A subnet of a VPC in one availability zone."""

    type_name = "AWS::EC2::Subnet"
    properties = frozenset({"AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "Tags", "VpcId"})
    replaces = frozenset({"AvailabilityZone", "CidrBlock", "VpcId"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the subnet, in the first zone where the template names none."""
        ec2 = Api(context, "ec2")
        zones = ec2("describe_availability_zones")["AvailabilityZones"]
        zone = props.get("AvailabilityZone") or min(found["ZoneName"] for found in zones)
        made = ec2(
            "create_subnet",
            **given(props, "CidrBlock", "VpcId"),
            AvailabilityZone=zone,
            TagSpecifications=tagged(context, props, "subnet"),
        )
        subnet = str(made["Subnet"]["SubnetId"])
        with undone_on_failure(self, context, subnet, props):
            self._map_public_addresses(ec2, subnet, props)
            return self._described(context, subnet)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell what differs."""
        self._map_public_addresses(Api(context, "ec2"), physical_id, new)
        settle_tags(context, physical_id, new)
        return self._described(context, physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the subnet; EC2 refuses while an interface is in it."""
        with absent_ok(*GONE):
            Api(context, "ec2")("delete_subnet", SubnetId=physical_id)

    @staticmethod
    def _map_public_addresses(ec2: Api, subnet: str, props: Props) -> None:
        wanted = truth(props.get("MapPublicIpOnLaunch", False))
        ec2("modify_subnet_attribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": wanted})

    @staticmethod
    def _described(context: Context, subnet: str) -> Created:
        ec2 = Api(context, "ec2")
        [shown] = ec2("describe_subnets", SubnetIds=[subnet])["Subnets"]
        acls = ec2("describe_network_acls", Filters=of_vpc(shown["VpcId"], default="true"))["NetworkAcls"]
        association = next(
            found["NetworkAclAssociationId"]
            for acl in acls
            for found in acl["Associations"]
            if found["SubnetId"] == subnet
        )
        attributes = {
            **given(shown, "AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId"),
            "BlockPublicAccessStates": {},
            "Ipv6CidrBlocks": [],
            "NetworkAclAssociationId": association,
            "SubnetId": subnet,
        }
        return Created(subnet, attributes)


class RouteTable(ResourceType):
    """A route table; its routes and its subnets are resources of their own."""

    type_name = "AWS::EC2::RouteTable"
    properties = frozenset({"Tags", "VpcId"})
    replaces = frozenset({"VpcId"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the table."""
        made = Api(context, "ec2")(
            "create_route_table",
            VpcId=props["VpcId"],
            TagSpecifications=tagged(context, props, "route-table"),
        )
        table = str(made["RouteTable"]["RouteTableId"])
        return Created(table, {"RouteTableId": table})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Only the tags can change."""
        settle_tags(context, physical_id, new)
        return Created(physical_id, {"RouteTableId": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the table; EC2 refuses while a subnet uses it."""
        with absent_ok(*GONE):
            Api(context, "ec2")("delete_route_table", RouteTableId=physical_id)


_WHERE = frozenset({"DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"})
_WAYS = frozenset({"GatewayId", "NatGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId"})


class Route(ResourceType):
    """One route of a route table."""

    type_name = "AWS::EC2::Route"
    properties = frozenset({"RouteTableId"}) | _WHERE | _WAYS
    replaces = frozenset({"RouteTableId"}) | _WHERE

    def create(self, context: Context, props: Props) -> Created:
        """Make the route; EC2 refuses a second one to the same destination."""
        Api(context, "ec2")("create_route", **props)
        return self._described(props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Lead it another way."""
        Api(context, "ec2")("replace_route", **new)
        return self._described(new)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the route."""
        with absent_ok(*GONE):
            Api(context, "ec2")("delete_route", **given(props, "RouteTableId", *_WHERE))

    @staticmethod
    def _described(props: Props) -> Created:
        [destination] = given(props, *_WHERE).values()
        return Created(f"{props['RouteTableId']}|{destination}", {"CidrBlock": destination})


class SubnetRouteTableAssociation(ResourceType):
    """Which route table a subnet uses in place of the main one."""

    type_name = "AWS::EC2::SubnetRouteTableAssociation"
    properties = frozenset({"RouteTableId", "SubnetId"})
    replaces = properties

    def create(self, context: Context, props: Props) -> Created:
        """Let the subnet use the table; one that uses another, which is about to go, is led over."""
        ec2 = Api(context, "ec2")
        where = [{"Name": "association.subnet-id", "Values": [props["SubnetId"]]}]
        associations = [
            found["RouteTableAssociationId"]
            for table in ec2("describe_route_tables", Filters=where)["RouteTables"]
            for found in table["Associations"]
            if found.get("SubnetId") == props["SubnetId"]
        ]
        if associations:
            made = ec2(
                "replace_route_table_association",
                AssociationId=associations[0],
                RouteTableId=props["RouteTableId"],
            )["NewAssociationId"]
        else:
            made = ec2("associate_route_table", **props)["AssociationId"]
        return Created(str(made), {"Id": made})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Let the subnet use the main table again."""
        with absent_ok(*GONE):
            Api(context, "ec2")("disassociate_route_table", AssociationId=physical_id)


TYPES: tuple[type[ResourceType], ...] = (Vpc, Subnet, RouteTable, Route, SubnetRouteTableAssociation)
