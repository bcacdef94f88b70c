"""What a VPC needs to reach AWS's services without the internet: only what the environment's features use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import partition

HTTPS = 443
RUNNING = ("ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "sagemaker.api", "sts")
"""What every container uses: images, keys, logs, metrics, its own description, its credentials."""
WORKING = (*RUNNING, "lambda", "sagemaker.runtime", "ssm", "states")
"""What people use besides: to ask endpoints, to start runs and to follow them."""

SERVICES: Mapping[str, Sequence[str]] = {
    "jobs": RUNNING,
    "endpoints": RUNNING,
    "studio": (*WORKING, "events", "studio"),  # events: notebooks that run on a schedule
    "notebooks": (*WORKING, "notebook"),
    "repositories": ("secretsmanager",),  # where Git's credentials are
    "codecommit": ("codecommit", "git-codecommit"),
    "project templates": ("servicecatalog",),
}
"""The services that each feature calls from inside of the network.

An interface endpoint is paid for each hour, zone and gigabyte; S3's gateway endpoint costs nothing.
"""
WEB = ("notebook", "studio")
"""Endpoints of SageMaker's web interfaces, named otherwise than all others.

They keep the policy of AWS, which lets everybody in: a browser comes with a session rather than a signed
request, and it is the signing of the session's address that IAM decides about.
"""


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
                "ServiceName": _service_name("s3", props.spec.region),
                "RouteTableIds": [props.route_table_id],
                "PolicyDocument": _policy_of_s3(props.spec),
            },
        )

    def _interface(self, service: str, group: str) -> None:
        props = self._props
        policy = {} if service in WEB else {"PolicyDocument": _policy(props.spec)}
        self._endpoint(
            service,
            {
                "VpcEndpointType": "Interface",
                "ServiceName": _service_name(service, props.spec.region),
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


def services_of(spec: TeamEnvironment) -> list[str]:
    """The services that the environment's features call, sorted; see SERVICES."""
    repositories = [
        *(spec.studio.repositories if spec.studio else ()),
        *(notebook.repository for notebook in spec.notebooks.values() if notebook.repository),
    ]
    used = {
        "jobs": bool(spec.jobs),
        "endpoints": bool(spec.endpoints),
        "studio": spec.studio is not None,
        "notebooks": bool(spec.notebooks),
        "repositories": bool(repositories),
        "codecommit": any("git-codecommit." in url for url in repositories),
        "project templates": spec.studio is not None and spec.studio.project_templates,
    }
    return sorted(
        {service for feature, services in SERVICES.items() if used[feature] for service in services}
    )


def _service_name(service: str, region: str) -> str:
    return f"aws.sagemaker.{region}.{service}" if service in WEB else f"com.amazonaws.{region}.{service}"


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
