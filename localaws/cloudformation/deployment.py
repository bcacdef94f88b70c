"""Bringing a stack to what a blueprint says, and back again when that fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from localaws.cloudformation.actions import Actions
from localaws.cloudformation.blueprint import Blueprint
from localaws.cloudformation.graph import run_in_order
from localaws.cloudformation.model import Options, Resource, Stable, Stack, now
from localaws.cloudformation.outputs import resolve_outputs
from localaws.cloudformation.resource import ResourceFailed
from localaws.cloudformation.scopes import Place, StackScope
from localaws.cloudformation.store import Store
from localaws.cloudformation.teardown import clean_up, tear_down
from localaws.cloudformation.types import Types
from localaws.service import AwsError


class Deployment:
    """One creation or update of a stack."""

    def __init__(self, stack: Stack, blueprint: Blueprint, place: Place, types: Types, store: Store) -> None:
        self._stack = stack
        self._blueprint = blueprint
        self._types = types
        self._store = store
        self._actions = Actions(place.world, types, stack)
        self._scope = StackScope(place, blueprint.parameters, stack.resources.get)
        self._evaluator = blueprint.evaluator(self._scope)
        self._failed: dict[str, str] = {}

    def run(self, options: Options) -> None:
        """Carry it out; the stack's status, resources and events tell how it went."""
        stack = self._stack
        creating = stack.stable.blueprint is None and not stack.resources
        verb = "CREATE" if creating else "UPDATE"
        stack.options, stack.blueprint = options, self._blueprint
        if not creating:
            stack.updated = now()
        stack.begin(f"{verb}_IN_PROGRESS", "User Initiated")
        run_in_order(self._blueprint.needs, self._settle, self._halted)
        reason = self._failure()
        if reason is None:
            reason = self._publish()
        if reason is None:
            self._finish(verb)
        elif options.disable_rollback:
            stack.enter(f"{verb}_FAILED", reason)
        else:
            roll_back(stack, self._actions, reason)

    def _halted(self) -> bool:
        return bool(self._failed) or self._stack.cancelled.is_set()

    def _settle(self, logical_id: str) -> bool:
        """Create, update, replace or leave alone one resource; whether it is as it shall be."""
        old = self._stack.resources.get(logical_id)
        old = old if old and old.exists else None
        try:
            draft = self._blueprint.draft(logical_id, self._evaluator)
        except AwsError as error:
            definition = self._blueprint.template.resources[logical_id]
            self._actions.refuse(old or Resource(logical_id, definition["Type"]), error.message)
            self._failed[logical_id] = "update" if old else "create"
            return False
        try:
            self._bring(old, draft)
        except ResourceFailed:
            self._failed[logical_id] = "update" if old else "create"
            return False
        return True

    def _bring(self, old: Resource | None, draft: Resource) -> None:
        if old is None or old.status == "CREATE_FAILED":
            if old is not None:
                self._stack.superseded.append((old, "Delete"))
            self._actions.create(draft)
            return
        kind = self._types[draft.type_name]
        was = _as_it_was(old, draft, tagged="Tags" in kind.properties)
        changed = changed_properties(was, draft.properties)
        if any(kind.replaced_by(name, was, draft.properties) for name in changed):
            self._actions.create(draft, old)
        elif changed:
            self._actions.update(old, draft, was)
        else:
            # Metadata, policies and dependencies are the engine's own: nothing else needs to know.
            status = "UPDATE_COMPLETE" if old.status == "UPDATE_FAILED" else old.status
            self._stack.resources[draft.logical_id] = replace(
                draft,
                physical_id=old.physical_id,
                attributes=old.attributes,
                generation=old.generation,
                status=status,
                updated=old.updated,
            )

    def _failure(self) -> str | None:
        if self._stack.cancelled.is_set():
            return "User Initiated"
        listed = [
            f"The following resource(s) failed to {verb}: [{', '.join(failed)}]. "
            for verb in ("create", "update")
            if (failed := [name for name, failing in self._failed.items() if failing == verb])
        ]
        return "".join(listed).rstrip() or None

    def _publish(self) -> str | None:
        """Set the outputs and exports, or return why they cannot be."""
        try:
            outputs = resolve_outputs(self._blueprint, self._evaluator)
            self._store.publish(self._stack, outputs, frozenset(self._scope.imports))
        except AwsError as error:
            return error.message
        return None

    def _finish(self, verb: str) -> None:
        stack = self._stack
        for logical_id in list(stack.resources):
            if logical_id not in self._blueprint.needs:
                removed = stack.resources.pop(logical_id)
                stack.superseded.append((removed, removed.deletion_policy))
        stack.stable = Stable(self._blueprint, dict(stack.resources))
        if verb == "UPDATE":
            stack.enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            clean_up(stack, self._actions)
        stack.enter(f"{verb}_COMPLETE")


