"""Resource types of Amazon S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Aspects,
    Names,
    Props,
    absent_ok,
    error_code,
    partition,
    refuse_taken,
    renamed,
    truth,
    undone_on_failure,
    wanted_tags,
)

_NO_BUCKET = ("NoSuchBucket", "404")
# Regions older than 2014 join the name of the website host with a dash.
_DASH_WEBSITES = frozenset(
    {
        "us-east-1",
        "us-west-1",
        "us-west-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-northeast-1",
        "eu-west-1",
        "sa-east-1",
    }
)
_ACLS = {
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
    "AuthenticatedRead": "authenticated-read",
    "LogDeliveryWrite": "log-delivery-write",
    "BucketOwnerRead": "bucket-owner-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
    "AwsExecRead": "aws-exec-read",
}
_ENCRYPTION: Names = {
    "ServerSideEncryptionConfiguration": (
        "Rules",
        {
            "ServerSideEncryptionByDefault": (
                "ApplyServerSideEncryptionByDefault",
                {"SSEAlgorithm": "SSEAlgorithm", "KMSMasterKeyID": "KMSMasterKeyID"},
            ),
            "BucketKeyEnabled": "BucketKeyEnabled",
        },
    )
}
_CORS: Names = {
    "CorsRules": (
        "CORSRules",
        {
            "Id": "ID",
            "AllowedHeaders": "AllowedHeaders",
            "AllowedMethods": "AllowedMethods",
            "AllowedOrigins": "AllowedOrigins",
            "ExposedHeaders": "ExposeHeaders",
            "MaxAge": "MaxAgeSeconds",
        },
    )
}
_TRANSITION: Names = {"StorageClass": "StorageClass", "TransitionInDays": "Days", "TransitionDate": "Date"}
_NONCURRENT_TRANSITION: Names = {
    "StorageClass": "StorageClass",
    "TransitionInDays": "NoncurrentDays",
    "NewerNoncurrentVersions": "NewerNoncurrentVersions",
}
_LIFECYCLE_RULE: Names = {
    "Id": "ID",
    "Status": "Status",
    "Prefix": "Prefix",
    "TagFilters": "TagFilters",
    "ExpirationInDays": "Days",
    "ExpirationDate": "Date",
    "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
    "NoncurrentVersionExpiration": (
        "NoncurrentVersionExpiration",
        {"NoncurrentDays": "NoncurrentDays"},
    ),
    "NoncurrentVersionExpirationInDays": "NoncurrentVersionExpirationInDays",
    "NoncurrentVersionTransition": ("NoncurrentVersionTransition", _NONCURRENT_TRANSITION),
    "NoncurrentVersionTransitions": ("NoncurrentVersionTransitions", _NONCURRENT_TRANSITION),
    "Transition": ("Transition", _TRANSITION),
    "Transitions": ("Transitions", _TRANSITION),
    "AbortIncompleteMultipartUpload": "AbortIncompleteMultipartUpload",
}
_FILTER: Names = {"S3Key": ("Key", {"Rules": "FilterRules"})}
_NOTIFICATIONS: Names = {
    "EventBridgeConfiguration": "EventBridgeConfiguration",
    "LambdaConfigurations": (
        "LambdaFunctionConfigurations",
        {"Event": "Event", "Function": "LambdaFunctionArn", "Filter": ("Filter", _FILTER)},
    ),
    "QueueConfigurations": (
        "QueueConfigurations",
        {"Event": "Event", "Queue": "QueueArn", "Filter": ("Filter", _FILTER)},
    ),
    "TopicConfigurations": (
        "TopicConfigurations",
        {"Event": "Event", "Topic": "TopicArn", "Filter": ("Filter", _FILTER)},
    ),
}

Target = tuple[Api, str]


def _encryption(target: Target, props: Props) -> None:
    s3, bucket = target
    if props.get("BucketEncryption"):
        rules = renamed("BucketEncryption", props["BucketEncryption"], _ENCRYPTION)
        s3("put_bucket_encryption", Bucket=bucket, ServerSideEncryptionConfiguration=rules)
    else:
        s3("delete_bucket_encryption", Bucket=bucket)


def _public_access(target: Target, props: Props) -> None:
    s3, bucket = target
    if "PublicAccessBlockConfiguration" in props:
        block = props["PublicAccessBlockConfiguration"]
        s3("put_public_access_block", Bucket=bucket, PublicAccessBlockConfiguration=block)
    else:
        s3("delete_public_access_block", Bucket=bucket)


def _versioning(target: Target, props: Props) -> None:
    s3, bucket = target
    wanted = props.get("VersioningConfiguration") or {"Status": "Suspended"}
    s3("put_bucket_versioning", Bucket=bucket, VersioningConfiguration=wanted)


def _lifecycle(target: Target, props: Props) -> None:
    s3, bucket = target
    lifecycle = props.get("LifecycleConfiguration")
    if not lifecycle:
        s3("delete_bucket_lifecycle", Bucket=bucket)
        return
    lifecycle = renamed("LifecycleConfiguration", lifecycle, {"Rules": ("Rules", _LIFECYCLE_RULE)})
    rules = {"Rules": [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]}
    s3("put_bucket_lifecycle_configuration", Bucket=bucket, LifecycleConfiguration=rules)


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """One rule as the API nests it: CloudFormation's filter and expiration lie flat in the rule."""
    tags, prefix = rule.pop("TagFilters", None) or [], rule.pop("Prefix", None)
    if len(tags) + (prefix is not None) > 1:
        rule["Filter"] = {"And": {"Prefix": prefix, "Tags": tags}}
    else:
        rule["Filter"] = {"Tag": tags[0]} if tags else {"Prefix": prefix or ""}
    expiration = {
        name: rule.pop(name) for name in ("Days", "Date", "ExpiredObjectDeleteMarker") if name in rule
    }
    if expiration:
        rule["Expiration"] = expiration
    days = rule.pop("NoncurrentVersionExpirationInDays", None)
    if days is not None:
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    for single in ("Transition", "NoncurrentVersionTransition"):
        if single in rule:
            rule[f"{single}s"] = [*rule.get(f"{single}s", []), rule.pop(single)]
    return rule


