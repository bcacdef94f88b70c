"""What can be done to one resource of a stack; each step is told as a stack event."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from localaws.cloudformation.model import Resource, Stack, now
from localaws.cloudformation.resource import Context, ResourceFailed, ResourceType
from localaws.cloudformation.types import Types
from localaws.service import AwsError
from localaws.world import World

T = TypeVar("T")
log = logging.getLogger("localaws.cloudformation")
_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


class Actions:
    """Creates, replaces, updates and deletes the resources of one stack."""

    def __init__(self, world: World, types: Types, stack: Stack) -> None:
        self._world = world
        self._types = types
        self._stack = stack

    def create(self, draft: Resource, old: Resource | None = None) -> None:
        """Make `draft`; with `old`, in its place: that one is kept aside until the update has succeeded."""
        verb = "UPDATE" if old else "CREATE"
        generation = self._stack.generations.get(draft.logical_id, 0)
        draft = replace(draft, generation=generation)
        self._note(old or draft, f"{verb}_IN_PROGRESS", _REPLACING if old else "")
        try:
            created = self._call(draft, lambda kind, at: kind.create(at, draft.properties))
            _refuse_same(created.physical_id, old)
        except ResourceFailed as failure:
            self._note(old or replace(draft, physical_id=failure.physical_id), f"{verb}_FAILED", str(failure))
            raise
        self._stack.generations[draft.logical_id] = generation + 1
        if old:
            self._stack.superseded.append((old, old.replace_policy))
        made = replace(draft, physical_id=created.physical_id, attributes=created.attributes)
        self._note(made, f"{verb}_IN_PROGRESS", "Resource creation Initiated")
        self._note(made, f"{verb}_COMPLETE")

    def update(self, old: Resource, draft: Resource, was: Mapping[str, Any]) -> None:
        """Bring `old` in place to what `draft` says, from the properties `was`."""
        draft = replace(draft, physical_id=old.physical_id, generation=old.generation, attempted=None)
        self._note(old, "UPDATE_IN_PROGRESS")
        try:
            created = self._call(
                draft, lambda kind, at: kind.update(at, old.physical_id or "", was, draft.properties)
            )
        except ResourceFailed as failure:
            self._note(replace(old, attempted=draft.properties), "UPDATE_FAILED", str(failure))
            raise
        if created.physical_id != old.physical_id:
            # So a custom resource says that its function has made a new one.
            self._stack.superseded.append((old, old.replace_policy))
        made = replace(draft, physical_id=created.physical_id, attributes=created.attributes)
        self._note(made, "UPDATE_COMPLETE")

    def delete(self, resource: Resource) -> Resource:
        """Delete one incarnation and return it with its last status; raises ResourceFailed."""
        self._tell(resource, "DELETE_IN_PROGRESS")
        try:
            self._call(
                resource, lambda kind, at: kind.delete(at, resource.physical_id or "", resource.properties)
            )
        except ResourceFailed as failure:
            self._tell(resource, "DELETE_FAILED", str(failure))
            raise
        return self._tell(resource, "DELETE_COMPLETE")

    def keep(self, resource: Resource) -> Resource:
        """Leave an incarnation where it is, as its policy says, and return it with its last status."""
        return self._tell(resource, "DELETE_SKIPPED")

    def refuse(self, draft: Resource, reason: str) -> None:
        """Tell that a resource cannot even be tried: a value it needs cannot be had."""
        self._note(draft, "UPDATE_FAILED" if draft.exists else "CREATE_FAILED", reason)

    def restore(self, resource: Resource) -> None:
        """Take an earlier incarnation, which is as it was, for the current one again."""
        self._note(resource, "UPDATE_COMPLETE")

    def _call(self, resource: Resource, call: Callable[[ResourceType, Context], T]) -> T:
        """Call a resource type; whatever goes wrong becomes ResourceFailed with a reason for people."""
        stack = self._stack
        context = Context(
            world=self._world,
            account=stack.account,
            region=stack.region,
            stack_name=stack.name,
            stack_id=stack.id,
            logical_id=resource.logical_id,
            stack_tags=resource.stack_tags,
            generation=resource.generation,
            type_name=resource.type_name,
        )
        try:
            return call(self._types[resource.type_name], context)
        except ResourceFailed:
            raise
        except ClientError as error:
            raise ResourceFailed(_explain(error)) from error
        except AwsError as error:
            raise ResourceFailed(error.message) from error
        except Exception as error:
            log.exception("%s of stack %s", resource.logical_id, stack.name)
            raise ResourceFailed(f"Internal failure: {type(error).__name__}: {error}") from error

    def _note(self, resource: Resource, status: str, reason: str = "") -> None:
        """Tell the status and take the resource for the stack's current one."""
        self._stack.resources[resource.logical_id] = self._tell(resource, status, reason)

    def _tell(self, resource: Resource, status: str, reason: str = "") -> Resource:
        told = replace(resource, status=status, reason=reason, updated=now())
        self._stack.tell(told)
        return told


def _refuse_same(physical_id: str, old: Resource | None) -> None:
    if old and physical_id == old.physical_id:
        raise ResourceFailed(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {physical_id} and update the stack again."
        )


def _explain(error: ClientError) -> str:
    """An error of a service in the words of CloudFormation's own resource handlers."""
    details = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    message = details.get("Message") or str(error)
    return (
        f'Resource handler returned message: "{message} ({error.operation_name}, '
        f'Status Code: {status})" (HandlerErrorCode: {details.get("Code")})'
    )
