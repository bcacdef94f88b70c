"""AWS::CloudFormation::Stack: a stack as a resource of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from localaws.cloudformation.changes import plan
from localaws.cloudformation.inputs import blueprint_of
from localaws.cloudformation.model import STACK_TYPE, Options, Stack
from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.service import Call

if TYPE_CHECKING:
    from localaws.cloudformation.engine import Engine

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class NestedStack(ResourceType):
    """Created, updated and deleted with its parent; `Outputs.<name>` are its attributes."""

    type_name = STACK_TYPE
    properties = frozenset({"TemplateURL", "Parameters", "Tags"})

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, context: Context, props: Mapping[str, Any]) -> Created:
        """Create the stack; one that failed is left for the parent's rollback to delete."""
        engine = self._engine
        parent = engine.store.find(_call(context), context.stack_id)
        stack = engine.store.add(_call(context), context.generated_name(128), "REVIEW_IN_PROGRESS")
        stack.parent_id, stack.root_id = parent.id, parent.root_id or parent.id
        try:
            blueprint = blueprint_of(_request(context, props), stack, engine.place(stack), engine.types)
        except Exception:
            engine.begin(stack)
            engine.delete(stack)
            raise
        engine.begin(stack)
        engine.deploy(stack, blueprint, Options(disable_rollback=True))
        return _done(stack, "CREATE_COMPLETE")

    def update(
        self, context: Context, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        """Update the stack; one that fails goes back to its own last good state."""
        del old
        engine = self._engine
        stack = engine.store.find(_call(context), physical_id)
        blueprint = blueprint_of(_request(context, new), stack, engine.place(stack), engine.types)
        if plan(stack, blueprint, engine.place(stack), engine.types).anything:
            engine.begin(stack)
            engine.deploy(stack, blueprint, Options())
            return _done(stack, "UPDATE_COMPLETE")
        return _created(stack)

    def delete(self, context: Context, physical_id: str, props: Mapping[str, Any]) -> None:
        """Delete the stack with all it has."""
        del props
        engine = self._engine
        stack = engine.store.find_or_none(_call(context), physical_id)
        if stack is None or stack.deleted:
            return
        engine.begin(stack)
        engine.delete(stack)
        if stack.status != "DELETE_COMPLETE":
            raise ResourceFailed(f"Embedded stack {stack.id} was not successfully deleted: {stack.reason}")


def _call(context: Context) -> Call:
    return Call(context.account, context.region)


def _request(context: Context, props: Mapping[str, Any]) -> dict[str, Any]:
    """The nested stack's inputs, as the API takes them."""
    own = {tag["Key"]: tag["Value"] for tag in props.get("Tags") or []}
    tags = {**context.stack_tags, **own}
    parameters = {
        key: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in (props.get("Parameters") or {}).items()
    }
    return {
        "TemplateURL": props.get("TemplateURL"),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "Capabilities": _CAPABILITIES,
    }


def _done(stack: Stack, wanted: str) -> Created:
    if stack.status != wanted:
        verb = "created" if wanted == "CREATE_COMPLETE" else "updated"
        why = stack.reason or next(
            (e.reason for e in reversed(stack.events) if e.status.endswith("_FAILED")), ""
        )
        raise ResourceFailed(f"Embedded stack {stack.id} was not successfully {verb}: {why}", stack.id)
    return _created(stack)


def _created(stack: Stack) -> Created:
    return Created(stack.id, {f"Outputs.{output.key}": output.value for output in stack.outputs})
