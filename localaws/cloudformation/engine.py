"""The engine: carries out the operations on stacks, one at a time for each stack."""

from __future__ import annotations

import logging
from collections.abc import Callable

from localaws.cloudformation.actions import Actions
from localaws.cloudformation.blueprint import Blueprint
from localaws.cloudformation.deployment import Deployment, roll_back
from localaws.cloudformation.model import Options, Stack, now
from localaws.cloudformation.nested_stack import NestedStack
from localaws.cloudformation.resource import ResourceType
from localaws.cloudformation.scopes import Place
from localaws.cloudformation.store import Store
from localaws.cloudformation.teardown import tear_down
from localaws.cloudformation.template import TemplateError
from localaws.cloudformation.types import Types
from localaws.service import Call
from localaws.world import World

log = logging.getLogger("localaws.cloudformation")
UPDATABLE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED"}
)


class Engine:
    """Creates, updates, rolls back and deletes stacks; each method returns when that is done."""

    def __init__(self, world: World, more_types: tuple[ResourceType, ...] = ()) -> None:
        self.world = world
        self.store = Store()
        self.types = Types((NestedStack(self), *more_types))

    def place(self, stack: Stack) -> Place:
        """Where a stack lives, as its template sees it."""
        call = Call(stack.account, stack.region)

        def exports() -> dict[str, str]:
            return {name: value for name, (value, _) in self.store.exports(call).items()}

        def outputs(name: str, region: str) -> dict[str, str]:
            found = self.store.find(Call(stack.account, region), name)
            return {output.key: output.value for output in found.outputs}

        return Place(self.world, stack.account, stack.region, stack.name, stack.id, exports, outputs)

    def begin(self, stack: Stack) -> None:
        """Reserve a stack for one operation; raises TemplateError while another one works on it."""
        with self.store.lock:
            if not stack.idle.is_set():
                raise TemplateError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
            stack.cancelled.clear()
            stack.idle.clear()

    def deploy(self, stack: Stack, blueprint: Blueprint, options: Options) -> None:
        """Bring a reserved stack to a blueprint."""

        def work() -> None:
            Deployment(stack, blueprint, self.place(stack), self.types, self.store).run(options)
            if stack.status == "ROLLBACK_COMPLETE" and options.delete_on_failure:
                self._delete(stack, frozenset())

        self._carry_out(stack, work)

    def roll_back(self, stack: Stack, skip: frozenset[str] = frozenset()) -> None:
        """Take a reserved stack, whose last operation failed, back to its last good state."""
        reason = "User Initiated"
        self._carry_out(stack, lambda: roll_back(stack, self._actions(stack), reason, skip))

    def delete(self, stack: Stack, retain: frozenset[str] = frozenset()) -> None:
        """Delete a reserved stack, but for the resources to retain."""
        self._carry_out(stack, lambda: self._delete(stack, retain))

    def _delete(self, stack: Stack, retain: frozenset[str]) -> None:
        stack.begin("DELETE_IN_PROGRESS", "User Initiated")
        try:
            self.store.refuse_deletion_in_use(stack)
        except TemplateError as error:
            stack.enter("DELETE_FAILED", f"Delete canceled. {error.message}")
            return
        undeleted = tear_down(stack, self._actions(stack), retain=retain)
        if undeleted:
            stack.enter("DELETE_FAILED", undeleted)
            return
        stack.deleted = now()
        stack.enter("DELETE_COMPLETE")

    def _actions(self, stack: Stack) -> Actions:
        return Actions(self.world, self.types, stack)

    def _carry_out(self, stack: Stack, work: Callable[[], None]) -> None:
        """Do the work of a reserved stack and free the stack again, whatever happens."""
        try:
            work()
        except Exception as error:
            log.exception("stack %s", stack.name)
            failed = {"DELETE_IN_PROGRESS": "DELETE_FAILED", "CREATE_IN_PROGRESS": "CREATE_FAILED"}
            status = failed.get(stack.status, "UPDATE_ROLLBACK_FAILED")
            stack.enter(status, f"Internal failure: {type(error).__name__}: {error}")
        finally:
            stack.idle.set()
