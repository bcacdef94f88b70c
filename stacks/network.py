"""Where an environment's jobs, endpoints and people work: a VPC of its own, one that exists, or none."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.constructs.guardrail_conditions import Place
from stacks.constructs.network_egress import NetworkEgress, NetworkEgressProps
from stacks.constructs.network_endpoints import NetworkEndpoints, NetworkEndpointsProps
from stacks.team_stack import TeamStack

HTTPS = 443
PARTS = 4
"""Into how many equal parts the addresses are divided: one for each of three zones, one for the way out.

Always: a third zone, or the way out, then changes nothing of the others.
"""
FLOW_LOGS_ELSEWHERE = "recorded by the data stack, which holds the key; the team file can switch it off"


@dataclass(frozen=True, kw_only=True)
class NetworkProps:
    """What the network stack is built from."""

    spec: TeamEnvironment


class Network(TeamStack):
    """A VPC with private subnets in two or three zones, closed but for what the team file opens.

    `vpc_id` and `security_group_id` are None, and `subnet_ids` empty, where the environment has no network.
    The stack is there all the same, since a stack that is left out of the app is not deleted: what it made
    before goes when it is deployed with nothing in it, last of all (see `stacks.build`).
    """

    def __init__(self, scope: Construct, id_: names.StackKind, props: NetworkProps) -> None:
        super().__init__(scope, id_, props.spec)
        self._spec = props.spec
        self._network = props.spec.network
        self.vpc_id: str | None = self._network.vpc
        self.subnet_ids: list[str] = list(self._network.subnets)
        self.security_group_ids: list[str] = list(self._network.security_groups)
        self.default_security_group_id: str | None = None
        """The group that AWS makes with a created VPC, which nothing here uses."""
        if self.is_empty:
            # CloudFormation takes no template without a resource; this one costs nothing and does nothing.
            cdk.CfnResource(self, "Nothing", type="AWS::CloudFormation::WaitConditionHandle")
        if self._network.mode == "created":
            self._create()
        elif self._network.mode == "existing" and not self.security_group_ids:
            self.security_group_ids = [self._workloads(str(self.vpc_id)).get_att("GroupId").to_string()]

    @property
    def security_group_id(self) -> str | None:
        """The first of the groups that jobs, endpoints, Studio and notebooks are in."""
        return self.security_group_ids[0] if self.security_group_ids else None

    @property
    def is_empty(self) -> bool:
        """Whether the stack makes no part of a network."""
        network = self._network
        return network.mode == "none" or (network.mode == "existing" and bool(network.security_groups))

    @property
    def place(self) -> Place | None:
        """Where jobs and models run; None where the environment has no network.

        Its subnets are read from the stack's outputs rather than imported: an import would keep a zone from
        ever being given up. A run that starts between the deployments of this stack and of its own fails.
        """
        lasting = self.lasting_place
        if lasting is None or self._network.mode != "created":
            return lasting
        weak = cdk.ReferenceStrength.WEAK
        subnets = [cdk.Stack.consume_reference(subnet, weak) for subnet in lasting.subnets]
        return replace(lasting, subnets=subnets)

    @property
    def lasting_place(self) -> Place | None:
        """The same, for what stands in its subnets as long as the environment does: none of them can go."""
        if self.vpc_id is None:
            return None
        return Place(subnets=self.subnet_ids, security_groups=self.security_group_ids)

    def _create(self) -> None:
        parts = list(ipaddress.IPv4Network(self._network.cidr).subnets(PARTS.bit_length() - 1))
        vpc = self._vpc()
        subnets = [
            self._subnet(vpc.ref, f"Private{zone + 1}", zone, parts[zone])
            for zone in range(self._network.zones)
        ]
        routes = self._routes(vpc.ref, subnets)
        workloads = self._workloads(vpc.ref)
        self.vpc_id = vpc.ref
        self.default_security_group_id = vpc.get_att("DefaultSecurityGroup").to_string()
        self.subnet_ids = [subnet.ref for subnet in subnets]
        self.security_group_ids = [workloads.get_att("GroupId").to_string()]
        self.keep_exporting(
            vpc.ref, self.default_security_group_id, *self.subnet_ids, *self.security_group_ids
        )
        NetworkEndpoints(
            self,
            "Endpoints",
            NetworkEndpointsProps(
                spec=self._spec,
                vpc_id=vpc.ref,
                subnet_ids=self.subnet_ids,
                route_table_id=routes.ref,
                workloads=self.security_group_ids[0],
            ),
        )
        if self._network.internet == "nat":
            NetworkEgress(
                self,
                "Egress",
                NetworkEgressProps(
                    spec=self._spec,
                    vpc_id=vpc.ref,
                    public_range=next(parts[PARTS - 1].subnets(new_prefix=28)),
                    private_routes=routes.ref,
                ),
            )

    def _vpc(self) -> cdk.CfnResource:
        vpc = self._resource(
            "Vpc",
            "VPC",
            {
                "CidrBlock": self._network.cidr,
                # Both are needed for the services' own names to lead to the endpoints.
                "EnableDnsSupport": True,
                "EnableDnsHostnames": True,
                **self._named("network"),
            },
        )
        cdk.Validations.of(vpc).acknowledge(
            cdk.Acknowledgment(id="AwsSolutions-VPC7", reason=FLOW_LOGS_ELSEWHERE),
            cdk.Acknowledgment(
                id="NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
                reason="closed by the data stack: CloudFormation cannot",
            ),
            cdk.Acknowledgment(id="NIST.800.53.R5-VPCFlowLogsEnabled", reason=FLOW_LOGS_ELSEWHERE),
        )
        return vpc

    def _subnet(self, vpc: str, id_: str, zone: int, addresses: ipaddress.IPv4Network) -> cdk.CfnResource:
        return self._resource(
            id_,
            "Subnet",
            {
                "VpcId": vpc,
                "CidrBlock": str(addresses),
                "AvailabilityZone": cdk.Fn.select(zone, cdk.Fn.get_azs()),
                "MapPublicIpOnLaunch": False,
                **self._named(f"private {zone + 1}"),
            },
        )

    def _routes(self, vpc: str, subnets: list[cdk.CfnResource]) -> cdk.CfnResource:
        """One table for all private subnets: they have the same ways out, if any."""
        table = self._resource("PrivateRoutes", "RouteTable", {"VpcId": vpc, **self._named("private")})
        for number, subnet in enumerate(subnets, 1):
            routed = {"RouteTableId": table.ref, "SubnetId": subnet.ref}
            self._resource(f"Private{number}Routes", "SubnetRouteTableAssociation", routed)
        return table

    def _workloads(self, vpc: str) -> cdk.CfnResource:
        """The group of what runs here: its members talk among themselves, and to AWS's services.

        The hosts of a training job use any port, Studio's apps and their file system several. What 443 leads
        to is decided by routes: to the endpoints, to S3 through its gateway (whose addresses differ from
        region to region), and anywhere only where there is a NAT gateway.
        """
        group = self._resource(
            "Workloads",
            "SecurityGroup",
            {
                "VpcId": vpc,
                "GroupDescription": f"What team {self._spec.team} runs in {self._spec.name}",
                "SecurityGroupEgress": [
                    {
                        "IpProtocol": "tcp",
                        "FromPort": HTTPS,
                        "ToPort": HTTPS,
                        "CidrIp": "0.0.0.0/0",
                        "Description": "HTTPS, as far as routes lead",
                    }
                ],
                **self._named("workloads"),
            },
        )
        group_id = group.get_att("GroupId").to_string()
        itself = {"GroupId": group_id, "IpProtocol": "-1", "Description": "Members among themselves"}
        inside = {**itself, "SourceSecurityGroupId": group_id}
        cdk.Validations.of(self._resource("FromItself", "SecurityGroupIngress", inside)).acknowledge(
            cdk.Acknowledgment(
                id="NIST.800.53.R5-EC2RestrictedCommonPorts",
                reason="from members of the same group alone: instances of one job talk on ports they choose",
            )
        )
        self._resource("ToItself", "SecurityGroupEgress", {**itself, "DestinationSecurityGroupId": group_id})
        return group

    def _named(self, what: str) -> dict[str, Any]:
        """What the console shows as its name."""
        stage = names.stage(self._spec.team, self._spec.name)
        return {"Tags": [{"Key": "Name", "Value": f"{stage} {what}"}]}

    def _resource(self, id_: str, type_: str, properties: dict[str, Any]) -> cdk.CfnResource:
        # Not the classes of `aws_cdk.aws_ec2`: importing them takes longer than a whole synthesis.
        return cdk.CfnResource(self, id_, type=f"AWS::EC2::{type_}", properties=properties)
