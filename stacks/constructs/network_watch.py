"""What a created VPC needs besides its resources: a default group that is closed, a record of its traffic."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.function import LambdaFunction, LambdaFunctionProps
from stacks.constructs.permission import Permission, allow
from stacks.constructs.retention import removal_policy
from stacks.constructs.role import service_role
from stacks.grants import LOG_ACTIONS
from stacks.network import Network

RETENTION = logs.RetentionDays.ONE_YEAR


@dataclass(frozen=True, kw_only=True)
class NetworkWatchProps:
    """What watches over a network."""

    spec: TeamEnvironment
    network: Network
    key: kms.IKey
    """Encrypts the flow logs."""


class NetworkWatch(Construct):
    """Closes the default security group, and records who spoke to whom, of a network that is created here.

    It stands in the data stack, since the network comes before the environment's key and before its
    permissions boundary, which both need.
    """

    def __init__(self, scope: Construct, id_: str, props: NetworkWatchProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        if props.spec.network.mode == "created":
            self._close_default_group()
            if props.spec.network.flow_logs:
                self._record_flows()

    def _close_default_group(self) -> None:
        props, group = self._props, str(self._props.network.default_security_group_id)
        function = LambdaFunction(
            self,
            "CloseDefaultGroup",
            LambdaFunctionProps(
                spec=props.spec,
                verb_noun="close_default_group",
                description="Takes every rule from the default security group of the environment's VPC",
                key=props.key,
            ),
        )
        allow(
            function.role,
            Permission(
                sid="TakeRules",
                actions=["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"],
                resources=[Arns(props.spec).of("ec2", "security-group/") + group],
            ),
        )
        cdk.CfnResource(
            self,
            "DefaultGroup",
            type="Custom::AtelierClosedGroup",
            properties={"ServiceToken": function.arn, "Group": group},
        )

    def _record_flows(self) -> None:
        props = self._props
        log_group = logs.LogGroup(
            self,
            "FlowLogs",
            log_group_name=names.flow_logs(props.spec.team, props.spec.name),
            retention=RETENTION,
            encryption_key=props.key,
            removal_policy=removal_policy(props.spec),
        )
        role = service_role(
            self,
            "Role",
            service="vpc-flow-logs.amazonaws.com",
            description=f"Writes the flow logs of team {props.spec.team} in {props.spec.name}",
        )
        allow(
            role,
            Permission(
                sid="WriteFlows",
                actions=[action for action in LOG_ACTIONS if action != "logs:CreateLogGroup"],
                resources=[log_group.log_group_arn],
            ),
        )
        cdk.CfnResource(
            self,
            "FlowLog",
            type="AWS::EC2::FlowLog",
            properties={
                "ResourceType": "VPC",
                "ResourceId": props.network.vpc_id,
                "TrafficType": "ALL",
                "LogDestinationType": "cloud-watch-logs",
                "LogGroupName": log_group.log_group_name,
                "DeliverLogsPermissionArn": role.role_arn,
            },
        )
