"""A Step Functions state machine with a role and a log group of its own.

Written as plain CloudFormation resources, as the functions are.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from stacks.constructs.permission import Permission, ServiceRole, allow
from stacks.constructs.role import service_role

LOG_RETENTION = logs.RetentionDays.THREE_MONTHS
WRITE_LOG_AND_TRACES = Permission(
    sid="WriteLogAndTraces",
    actions=[
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ],
    resources=["*"],
    because="neither the delivery of a log nor a trace has an ARN",
)


@dataclass(frozen=True, kw_only=True)
class WorkflowProps:
    """What tells one workflow from another."""

    name: str
    definition: Mapping[str, Any]
    """In Amazon States Language; may hold tokens."""
    key: kms.IKey
    """Encrypts the log group."""


class Workflow(Construct):
    """A state machine; what it may do is granted to its `role`, `arn` is a token to refer to it by."""

    def __init__(self, scope: Construct, id_: str, props: WorkflowProps) -> None:
        super().__init__(scope, id_)
        self.name = props.name
        self.role = self._role()
        self.arn = self._machine(props, self._log_group(props)).ref

    def _role(self) -> ServiceRole:
        role = service_role(
            self,
            "Role",
            service="states.amazonaws.com",
            description=f"Runs the workflow {self.name}",
        )
        allow(role, WRITE_LOG_AND_TRACES)
        return role

    def _log_group(self, props: WorkflowProps) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Logs",
            # Groups below this path share one statement of the account's policy for log delivery, which is
            # limited in length.
            log_group_name=f"/aws/vendedlogs/states/{props.name}",
            retention=LOG_RETENTION,
            encryption_key=props.key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _machine(self, props: WorkflowProps, log_group: logs.LogGroup) -> cdk.CfnResource:
        text, references = _with_placeholders(json.dumps(props.definition, separators=(",", ":")))
        # A file beside the template, which holds 1 MB: fewer than fifty definitions.
        source = _published(self, text)
        return cdk.CfnResource(
            self,
            "Machine",
            type="AWS::StepFunctions::StateMachine",
            properties={
                "StateMachineName": props.name,
                "StateMachineType": "STANDARD",
                "RoleArn": self.role.role_arn,
                "DefinitionS3Location": {"Bucket": source.s3_bucket_name, "Key": source.s3_object_key},
                "DefinitionSubstitutions": references,
                "LoggingConfiguration": {
                    "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": log_group.log_group_arn}}],
                    "IncludeExecutionData": True,
                    "Level": "ALL",
                },
                "TracingConfiguration": {"Enabled": True},
            },
        )


def _with_placeholders(definition: str) -> tuple[str, dict[str, str]]:
    """The text with `${Reference1}` and so on in place of references, and the reference behind each."""
    names: dict[str, str] = {}

    def placeholder(reference: re.Match[str]) -> str:
        return f"${{{names.setdefault(reference[0], f'Reference{len(names) + 1}')}}}"

    text = re.sub(r"\$\{Token\[[^\]]*\]\}", placeholder, definition)
    return text, {name: reference for reference, name in names.items()}


def _published(scope: Construct, definition: str) -> assets.Asset:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "definition.json"
        path.write_text(definition, encoding="utf-8")
        return assets.Asset(scope, "Definition", path=str(path))
