"""What an environment keeps: its key and its buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.access import Access
from stacks.arns import Arns
from stacks.constructs.bucket import SecureBucket, SecureBucketProps
from stacks.constructs.function import ACKNOWLEDGED, LOG_RETENTION
from stacks.constructs.permission import Permission, allow
from stacks.constructs.retention import removal_policy
from stacks.constructs.role import acknowledge_inline
from stacks.team_stack import TeamStack

ACCESS_LOG_DAYS = 365
KEY_DELETION_DAYS = 7
KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


@dataclass(frozen=True, kw_only=True)
class DataProps:
    """What the data stack is built from."""

    spec: TeamEnvironment
    access: Access


class Data(TeamStack):
    """The environment's key and its data, artifacts and logs buckets, and what its jobs may do with them."""

    def __init__(self, scope: Construct, id_: names.StackKind, props: DataProps) -> None:
        super().__init__(scope, id_, props.spec)
        spec = props.spec
        self.key = self._key(spec)
        self.logs = SecureBucket(
            self, "Logs", SecureBucketProps(spec=spec, kind="logs", expire_after_days=ACCESS_LOG_DAYS)
        )
        kept: dict[str, Any] = {"spec": spec, "key": self.key, "access_logs": self.logs}
        self.data = SecureBucket(self, "Data", SecureBucketProps(kind="data", publish_events=True, **kept))
        self.artifacts = SecureBucket(self, "Artifacts", SecureBucketProps(kind="artifacts", **kept))
        self._let_jobs_use_it(props.access.execution_role)
        self._settle_emptier(spec)
        cdk.CfnOutput(self, "DataBucket", value=self.data.bucket_name, description="Upload data here")
        cdk.CfnOutput(
            self, "ArtifactsBucket", value=self.artifacts.bucket_name, description="Trained models lie here"
        )

    def _key(self, spec: TeamEnvironment) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            alias=names.key_alias(spec.team, spec.name),
            description=f"Encrypts what team {spec.team} keeps in {spec.name}",
            enable_key_rotation=True,
            pending_window=cdk.Duration.days(KEY_DELETION_DAYS),
            removal_policy=removal_policy(spec),
        )
        for statement in _service_statements(spec):
            key.add_to_resource_policy(statement)
        return key

    def _let_jobs_use_it(self, execution_role: iam.Role) -> None:
        # A policy of this stack on a role of the access stack: a grant to the role itself would put the
        # statements, and with them references to these buckets, into the access stack, which comes first.
        policy = iam.Policy(self, "ExecutionRoleOnData", roles=[execution_role])
        acknowledge_inline(policy)
        data, artifacts = self.data.literal_arn, self.artifacts.literal_arn
        allow(
            policy,
            Permission(sid="ListBuckets", actions=["s3:ListBucket"], resources=[data, artifacts]),
            Permission(
                sid="ReadDataAndArtifacts",
                actions=["s3:GetObject"],
                resources=[f"{data}/*", f"{artifacts}/*"],
                because="all objects of the environment's own buckets",
            ),
            Permission(
                sid="WriteArtifacts",
                actions=["s3:AbortMultipartUpload", "s3:PutObject"],
                resources=[f"{artifacts}/*"],
                because="all objects of the environment's own artifacts bucket",
            ),
            Permission(sid="UseKey", actions=KEY_ACTIONS, resources=[self.key.key_arn]),
            Permission(
                sid="LendKeyToSageMaker",
                actions=["kms:CreateGrant"],
                resources=[self.key.key_arn],
                # Only for the volumes that SageMaker attaches to the job's instances.
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        )

    def _settle_emptier(self, spec: TeamEnvironment) -> None:
        """CDK's function that empties buckets gets a log group: Lambda's own would outlive the stack."""
        emptier = self.node.try_find_child("Custom::S3AutoDeleteObjectsCustomResourceProvider")
        if emptier is None:
            return
        log_group = logs.LogGroup(
            self,
            "EmptierLogs",
            log_group_name=f"/aws/lambda/{names.function(spec.team, spec.name, 'empty_buckets')}",
            retention=LOG_RETENTION,
            encryption_key=self.key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        function = emptier.node.find_child("Handler")
        assert isinstance(function, cdk.CfnResource)  # noqa: S101 -- narrows jsii's type
        function.add_property_override("LoggingConfig", {"LogGroup": log_group.log_group_name})
        policy = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        cdk.Validations.of(emptier).acknowledge(
            cdk.Acknowledgment(
                id=f"AwsSolutions-IAM4[{policy}]",
                reason="CDK's function that empties buckets writes its log, by the boundary only its own",
            ),
            *(cdk.Acknowledgment(id=id_, reason=reason) for id_, reason in ACKNOWLEDGED.items()),
        )


def _service_statements(spec: TeamEnvironment) -> list[iam.PolicyStatement]:
    """Services that use the key in their own name; a role that uses it is granted that where it is made."""
    log_groups = iam.PolicyStatement(
        sid="LogGroupsOfThisAccount",
        principals=[iam.ServicePrincipal(f"logs.{spec.region}.amazonaws.com")],
        actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        resources=["*"],  # in a key policy: this key
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": Arns(spec).of("logs", "log-group:*")}},
    )
    events = iam.PolicyStatement(
        sid="EventsToEncryptedTopicsAndQueues",
        principals=[
            iam.ServicePrincipal(f"{name}.amazonaws.com")
            for name in ("budgets", "cloudwatch", "events", "sns")
        ],
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],  # in a key policy: this key
        conditions={"StringEquals": {"aws:SourceAccount": spec.account}},
    )
    return [log_groups, events]
