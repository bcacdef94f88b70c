"""The stacks of the embedded AWS, and the exports that connect them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence

from moto.utilities.utils import get_partition

from localaws.cloudformation.model import Output, Stack
from localaws.cloudformation.template import TemplateError
from localaws.service import AwsError, Call


def arn_prefix(call: Call) -> str:
    """How the ARNs of an account's stacks and change sets in a region begin."""
    return f"arn:{get_partition(call.region)}:cloudformation:{call.region}:{call.account}"


class Store:
    """Every stack that there is or was, by id."""

    def __init__(self) -> None:
        self._stacks: dict[str, Stack] = {}
        self.lock = threading.RLock()

    def add(self, call: Call, name: str, status: str) -> Stack:
        """A new stack; raises AlreadyExistsException while another one has that name."""
        with self.lock:
            if self._named(call, name):
                raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
            stack_id = f"{arn_prefix(call)}:stack/{name}/{uuid.uuid4()}"
            stack = Stack(stack_id, name, call.account, call.region, status)
            stack.idle.set()
            self._stacks[stack_id] = stack
            return stack

    def forget(self, stack: Stack) -> None:
        """Take back a stack that was added for nothing."""
        with self.lock:
            self._stacks.pop(stack.id, None)

    def find(self, call: Call, name: str) -> Stack:
        """The stack of that name or id; a deleted one only by its id. Raises ValidationError."""
        with self.lock:
            stack = self._stacks.get(name) or self._named(call, name)
        if stack is None or (stack.account, stack.region) != (call.account, call.region):
            raise TemplateError(f"Stack with id {name} does not exist")
        return stack

    def find_or_none(self, call: Call, name: str) -> Stack | None:
        """As `find`, but None where there is no such stack."""
        try:
            return self.find(call, name)
        except TemplateError:
            return None

    def all(self, call: Call) -> list[Stack]:
        """Every stack of the caller's account and region, deleted ones too, the newest first."""
        with self.lock:
            here = [
                stack
                for stack in self._stacks.values()
                if (stack.account, stack.region) == (call.account, call.region)
            ]
        return sorted(here, key=lambda stack: stack.created, reverse=True)

    def exports(self, call: Call) -> dict[str, tuple[str, Stack]]:
        """Every export of an account and region: its value and the stack it comes from."""
        return {
            output.export: (output.value, stack)
            for stack in self._living(call)
            for output in stack.outputs
            if output.export
        }

    def importers(self, call: Call, export: str) -> list[Stack]:
        """The stacks that use an export."""
        return [stack for stack in self._living(call) if export in stack.imports]

    def publish(self, stack: Stack, outputs: Sequence[Output], imports: frozenset[str]) -> None:
        """Give a stack its outputs; raises TemplateError when an export is taken, or changes while in use."""
        call = Call(stack.account, stack.region)
        with self.lock:
            taken = self.exports(call)
            wanted = {output.export: output.value for output in outputs if output.export}
            for name in wanted:
                if name in taken and taken[name][1] is not stack:
                    raise TemplateError(
                        f"Export with name {name} is already exported by stack {taken[name][1].name}."
                    )
            for output in stack.outputs:
                if output.export and wanted.get(output.export) != output.value:
                    self._refuse_in_use(
                        stack, output.export, "updated" if output.export in wanted else "deleted"
                    )
            stack.outputs = list(outputs)
            stack.imports = imports

    def refuse_deletion_in_use(self, stack: Stack) -> None:
        """Raise TemplateError when another stack uses an export of this one."""
        for output in stack.outputs:
            if output.export:
                self._refuse_in_use(stack, output.export, "deleted")

    def _refuse_in_use(self, stack: Stack, export: str, verb: str) -> None:
        call = Call(stack.account, stack.region)
        users = [user.name for user in self.importers(call, export) if user is not stack]
        if users:
            raise TemplateError(f"Export {export} cannot be {verb} as it is in use by {' and '.join(users)}")

    def _living(self, call: Call) -> Iterator[Stack]:
        return (stack for stack in self.all(call) if stack.deleted is None)

    def _named(self, call: Call, name: str) -> Stack | None:
        return next((stack for stack in self._living(call) if stack.name == name), None)
