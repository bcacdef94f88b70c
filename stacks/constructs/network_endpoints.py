"""What a VPC needs to reach AWS's services without the internet: only what the environment's features use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from atelier.spec.vpc_endpoints import GATEWAY, WEB, service_name, services_of
from stacks.arns import partition

HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class NetworkEndpointsProps:
    """What the endpoints of a VPC are made of; all ids are tokens."""

    spec: TeamEnvironment
    vpc_id: str
    subnet_ids: Sequence[str]
    route_table_id: str
    workloads: str
    """The security group that may use them."""


class NetworkEndpoints(Construct):
    """S3's gateway, and an interface endpoint for each service that is used.

    With `endpoints: shared` only the gateway: the rest is reached through a VPC of the platform's.
    """

    def __init__(self, scope: Construct, id_: str, props: NetworkEndpointsProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._gateway_of_s3()
        services = services_of(props.spec) if props.spec.network.endpoints == "own" else []
        if services:
            group = self._group()
            for service in services:
                self._interface(service, group)

    def _gateway_of_s3(self) -> None:
        props = self._props
        self._endpoint(
            "S3",
            {
                "VpcEndpointType": "Gateway",
                "ServiceName": service_name(GATEWAY, props.spec.region),
                "RouteTableIds": [props.route_table_id],
                "PolicyDocument": _policy_of_s3(props.spec),
            },
        )

    def _interface(self, service: str, group: str) -> None:
        props = self._props
        # A browser comes with a session rather than a signed request, and it is the signing of the session's
        # address that IAM decides about: these endpoints keep the policy of AWS, which lets everybody in.
        policy = {} if service in WEB else {"PolicyDocument": _policy(props.spec)}
        self._endpoint(
            service,
            {
                "VpcEndpointType": "Interface",
                "ServiceName": service_name(service, props.spec.region),
                "SubnetIds": list(props.subnet_ids),
                "SecurityGroupIds": [group],
                "PrivateDnsEnabled": True,
                **policy,
            },
        )

    def _endpoint(self, id_: str, properties: dict[str, Any]) -> None:
        stage = names.stage(self._props.spec.team, self._props.spec.name)
        tags = [{"Key": "Name", "Value": f"{stage} {id_.lower()}"}]
        cdk.CfnResource(
            self,
            id_,
            type="AWS::EC2::VPCEndpoint",
            properties={"VpcId": self._props.vpc_id, **properties, "Tags": tags},
        )

    def _group(self) -> str:
        """The group of the endpoints' interfaces, which answer and never ask."""
        props = self._props
        group = cdk.CfnResource(
            self,
            "Group",
            type="AWS::EC2::SecurityGroup",
            properties={
                "VpcId": props.vpc_id,
                "GroupDescription": f"Endpoints of team {props.spec.team} in {props.spec.name}",
                "SecurityGroupIngress": [
                    {
                        "IpProtocol": "tcp",
                        "FromPort": HTTPS,
                        "ToPort": HTTPS,
                        "SourceSecurityGroupId": props.workloads,
                        "Description": "HTTPS from jobs, endpoints and apps",
                    }
                ],
                # EC2 lets everything out of a group without a rule; this one matches nothing.
                "SecurityGroupEgress": [
                    {
                        "IpProtocol": "icmp",
                        "FromPort": 252,
                        "ToPort": 86,
                        "CidrIp": "255.255.255.255/32",
                        "Description": "Nothing",
                    }
                ],
            },
        )
        return group.get_att("GroupId").to_string()


def _policy(spec: TeamEnvironment) -> dict[str, Any]:
    """Whoever comes through is of this account: no one's own credentials carry data out."""
    return _document(_statement("OwnPrincipals", {"aws:PrincipalAccount": spec.account}))


def _policy_of_s3(spec: TeamEnvironment) -> dict[str, Any]:
    """This account's principals write to the team's accounts alone, and read what IAM lets them."""
    own = {"aws:PrincipalAccount": spec.account}
    team = [spec.account, *spec.other_accounts]
    bucket = f"arn:{partition(spec.region)}:s3:::"
    public = [
        f"{bucket}prod-{spec.region}-starport-layer-bucket/*",  # the layers of ECR's images
        f"{bucket}al2023-repos-{spec.region}-de612dc2/*",  # the packages of Amazon Linux
    ]
    return _document(
        _statement("OwnBuckets", {**own, "aws:ResourceAccount": team}),
        _statement("ReadElsewhere", own, actions=["s3:GetObject*", "s3:ListBucket"]),
        # Asked for with addresses that AWS signs, or without a signature.
        _statement("WhatAwsPublishes", {}, actions=["s3:GetObject"], resources=public),
    )


def _statement(
    sid: str, equals: Mapping[str, Any], *, actions: Sequence[str] = ("*",), resources: Sequence[str] = ("*",)
) -> dict[str, Any]:
    condition = {"Condition": {"StringEquals": dict(equals)}} if equals else {}
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": "*",
        "Action": list(actions),
        "Resource": list(resources),
        **condition,
    }


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
