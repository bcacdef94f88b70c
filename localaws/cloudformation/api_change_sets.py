"""The operations on change sets."""

from __future__ import annotations

import uuid
from dataclasses import replace

from localaws.cloudformation.api_stacks import StackOperations, options_of, refuse_update
from localaws.cloudformation.changes import plan
from localaws.cloudformation.inputs import blueprint_of
from localaws.cloudformation.model import ChangeSet, Stack, now
from localaws.cloudformation.store import arn_prefix
from localaws.cloudformation.template import TemplateError
from localaws.cloudformation.views import change_set_summary_view, change_set_view, page
from localaws.service import AwsError, Call, NotEmulated, Params, Result, operation

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
_PAGE = 100


class ChangeSetOperations(StackOperations):
    """CreateChangeSet, ExecuteChangeSet and what tells about change sets."""

    @operation("CreateChangeSet")
    def create_change_set(self, call: Call, params: Params) -> Result:
        """Work out what a template would change; for a new stack, one in review is made to hold it."""
        kind = params.get("ChangeSetType", "UPDATE")
        if kind == "IMPORT":
            raise NotEmulated("CloudFormation's change set type IMPORT")
        stack = self._stack_for(call, params["StackName"], kind)
        name = params["ChangeSetName"]
        if any(found.name == name for found in stack.change_sets.values()):
            raise AwsError(
                "AlreadyExistsException", f"ChangeSet {name} already exists for stack {stack.name}"
            )
        place, types = self.engine.place(stack), self.engine.types
        try:
            blueprint = blueprint_of(params, stack, place, types)
            found = plan(stack, blueprint, place, types)
        except Exception:
            if not stack.events and not stack.change_sets:
                self.engine.store.forget(stack)
            raise
        if kind == "CREATE" and not stack.events:
            stack.role_arn = params.get("RoleARN")
            stack.enter("REVIEW_IN_PROGRESS", "User Initiated")
        arn = f"{arn_prefix(call)}:changeSet/{name}/{uuid.uuid4()}"
        change_set = ChangeSet(arn, name, kind, params.get("Description"), blueprint, found.changes)
        change_set.options = options_of(params)
        if found.anything:
            change_set.status, change_set.execution_status = "CREATE_COMPLETE", "AVAILABLE"
        else:
            change_set.status, change_set.reason = "FAILED", NO_CHANGES
        stack.change_sets[arn] = change_set
        return {"Id": arn, "StackId": stack.id}

    def _stack_for(self, call: Call, name: str, kind: str) -> Stack:
        stack = self.engine.store.find_or_none(call, name)
        if kind == "UPDATE":
            if stack is None or stack.deleted:
                raise TemplateError(f"Stack [{name}] does not exist")
            refuse_update(stack)
            return stack
        if stack is None or stack.deleted:
            return self.engine.store.add(call, name, "REVIEW_IN_PROGRESS")
        if stack.status != "REVIEW_IN_PROGRESS":
            raise TemplateError(
                f"Stack [{name}] already exists and cannot be created again with the changeSet [{name}]."
            )
        return stack

    @operation("DescribeChangeSet")
    def describe_change_set(self, call: Call, params: Params) -> Result:
        """Tell what a change set would change."""
        stack, change_set = self._find(call, params)
        changes, following = page(change_set.changes, params.get("NextToken"), _PAGE)
        values = bool(params.get("IncludePropertyValues"))
        return {**change_set_view(stack, change_set, changes, values=values), "NextToken": following}

    @operation("ListChangeSets")
    def list_change_sets(self, call: Call, params: Params) -> Result:
        """List the change sets of a stack."""
        stack = self.engine.store.find(call, params["StackName"])
        found, following = page(list(stack.change_sets.values()), params.get("NextToken"), _PAGE)
        return {
            "Summaries": [change_set_summary_view(stack, change_set) for change_set in found],
            "NextToken": following,
        }

    @operation("ExecuteChangeSet")
    def execute_change_set(self, call: Call, params: Params) -> Result:
        """Carry out a change set; the others of its stack are worth nothing then, and go."""
        stack, change_set = self._find(call, params)
        blueprint = change_set.blueprint
        if change_set.execution_status != "AVAILABLE" or blueprint is None:
            raise AwsError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set.id}] cannot be executed in its current status "
                f"of [{change_set.status}]",
            )
        self.engine.begin(stack)
        change_set.execution_status = "EXECUTE_IN_PROGRESS"
        stack.change_sets = {change_set.id: change_set}
        given = options_of(params)
        options = replace(
            given,
            disable_rollback=given.disable_rollback or change_set.options.disable_rollback,
            delete_on_failure=change_set.options.delete_on_failure,
        )
        if stack.status == "REVIEW_IN_PROGRESS":
            stack.created = now()

        def work() -> None:
            self.engine.deploy(stack, blueprint, options)
            done = stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
            change_set.execution_status = "EXECUTE_COMPLETE" if done else "EXECUTE_FAILED"

        self.start_on(stack, work)
        return {}

    @operation("DeleteChangeSet")
    def delete_change_set(self, call: Call, params: Params) -> Result:
        """Forget a change set; one that is not there is deleted already."""
        try:
            stack, change_set = self._find(call, params)
        except AwsError as error:
            if error.code != "ChangeSetNotFound":
                raise
        else:
            if change_set.execution_status == "EXECUTE_IN_PROGRESS":
                raise AwsError(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{change_set.id}] cannot be deleted while it is carried out",
                )
            stack.change_sets.pop(change_set.id, None)
        return {}

    def _find(self, call: Call, params: Params) -> tuple[Stack, ChangeSet]:
        """The change set that a request names, by name within a stack or by ARN alone."""
        wanted = params["ChangeSetName"]
        if "StackName" in params:
            stacks = [self.engine.store.find(call, params["StackName"])]
        elif wanted.startswith("arn:"):
            stacks = self.engine.store.all(call)
        else:
            raise TemplateError("StackName must be specified if ChangeSetName is not specified as an ARN.")
        for stack in stacks:
            for change_set in list(stack.change_sets.values()):
                if wanted in (change_set.id, change_set.name):
                    return stack, change_set
        raise AwsError("ChangeSetNotFound", f"ChangeSet [{wanted}] does not exist", 404)
