"""The operations that tell about stacks and change nothing."""

from __future__ import annotations

from localaws.cloudformation.engine import Engine
from localaws.cloudformation.inputs import read_template
from localaws.cloudformation.model import Resource, Stack
from localaws.cloudformation.template import Template, TemplateError
from localaws.cloudformation.views import (
    event_view,
    page,
    resource_view,
    stack_view,
    summary_view,
    template_summary_view,
)
from localaws.service import AwsError, Call, Params, Result, operation

_PAGE = 100


class ReadingOperations:
    """DescribeStacks, DescribeStackEvents, GetTemplate and their like."""

    engine: Engine

    @operation("DescribeStacks")
    def describe_stacks(self, call: Call, params: Params) -> Result:
        """One stack by name or id (a deleted one by id), or all that there are."""
        if "StackName" in params:
            return {"Stacks": [stack_view(self.engine.store.find(call, params["StackName"]))]}
        living = [stack for stack in self.engine.store.all(call) if stack.deleted is None]
        found, following = page(living, params.get("NextToken"), _PAGE)
        return {"Stacks": [stack_view(stack) for stack in found], "NextToken": following}

    @operation("ListStacks")
    def list_stacks(self, call: Call, params: Params) -> Result:
        """Every stack in one of the statuses asked for, deleted ones too."""
        wanted = params.get("StackStatusFilter")
        stacks = [stack for stack in self.engine.store.all(call) if not wanted or stack.status in wanted]
        found, following = page(stacks, params.get("NextToken"), _PAGE)
        return {"StackSummaries": [summary_view(stack) for stack in found], "NextToken": following}

    @operation("DescribeStackEvents")
    def describe_stack_events(self, call: Call, params: Params) -> Result:
        """A stack's history, the newest event first."""
        stack = self._existing(call, params["StackName"])
        found, following = page(list(reversed(stack.events)), params.get("NextToken"), _PAGE)
        return {"StackEvents": [event_view(stack, event) for event in found], "NextToken": following}

    @operation("DescribeEvents")
    def describe_events(self, call: Call, params: Params) -> Result:
        """A stack's history, or one operation of it, or its failures; the newest event first."""
        stack = self._existing(call, params["StackName"])
        events = list(reversed(stack.events))
        if "OperationId" in params:
            events = [event for event in events if event.operation_id == params["OperationId"]]
        if "ChangeSetName" in params:
            # The checks of a change set are done before there is one: none leaves an event.
            events = []
        if (params.get("Filters") or {}).get("FailedEvents"):
            events = [event for event in events if event.status.endswith("_FAILED")]
        found, following = page(events, params.get("NextToken"), _PAGE)
        views = [{**event_view(stack, event), "EventType": "STACK_EVENT"} for event in found]
        return {"OperationEvents": views, "NextToken": following}

    @operation("ListHookResults")
    def list_hook_results(self, call: Call, params: Params) -> Result:
        """No result: no hook can be registered."""
        del call, params
        return {"HookResults": []}

    @operation("DescribeStackResource")
    def describe_stack_resource(self, call: Call, params: Params) -> Result:
        """One resource of a stack."""
        stack = self.engine.store.find(call, params["StackName"])
        wanted = params["LogicalResourceId"]
        if wanted not in stack.resources:
            raise TemplateError(f"Resource {wanted} does not exist for stack {stack.name}")
        return {"StackResourceDetail": resource_view(stack, stack.resources[wanted])}

    @operation("DescribeStackResources")
    def describe_stack_resources(self, call: Call, params: Params) -> Result:
        """The resources of a stack, or of the stack that a physical id belongs to."""
        physical_id = params.get("PhysicalResourceId")
        if "StackName" in params:
            stack = self.engine.store.find(call, params["StackName"])
        elif physical_id:
            stack = self._owner(call, physical_id)
        else:
            raise TemplateError("Stack name or physical resource ID must be specified")
        found = [
            resource
            for resource in _resources(stack)
            if params.get("LogicalResourceId") in (None, resource.logical_id)
        ]
        return {"StackResources": [resource_view(stack, resource) for resource in found]}

    @operation("ListStackResources")
    def list_stack_resources(self, call: Call, params: Params) -> Result:
        """The resources of a stack, page by page."""
        stack = self.engine.store.find(call, params["StackName"])
        found, following = page(_resources(stack), params.get("NextToken"), _PAGE)
        views = [resource_view(stack, resource) for resource in found]
        return {"StackResourceSummaries": views, "NextToken": following}

    @operation("GetTemplate")
    def get_template(self, call: Call, params: Params) -> Result:
        """The text of a stack's or change set's template: there are no transforms, so both stages are one."""
        stages = ["Original", "Processed"]
        stack = self.engine.store.find(call, params["StackName"])
        if "ChangeSetName" in params:
            wanted = params["ChangeSetName"]
            for change_set in stack.change_sets.values():
                if wanted in (change_set.id, change_set.name) and change_set.blueprint:
                    return {"TemplateBody": change_set.blueprint.template.body, "StagesAvailable": stages}
            raise AwsError("ChangeSetNotFound", f"ChangeSet [{wanted}] does not exist", 404)
        body = stack.blueprint.template.body if stack.blueprint else "{}"
        return {"TemplateBody": body, "StagesAvailable": stages}

    @operation("GetTemplateSummary")
    def get_template_summary(self, call: Call, params: Params) -> Result:
        """What a template, or a stack's template, declares."""
        template = self._given_template(call, params)
        if template is None and "StackName" in params:
            stack = self.engine.store.find(call, params["StackName"])
            template = stack.blueprint.template if stack.blueprint else None
        if template is None:
            raise TemplateError("Either Template URL or Template Body or Stack Name must be specified.")
        return template_summary_view(template)

    @operation("ValidateTemplate")
    def validate_template(self, call: Call, params: Params) -> Result:
        """Whether a template is well-formed, and what it declares."""
        template = self._given_template(call, params)
        if template is None:
            raise TemplateError("Either Template URL or Template Body must be specified.")
        return template_summary_view(template)

    @operation("ListExports")
    def list_exports(self, call: Call, params: Params) -> Result:
        """Every export of the account and region."""
        found, following = page(
            sorted(self.engine.store.exports(call).items()), params.get("NextToken"), _PAGE
        )
        exports = [
            {"ExportingStackId": stack.id, "Name": name, "Value": value} for name, (value, stack) in found
        ]
        return {"Exports": exports, "NextToken": following}

    @operation("ListImports")
    def list_imports(self, call: Call, params: Params) -> Result:
        """The stacks that use an export."""
        name = params["ExportName"]
        users = [stack.name for stack in self.engine.store.importers(call, name)]
        if not users:
            raise TemplateError(f"Export '{name}' is not imported by any stack.")
        found, following = page(users, params.get("NextToken"), _PAGE)
        return {"Imports": found, "NextToken": following}

    def _existing(self, call: Call, name: str) -> Stack:
        stack = self.engine.store.find_or_none(call, name)
        if stack is None:
            raise TemplateError(f"Stack [{name}] does not exist")
        return stack

    def _given_template(self, call: Call, params: Params) -> Template | None:
        return read_template(params, self.engine.world, call.account, call.region)

    def _owner(self, call: Call, physical_id: str) -> Stack:
        for stack in self.engine.store.all(call):
            if stack.deleted is None and any(
                resource.physical_id == physical_id for resource in _resources(stack)
            ):
                return stack
        raise TemplateError(f"Stack for {physical_id} does not exist")


def _resources(stack: Stack) -> list[Resource]:
    return list(stack.resources.values())
