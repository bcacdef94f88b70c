"""A way from private subnets to the internet, and the names that may be asked for on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment

FIREWALL_PRIORITY = 101  # the first that AWS leaves to its users
ALLOW, BLOCK = 100, 200


@dataclass(frozen=True, kw_only=True)
class NetworkEgressProps:
    """What the way out is made of; ids are tokens."""

    spec: TeamEnvironment
    vpc_id: str
    public_range: IPv4Network
    """The addresses of the NAT gateway's subnet."""
    private_routes: str
    """The route table of the private subnets."""


class NetworkEgress(Construct):
    """One NAT gateway in the first zone, for all of them, and a DNS firewall where names are listed.

    One for each zone would cost as much again for each; jobs can wait until a zone is back, and traffic
    between zones costs less than the gateways do. The firewall refuses to resolve what is not listed: it
    stops packages and programs, not somebody who connects to an address without asking for its name.
    """

    def __init__(self, scope: Construct, id_: str, props: NetworkEgressProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._stage = names.stage(props.spec.team, props.spec.name)
        gateway = self._resource("EC2::InternetGateway", "InternetGateway", self._named("internet"))
        attached = self._resource(
            "EC2::VPCGatewayAttachment",
            "Attachment",
            {"VpcId": props.vpc_id, "InternetGatewayId": gateway.ref},
        )
        subnet = self._public_subnet(gateway, attached)
        self._nat_gateway(subnet, attached)
        if props.spec.network.allow:
            self._firewall([*_names_of_aws(props.spec.region), *props.spec.network.allow])

    def _public_subnet(self, gateway: cdk.CfnResource, attached: cdk.CfnResource) -> cdk.CfnResource:
        vpc = {"VpcId": self._props.vpc_id}
        subnet = self._resource(
            "EC2::Subnet",
            "Public",
            {
                **vpc,
                "CidrBlock": str(self._props.public_range),
                "AvailabilityZone": cdk.Fn.select(0, cdk.Fn.get_azs()),
                "MapPublicIpOnLaunch": False,
                **self._named("public"),
            },
        )
        table = self._resource("EC2::RouteTable", "PublicRoutes", {**vpc, **self._named("public")})
        routed = {"RouteTableId": table.ref, "SubnetId": subnet.ref}
        self._resource("EC2::SubnetRouteTableAssociation", "PublicRouting", routed)
        route = self._resource("EC2::Route", "ToInternet", {**_out(table.ref), "GatewayId": gateway.ref})
        route.node.add_dependency(attached)
        cdk.Validations.of(route).acknowledge(
            cdk.Acknowledgment(
                id="NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW",
                reason="only the NAT gateway stands in this subnet, which lets nothing in",
            )
        )
        return subnet

    def _nat_gateway(self, subnet: cdk.CfnResource, attached: cdk.CfnResource) -> None:
        address = self._resource("EC2::EIP", "Address", {"Domain": "vpc", **self._named("nat")})
        # Both need the way out to be there, also when it goes; nothing they refer to says so.
        address.node.add_dependency(attached)
        nat = self._resource(
            "EC2::NatGateway",
            "Nat",
            {"SubnetId": subnet.ref, "AllocationId": address.get_att("AllocationId"), **self._named("nat")},
        )
        nat.node.add_dependency(attached)
        routed = {**_out(self._props.private_routes), "NatGatewayId": nat.ref}
        self._resource("EC2::Route", "ThroughNat", routed)

    def _firewall(self, allowed: Sequence[str]) -> None:
        kind = "Route53Resolver::Firewall"
        listed = self._resource(f"{kind}DomainList", "Allowed", {"Domains": list(allowed)})
        every = self._resource(f"{kind}DomainList", "Everything", {"Domains": ["*"]})
        allow = {
            "Priority": ALLOW,
            "Action": "ALLOW",
            "FirewallDomainListId": listed.ref,
            # What an allowed name is another name of is allowed too: content networks change theirs daily.
            "FirewallDomainRedirectionAction": "TRUST_REDIRECTION_DOMAIN",
        }
        block = {
            "Priority": BLOCK,
            "Action": "BLOCK",
            "BlockResponse": "NXDOMAIN",
            "FirewallDomainListId": every.ref,
        }
        group = self._resource(f"{kind}RuleGroup", "Rules", {"FirewallRules": [allow, block]})
        self._resource(
            f"{kind}RuleGroupAssociation",
            "Firewall",
            {
                "FirewallRuleGroupId": group.ref,
                "VpcId": self._props.vpc_id,
                "Priority": FIREWALL_PRIORITY,
            },
        )

    def _named(self, what: str) -> dict[str, Any]:
        """What the console shows as its name."""
        return {"Tags": [{"Key": "Name", "Value": f"{self._stage} {what}"}]}

    def _resource(self, type_: str, id_: str, properties: dict[str, Any]) -> cdk.CfnResource:
        return cdk.CfnResource(self, id_, type=f"AWS::{type_}", properties=properties)


def _out(table: str) -> dict[str, str]:
    return {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}


def _names_of_aws(region: str) -> list[str]:
    """What AWS's services, Studio and a job's hosts are called: the names of endpoints are judged as well."""
    return [
        f"*.{region}.amazonaws.com",
        f"*.{region}.sagemaker.aws",
        "s3.amazonaws.com",
        "*.s3.amazonaws.com",
        "sts.amazonaws.com",
        "*.compute.internal",
        "*.ec2.internal",
        "*.in-addr.arpa",
    ]
