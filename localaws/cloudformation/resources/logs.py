"""Resource types of CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Props,
    Tags,
    absent_ok,
    given,
    partition,
    refuse_taken,
    undone_on_failure,
)
from localaws.cloudformation.resources._moto import set_log_group_key

_GONE = "ResourceNotFoundException"
_TAGS = Tags("logs", "resourceArn", tags="tags", keys="tagKeys", pair=None)


class LogGroup(ResourceType):
    """A log group."""

    type_name = "AWS::Logs::LogGroup"
    properties = frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"})
    ignored: ClassVar[Mapping[str, str]] = {
        "LogGroupClass": "every log group of the embedded AWS is of the standard class"
    }
    replaces = frozenset({"LogGroupName"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the group; CloudWatch Logs refuses a name that exists."""
        logs = Api(context, "logs")
        name = props.get("LogGroupName") or context.generated_name(512)
        logs(
            "create_log_group",
            logGroupName=name,
            tags=_TAGS.of(context, props),
            **given(props, "KmsKeyId"),
        )
        with undone_on_failure(self, context, name, props):
            self._retain(logs, name, {}, props)
        return self._described(context, name)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell what differs."""
        self._retain(Api(context, "logs"), physical_id, old, new)
        if old.get("KmsKeyId") != new.get("KmsKeyId"):
            set_log_group_key(context.account, context.region, physical_id, new.get("KmsKeyId"))
        created = self._described(context, physical_id)
        _TAGS.settle(context, created.attributes["Arn"].removesuffix(":*"), new)
        return created

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the group with its logs."""
        with absent_ok(_GONE):
            Api(context, "logs")("delete_log_group", logGroupName=physical_id)

    @staticmethod
    def _retain(logs: Api, name: str, old: Props, new: Props) -> None:
        days = new.get("RetentionInDays")
        if days is not None:
            logs("put_retention_policy", logGroupName=name, retentionInDays=days)
        elif old.get("RetentionInDays") is not None:
            logs("delete_retention_policy", logGroupName=name)

    @staticmethod
    def _described(context: Context, name: str) -> Created:
        where = f"arn:{partition(context.region)}:logs:{context.region}:{context.account}"
        return Created(name, {"Arn": f"{where}:log-group:{name}:*"})


class LogsResourcePolicy(ResourceType):
    """A policy that lets services of AWS write logs."""

    type_name = "AWS::Logs::ResourcePolicy"
    properties = frozenset({"PolicyDocument", "PolicyName"})
    replaces = frozenset({"PolicyName"})

    def create(self, context: Context, props: Props) -> Created:
        """Put the policy under a name that is free."""
        logs, name = Api(context, "logs"), props["PolicyName"]
        found = logs("describe_resource_policies")["resourcePolicies"]
        refuse_taken(name, taken=any(policy["policyName"] == name for policy in found))
        return self.update(context, name, {}, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put the policy."""
        document = new["PolicyDocument"]
        Api(context, "logs")("put_resource_policy", policyName=physical_id, policyDocument=document)
        return Created(physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the policy."""
        with absent_ok(_GONE):
            Api(context, "logs")("delete_resource_policy", policyName=physical_id)


TYPES: tuple[type[ResourceType], ...] = (LogGroup, LogsResourcePolicy)
