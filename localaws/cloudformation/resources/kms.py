"""Resource types of KMS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Aspects,
    Props,
    Tags,
    absent_ok,
    given,
    partition,
    truth,
    undone_on_failure,
)

_TAGS = Tags("kms", "KeyId", pair=("TagKey", "TagValue"), lister="list_resource_tags")

Target = tuple[Api, Context, str]


def _default_policy(context: Context) -> dict[str, Any]:
    """The policy of a key that names none: the account decides, through IAM."""
    root = f"arn:{partition(context.region)}:iam::{context.account}:root"
    allow = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [{"Sid": "Enable IAM User Permissions", **allow}]}


def _policy(target: Target, props: Props) -> None:
    kms, context, key = target
    policy = props.get("KeyPolicy") or _default_policy(context)
    kms("put_key_policy", KeyId=key, PolicyName="default", Policy=policy)


def _description(target: Target, props: Props) -> None:
    kms, _, key = target
    kms("update_key_description", KeyId=key, Description=props.get("Description", ""))


def _enabled(target: Target, props: Props) -> None:
    kms, _, key = target
    kms("enable_key" if truth(props.get("Enabled", True)) else "disable_key", KeyId=key)


def _rotation(target: Target, props: Props) -> None:
    kms, _, key = target
    wanted = truth(props.get("EnableKeyRotation", False))
    kms("enable_key_rotation" if wanted else "disable_key_rotation", KeyId=key)


_ASPECTS = Aspects[Target](
    {
        ("KeyPolicy",): _policy,
        ("Description",): _description,
        ("EnableKeyRotation",): _rotation,
        ("Enabled",): _enabled,
    }
)
_UNCHANGEABLE = ("KeySpec", "KeyUsage", "MultiRegion", "Origin")


class Key(ResourceType):
    """A key; deleting it schedules its deletion."""

    type_name = "AWS::KMS::Key"
    properties = _ASPECTS.properties | {*_UNCHANGEABLE, "PendingWindowInDays", "Tags"}
    ignored: ClassVar[Mapping[str, str]] = {
        "BypassPolicyLockoutSafetyCheck": "a policy that locks everyone out is not looked for",
        "RotationPeriodInDays": "keys do not rotate; only whether they would is kept",
    }

    def create(self, context: Context, props: Props) -> Created:
        """Make the key and tell what CreateKey does not take."""
        kms = Api(context, "kms")
        made = kms(
            "create_key",
            Policy=props.get("KeyPolicy") or _default_policy(context),
            Tags=_TAGS.of(context, props),
            **given(props, "Description", *_UNCHANGEABLE),
        )["KeyMetadata"]
        key = str(made["KeyId"])
        with undone_on_failure(self, context, key, props):
            _ASPECTS.settle((kms, context, key), {}, given(props, "EnableKeyRotation", "Enabled"))
        return Created(key, {"Arn": made["Arn"], "KeyId": key})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell what differs; what kind of key it is cannot change."""
        for name in _UNCHANGEABLE:
            if old.get(name) != new.get(name):
                raise ResourceFailed(f"{name} of a KMS key cannot be updated; make a new key instead")
        kms = Api(context, "kms")
        _ASPECTS.settle((kms, context, physical_id), old, new)
        _TAGS.settle(context, physical_id, new)
        arn = kms("describe_key", KeyId=physical_id)["KeyMetadata"]["Arn"]
        return Created(physical_id, {"Arn": arn, "KeyId": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Schedule the deletion; a key that waits for it already is as good as gone."""
        days = props.get("PendingWindowInDays", 30)
        with absent_ok("NotFoundException", "KMSInvalidStateException"):
            Api(context, "kms")("schedule_key_deletion", KeyId=physical_id, PendingWindowInDays=days)


class Alias(ResourceType):
    """A second name of a key."""

    type_name = "AWS::KMS::Alias"
    properties = frozenset({"AliasName", "TargetKeyId"})
    replaces = frozenset({"AliasName"})

    def create(self, context: Context, props: Props) -> Created:
        """Name the key; KMS refuses an alias that exists."""
        Api(context, "kms")("create_alias", **props)
        return Created(props["AliasName"])

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Let the alias name another key."""
        Api(context, "kms")("update_alias", **new)
        return Created(physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Take the name away; the key stays."""
        with absent_ok("NotFoundException"):
            Api(context, "kms")("delete_alias", AliasName=physical_id)


TYPES: tuple[type[ResourceType], ...] = (Key, Alias)
