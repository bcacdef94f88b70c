"""A bucket as every bucket here is: private, encrypted, versioned, logged."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.retention import removal_policy

INCOMPLETE_UPLOAD_DAYS = 7
OLD_VERSION_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class SecureBucketProps:
    """What tells one bucket from another."""

    spec: TeamEnvironment
    kind: names.BucketKind
    key: kms.IKey | None = None
    """The KMS key of its objects; S3's own encryption without one."""
    access_logs: s3.IBucket | None = None
    """The bucket that takes its access logs, below a prefix that is its name."""
    expire_after_days: int | None = None
    """When current objects expire; never without it."""
    publish_events: bool = False
    """Send the bucket's events to EventBridge."""


class SecureBucket(s3.Bucket):
    """TLS 1.2 or newer only, no public access, owner enforced, versions kept for 90 days.

    It goes with its stack, objects included, unless the environment is to be retained.

    `literal_arn` is its ARN in words that mean the same in every stack, for policies on its objects:
    `bucket_arn` would make each stack import it, and an import holds the exporting stack fast.
    """

    def __init__(self, scope: Construct, id_: str, props: SecureBucketProps) -> None:
        spec = props.spec
        name = names.bucket(spec.team, spec.name, props.kind, spec.account, spec.region)
        self.literal_arn = Arns(spec).bucket(props.kind)
        super().__init__(
            scope,
            id_,
            bucket_name=name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            encryption=s3.BucketEncryption.KMS if props.key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=props.key,
            # One data key per bucket and hour instead of one per object: fewer calls to KMS, same protection.
            bucket_key_enabled=True if props.key else None,
            lifecycle_rules=[_lifecycle(props.expire_after_days)],
            server_access_logs_bucket=props.access_logs,
            server_access_logs_prefix=f"{name}/" if props.access_logs else None,
            removal_policy=removal_policy(spec),
            auto_delete_objects=not spec.retain,
        )
        if props.publish_events:
            self._publish_events()
        self._acknowledge(encrypted_with_key=props.key is not None)

    def _acknowledge(self, *, encrypted_with_key: bool) -> None:
        reasons = {
            "NIST.800.53.R5-S3BucketReplicationEnabled": "what is uploaded exists where it comes from, what"
            " is trained can be trained again; versions keep what is overwritten or deleted by mistake"
        }
        if not encrypted_with_key:
            reasons["NIST.800.53.R5-S3DefaultEncryptionKMS"] = (
                "S3 delivers access logs only to buckets with its own encryption"
            )
        cdk.Validations.of(self).acknowledge(
            *(cdk.Acknowledgment(id=id_, reason=reason) for id_, reason in reasons.items())
        )

    def _publish_events(self) -> None:
        # `event_bridge_enabled` would add a function and a custom resource that put this configuration on
        # the bucket after its creation. CloudFormation has a property for it: less to deploy and to allow.
        on = s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        resource = self.node.default_child
        assert isinstance(resource, s3.CfnBucket)  # noqa: S101 - narrows jsii's type
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=on
        )


def _lifecycle(expire_after_days: int | None) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        abort_incomplete_multipart_upload_after=cdk.Duration.days(INCOMPLETE_UPLOAD_DAYS),
        noncurrent_version_expiration=cdk.Duration.days(OLD_VERSION_DAYS),
        expiration=cdk.Duration.days(expire_after_days) if expire_after_days else None,
    )
