"""The operations that make, change and delete stacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localaws.cloudformation.changes import plan
from localaws.cloudformation.engine import UPDATABLE, Engine
from localaws.cloudformation.inputs import blueprint_of
from localaws.cloudformation.model import Options, Stack
from localaws.cloudformation.template import TemplateError
from localaws.service import Call, Params, Result, operation

PATIENCE_SECONDS = 5.0
"""How long an operation waits for its own work: the CDK command asks only every 5 s."""


class StackOperations:
    """CreateStack, UpdateStack, DeleteStack and what else changes a stack."""

    engine: Engine

    @operation("CreateStack")
    def create_stack(self, call: Call, params: Params) -> Result:
        """Create a stack."""
        options = options_of(params)
        stack = self.engine.store.add(call, params["StackName"], "REVIEW_IN_PROGRESS")
        try:
            blueprint = blueprint_of(params, stack, self.engine.place(stack), self.engine.types)
        except Exception:
            self.engine.store.forget(stack)
            raise
        stack.role_arn = params.get("RoleARN")
        stack.termination_protection = params.get("EnableTerminationProtection", False)
        self.engine.begin(stack)
        self.start_on(stack, self.engine.deploy, stack, blueprint, options)
        return {"StackId": stack.id}

    @operation("UpdateStack")
    def update_stack(self, call: Call, params: Params) -> Result:
        """Update a stack; an update without any change is an error."""
        stack = self.engine.store.find(call, params["StackName"])
        refuse_update(stack)
        place, types = self.engine.place(stack), self.engine.types
        blueprint = blueprint_of(params, stack, place, types)
        if not plan(stack, blueprint, place, types).anything:
            raise TemplateError("No updates are to be performed.")
        self.engine.begin(stack)
        stack.role_arn = params.get("RoleARN", stack.role_arn)
        self.start_on(stack, self.engine.deploy, stack, blueprint, options_of(params))
        return {"StackId": stack.id}

    @operation("DeleteStack")
    def delete_stack(self, call: Call, params: Params) -> Result:
        """Delete a stack; one that is not there is deleted already."""
        stack = self.engine.store.find_or_none(call, params["StackName"])
        if stack is None or stack.deleted or stack.status == "DELETE_IN_PROGRESS":
            return None
        if stack.termination_protection:
            raise TemplateError(
                f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        retain = frozenset(params.get("RetainResources") or ())
        if retain and stack.status != "DELETE_FAILED":
            raise TemplateError(
                f"Invalid operation on stack [{stack.id}]. When you delete a stack, specify which resources "
                "to retain only if the stack is in the DELETE_FAILED state."
            )
        if stack.in_progress and stack.status not in ("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
            raise TemplateError(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        if stack.in_progress:
            stack.cancelled.set()
            self.engine.world.background(self._delete_after_creation, stack)
        else:
            self.engine.begin(stack)
            self.start_on(stack, self.engine.delete, stack, retain)
        return None

    def _delete_after_creation(self, stack: Stack) -> None:
        stack.idle.wait()
        self.engine.begin(stack)
        self.engine.delete(stack)

    @operation("CancelUpdateStack")
    def cancel_update_stack(self, call: Call, params: Params) -> Result:
        """Stop an update: what has begun ends, then the stack goes back to its last good state."""
        stack = self.engine.store.find(call, params["StackName"])
        if stack.status != "UPDATE_IN_PROGRESS":
            raise TemplateError("CancelUpdateStack cannot be called from current stack status")
        stack.cancelled.set()
        return None

    @operation("RollbackStack")
    def rollback_stack(self, call: Call, params: Params) -> Result:
        """Take a stack whose last operation failed with rollback off back to its last good state."""
        stack = self.engine.store.find(call, params["StackName"])
        if stack.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
            raise TemplateError(f"Stack [{stack.name}] cannot be rolled back from status {stack.status}")
        self.engine.begin(stack)
        self.start_on(stack, self.engine.roll_back, stack)
        return {"StackId": stack.id}

    @operation("ContinueUpdateRollback")
    def continue_update_rollback(self, call: Call, params: Params) -> Result:
        """Go on with a rollback that failed, without the resources to skip."""
        stack = self.engine.store.find(call, params["StackName"])
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise TemplateError(
                f"Stack:{stack.id} is in {stack.status} state and can not continue its update rollback."
            )
        self.engine.begin(stack)
        skip = frozenset(params.get("ResourcesToSkip") or ())
        self.start_on(stack, self.engine.roll_back, stack, skip)
        return None

    @operation("UpdateTerminationProtection")
    def update_termination_protection(self, call: Call, params: Params) -> Result:
        """Allow or forbid the deletion of a stack."""
        stack = self.engine.store.find(call, params["StackName"])
        stack.termination_protection = params["EnableTerminationProtection"]
        return {"StackId": stack.id}

    def start_on(self, stack: Stack, work: Callable[..., None], *args: Any) -> None:
        """Do the work on another thread, and wait a while for it."""
        self.engine.world.background(work, *args)
        stack.idle.wait(PATIENCE_SECONDS)


def options_of(params: Params) -> Options:
    """How a request wants failure to be treated."""
    on_failure = params.get("OnFailure") or params.get("OnStackFailure")
    if on_failure and params.get("DisableRollback"):
        raise TemplateError("Only one of parameters DisableRollback and OnFailure may be specified.")
    return Options(
        disable_rollback=bool(params.get("DisableRollback")) or on_failure == "DO_NOTHING",
        delete_on_failure=on_failure == "DELETE",
        retain_except_on_create=bool(params.get("RetainExceptOnCreate")),
        token=params.get("ClientRequestToken"),
    )


def refuse_update(stack: Stack) -> None:
    """Raise TemplateError where a stack's status does not allow an update."""
    if stack.status not in UPDATABLE or not stack.idle.is_set():
        raise TemplateError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