def changed_properties(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """The names of the properties that differ."""
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def roll_back(stack: Stack, actions: Actions, reason: str, skip: frozenset[str] = frozenset()) -> None:
    """Take a stack back to its last good state; resources named in `skip` are taken for restored."""
    if stack.stable.blueprint is None:
        stack.begin("ROLLBACK_IN_PROGRESS", f"{reason} Rollback requested by user.")
        undeleted = tear_down(stack, actions, creating=True)
        if undeleted:
            stack.enter("ROLLBACK_FAILED", undeleted)
        else:
            stack.enter("ROLLBACK_COMPLETE")
        return
    stack.begin("UPDATE_ROLLBACK_IN_PROGRESS", reason)
    failed = _Restoration(stack, actions, skip).run()
    if failed:
        names = ", ".join(failed)
        stack.enter("UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{names}].")
        return
    stack.enter("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    stack.blueprint = stack.stable.blueprint
    clean_up(stack, actions)
    stack.stable = Stable(stack.stable.blueprint, dict(stack.resources))
    stack.enter("UPDATE_ROLLBACK_COMPLETE")


class _Restoration:
    """Giving every resource of a stack back what it had in the last good state."""

    def __init__(self, stack: Stack, actions: Actions, skip: frozenset[str]) -> None:
        self._stack = stack
        self._actions = actions
        self._skip = skip
        self._good = stack.stable.resources
        self._failed: list[str] = []

    def run(self) -> list[str]:
        """Restore; returns the resources that could not be."""
        resources = self._stack.resources
        for logical_id in [name for name in resources if name not in self._good]:
            new = resources.pop(logical_id)
            self._stack.superseded.append((new, _policy_for_new(new, self._stack.options)))
        run_in_order({name: good.uses for name, good in self._good.items()}, self._restore)
        return self._failed

    def _restore(self, logical_id: str) -> bool:
        good = self._good[logical_id]
        current = self._stack.resources.get(logical_id, good)
        if logical_id in self._skip:
            self._stack.resources[logical_id] = good
            return True
        if current.generation != good.generation:
            self._stack.superseded.append((current, "Delete"))
            self._actions.restore(good)
        elif _same(current, good):
            if current.status == "UPDATE_FAILED":
                self._actions.restore(good)
            else:
                self._stack.resources[logical_id] = good
        else:
            return self._update_back(current, good)
        return True

    def _update_back(self, current: Resource, good: Resource) -> bool:
        was = dict(current.attempted if current.attempted is not None else current.properties)
        if current.stack_tags != good.stack_tags:
            was = _with_other_tags(was, good.properties)
        try:
            self._actions.update(current, good, was)
        except ResourceFailed:
            self._failed.append(good.logical_id)
            return False
        return True


def _same(current: Resource, good: Resource) -> bool:
    return (
        current.attempted is None
        and current.physical_id == good.physical_id
        and current.properties == good.properties
        and current.stack_tags == good.stack_tags
    )


def _policy_for_new(resource: Resource, options: Options) -> str:
    """What becomes of a resource that the operation now rolled back has made."""
    spared = resource.deletion_policy == "Retain" and not options.retain_except_on_create
    return "Retain" if spared and resource.exists else "Delete"


def _as_it_was(old: Resource, draft: Resource, *, tagged: bool) -> dict[str, Any]:
    """The properties to update `old` from, such that all that may differ from `draft` does.

    After a failed update (with rollback off) the resource is anywhere between what it had and what was tried.
    """
    was = dict(old.properties)
    if old.attempted is not None:
        for name in changed_properties(old.properties, old.attempted):
            if old.properties.get(name) == draft.properties.get(name):
                was[name] = old.attempted.get(name)
    if tagged and old.stack_tags != draft.stack_tags:
        was = _with_other_tags(was, draft.properties)
    return was


def _with_other_tags(was: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`was` with `Tags` that differ from the wanted ones: the stack's tags, which join them, have changed."""
    return {**was, "Tags": None if wanted.get("Tags") is not None else []}
