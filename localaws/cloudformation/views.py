"""Stacks, resources, events and change sets as the API describes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from localaws.cloudformation.blueprint import Blueprint, needed_capabilities
from localaws.cloudformation.changes import Change, Detail
from localaws.cloudformation.model import ChangeSet, Event, Resource, Stack
from localaws.cloudformation.parameters import Parameter
from localaws.cloudformation.template import Template, TemplateError

_NO_DRIFT = {"StackDriftStatus": "NOT_CHECKED"}
_NO_RESOURCE_DRIFT = {"StackResourceDriftStatus": "NOT_CHECKED"}


def page(items: Sequence[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
    """One page of `items`, and the token of the next one; a token is the position to go on from."""
    if token is not None and not token.isdecimal():
        raise TemplateError(f"The NextToken {token!r} is not one that was given out")
    start = int(token or 0)
    following = start + size
    return list(items[start:following]), str(following) if following < len(items) else None


def stack_view(stack: Stack) -> dict[str, Any]:
    """One of DescribeStacks' Stacks."""
    blueprint = stack.blueprint
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": (blueprint and blueprint.template.description) or None,
        "Parameters": _parameters_view(blueprint),
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "DisableRollback": stack.options.disable_rollback,
        "RollbackConfiguration": {},
        "NotificationARNs": [],
        "Capabilities": list(blueprint.capabilities) if blueprint else [],
        "Outputs": [
            {
                "OutputKey": output.key,
                "OutputValue": output.value,
                "Description": output.description,
                "ExportName": output.export,
            }
            for output in stack.outputs
        ],
        "RoleARN": stack.role_arn,
        "Tags": _tags_view(blueprint),
        "EnableTerminationProtection": stack.termination_protection,
        "ParentId": stack.parent_id,
        "RootId": stack.root_id,
        "DriftInformation": _NO_DRIFT,
    }


def summary_view(stack: Stack) -> dict[str, Any]:
    """One of ListStacks' StackSummaries."""
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": (stack.blueprint and stack.blueprint.template.description) or None,
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "ParentId": stack.parent_id,
        "RootId": stack.root_id,
        "DriftInformation": _NO_DRIFT,
    }


def resource_view(stack: Stack, resource: Resource) -> dict[str, Any]:
    """A resource, as DescribeStackResources and ListStackResources have it."""
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type_name,
        "Timestamp": resource.updated,
        "LastUpdatedTimestamp": resource.updated,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason or None,
        "Metadata": None if resource.metadata is None else json.dumps(resource.metadata),
        "DriftInformation": _NO_RESOURCE_DRIFT,
    }


def event_view(stack: Stack, event: Event) -> dict[str, Any]:
    """One of DescribeStackEvents' StackEvents."""
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "EventId": event.id,
        "OperationId": event.operation_id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type_name,
        "Timestamp": event.time,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason or None,
        "ClientRequestToken": event.token,
    }


def change_set_view(
    stack: Stack, change_set: ChangeSet, changes: list[Change], *, values: bool
) -> dict[str, Any]:
    """DescribeChangeSet's answer; `values` adds the properties before and after."""
    return {
        **change_set_summary_view(stack, change_set),
        "Parameters": _parameters_view(change_set.blueprint),
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Capabilities": list(change_set.blueprint.capabilities) if change_set.blueprint else [],
        "Tags": _tags_view(change_set.blueprint),
        "Changes": [
            {"Type": "Resource", "ResourceChange": _change_view(change, values=values)} for change in changes
        ],
    }


def change_set_summary_view(stack: Stack, change_set: ChangeSet) -> dict[str, Any]:
    """One of ListChangeSets' Summaries."""
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "ChangeSetId": change_set.id,
        "ChangeSetName": change_set.name,
        "ExecutionStatus": change_set.execution_status,
        "Status": change_set.status,
        "StatusReason": change_set.reason,
        "CreationTime": change_set.created,
        "Description": change_set.description,
        "IncludeNestedStacks": False,
    }


def template_summary_view(template: Template) -> dict[str, Any]:
    """What a template declares: the answer of GetTemplateSummary and, in part, of ValidateTemplate."""
    capabilities = needed_capabilities(template)
    named = [item for item in template.resources.values() if item["Type"].startswith("AWS::IAM::")]
    types = sorted({item["Type"] for item in named})
    return {
        "Parameters": [
            {
                "ParameterKey": key,
                "ParameterType": parameter["Type"],
                "DefaultValue": None if "Default" not in parameter else str(parameter["Default"]),
                "NoEcho": str(parameter.get("NoEcho", False)).lower() == "true",
                "Description": parameter.get("Description"),
                "ParameterConstraints": {
                    "AllowedValues": [str(value) for value in parameter.get("AllowedValues", [])]
                },
            }
            for key, parameter in template.section("Parameters").items()
        ],
        "Description": template.description or None,
        "Capabilities": capabilities,
        "CapabilitiesReason": f"The following resource(s) require capabilities: [{', '.join(types)}]"
        if capabilities
        else None,
        "ResourceTypes": sorted({item["Type"] for item in template.resources.values()}),
        "Version": template.document.get("AWSTemplateFormatVersion"),
        "Metadata": json.dumps(template.document["Metadata"]) if "Metadata" in template.document else None,
        "DeclaredTransforms": [],
    }


def _parameters_view(blueprint: Blueprint | None) -> list[dict[str, Any]]:
    return [_parameter_view(key, value) for key, value in (blueprint.parameters if blueprint else {}).items()]


def _parameter_view(key: str, parameter: Parameter) -> dict[str, Any]:
    return {
        "ParameterKey": key,
        "ParameterValue": parameter.shown,
        "ResolvedValue": None if parameter.no_echo else parameter.resolved,
    }


def _tags_view(blueprint: Blueprint | None) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (blueprint.tags if blueprint else {}).items()]


def _change_view(change: Change, *, values: bool) -> dict[str, Any]:
    view: dict[str, Any] = {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "PhysicalResourceId": change.physical_id,
        "ResourceType": change.type_name,
        "Replacement": change.replacement,
        "PolicyAction": change.policy_action,
        "Scope": sorted({detail.attribute for detail in change.details}),
        "Details": [_detail_view(detail) for detail in change.details],
    }
    if values:
        view["BeforeContext"] = change.before and json.dumps(change.before, default=str)
        view["AfterContext"] = change.after and json.dumps(change.after, default=str)
    return view


def _detail_view(detail: Detail) -> dict[str, Any]:
    return {
        "Target": {
            "Attribute": detail.attribute,
            "Name": detail.name,
            "RequiresRecreation": detail.recreation,
            "AttributeChangeType": _kind_of_change(detail),
        },
        "Evaluation": detail.evaluation,
        "ChangeSource": detail.source,
        "CausingEntity": detail.cause,
    }


def _kind_of_change(detail: Detail) -> str:
    if detail.before is None:
        return "Add"
    return "Remove" if detail.after is None else "Modify"