def _notifications(target: Target, props: Props) -> None:
    s3, bucket = target
    given = props.get("NotificationConfiguration") or {}
    wanted = renamed("NotificationConfiguration", given, _NOTIFICATIONS)
    bridge = wanted.pop("EventBridgeConfiguration", None)
    for rules in wanted.values():
        for rule in rules:
            rule["Events"] = [rule.pop("Event")]
    # The section switches EventBridge on by its mere presence, unless the flag in it says no.
    if bridge is not None and truth(bridge.get("EventBridgeEnabled", True)):
        wanted["EventBridgeConfiguration"] = {}
    s3("put_bucket_notification_configuration", Bucket=bucket, NotificationConfiguration=wanted)


def _cors(target: Target, props: Props) -> None:
    s3, bucket = target
    if props.get("CorsConfiguration"):
        rules = renamed("CorsConfiguration", props["CorsConfiguration"], _CORS)
        s3("put_bucket_cors", Bucket=bucket, CORSConfiguration=rules)
    else:
        s3("delete_bucket_cors", Bucket=bucket)


def _logging(target: Target, props: Props) -> None:
    s3, bucket = target
    wanted = renamed(
        "LoggingConfiguration",
        props.get("LoggingConfiguration"),
        {"DestinationBucketName": "TargetBucket", "LogFilePrefix": "TargetPrefix"},
    )
    status = {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "", **wanted}} if wanted else {}
    s3("put_bucket_logging", Bucket=bucket, BucketLoggingStatus=status)


def _ownership(target: Target, props: Props) -> None:
    s3, bucket = target
    if props.get("OwnershipControls"):
        s3("put_bucket_ownership_controls", Bucket=bucket, OwnershipControls=props["OwnershipControls"])
    else:
        s3("delete_bucket_ownership_controls", Bucket=bucket)


def _acl(target: Target, props: Props) -> None:
    s3, bucket = target
    name = props.get("AccessControl", "Private")
    if name not in _ACLS:
        raise ResourceFailed(f"AccessControl: {name!r} is none of {', '.join(_ACLS)}")
    s3("put_bucket_acl", Bucket=bucket, ACL=_ACLS[name])


def _tags(target: Target, tags: Mapping[str, str]) -> None:
    s3, bucket = target
    if tags:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        s3("put_bucket_tagging", Bucket=bucket, Tagging={"TagSet": pairs})
    else:
        s3("delete_bucket_tagging", Bucket=bucket)


_ASPECTS = Aspects[Target](
    {
        ("OwnershipControls",): _ownership,
        ("AccessControl",): _acl,
        ("PublicAccessBlockConfiguration",): _public_access,
        ("BucketEncryption",): _encryption,
        ("VersioningConfiguration",): _versioning,
        ("LifecycleConfiguration",): _lifecycle,
        ("CorsConfiguration",): _cors,
        ("LoggingConfiguration",): _logging,
        ("NotificationConfiguration",): _notifications,
    }
)


class Bucket(ResourceType):
    """A bucket; one that still holds objects is not deleted."""

    type_name = "AWS::S3::Bucket"
    properties = _ASPECTS.properties | {"BucketName", "Tags"}
    replaces = frozenset({"BucketName"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the bucket, then tell each aspect that the template names."""
        s3 = Api(context, "s3")
        name = props.get("BucketName") or context.generated_name(63, lower=True)
        if name != name.lower():
            raise ResourceFailed("Bucket name should not contain uppercase characters")
        # In us-east-1 creating one's own bucket again is no error; elsewhere S3 refuses by itself.
        refuse_taken(name, taken=s3.has("head_bucket", "404", "403", Bucket=name))
        location = None if context.region == "us-east-1" else {"LocationConstraint": context.region}
        s3("create_bucket", Bucket=name, CreateBucketConfiguration=location)
        with undone_on_failure(self, context, name, props):
            _ASPECTS.settle((s3, name), {}, props)
            tags = wanted_tags(context, props)
            if tags:
                _tags((s3, name), tags)
        return self._described(context, name)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell each aspect that differs."""
        s3 = Api(context, "s3")
        _ASPECTS.settle((s3, physical_id), old, new)
        _tags((s3, physical_id), wanted_tags(context, new))
        return self._described(context, physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the empty bucket."""
        try:
            Api(context, "s3")("delete_bucket", Bucket=physical_id)
        except ClientError as error:
            if error_code(error) == "BucketNotEmpty":
                raise ResourceFailed(
                    f"BucketNotEmpty: the bucket {physical_id} holds objects or versions; empty it first"
                ) from error
            if error_code(error) not in _NO_BUCKET:
                raise

    @staticmethod
    def _described(context: Context, name: str) -> Created:
        region = context.region
        website = f"s3-website{'-' if region in _DASH_WEBSITES else '.'}{region}"
        return Created(
            name,
            {
                "Arn": f"arn:{partition(region)}:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
                "WebsiteURL": f"http://{name}.{website}.amazonaws.com",
            },
        )


class BucketPolicy(ResourceType):
    """A bucket's one policy."""

    type_name = "AWS::S3::BucketPolicy"
    properties = frozenset({"Bucket", "PolicyDocument"})
    replaces = frozenset({"Bucket"})

    def create(self, context: Context, props: Props) -> Created:
        """Put the policy on a bucket that has none."""
        s3, bucket = Api(context, "s3"), props["Bucket"]
        taken = s3.has("get_bucket_policy", "NoSuchBucketPolicy", Bucket=bucket)
        refuse_taken(f"The policy of bucket {bucket}", taken=taken)
        return self.update(context, bucket, {}, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put the policy."""
        Api(context, "s3")("put_bucket_policy", Bucket=physical_id, Policy=new["PolicyDocument"])
        return Created(physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Take the policy off."""
        with absent_ok("NoSuchBucket", "NoSuchBucketPolicy"):
            Api(context, "s3")("delete_bucket_policy", Bucket=physical_id)


TYPES: tuple[type[ResourceType], ...] = (Bucket, BucketPolicy)
