"""Deleting resources: what an update left over, or all of a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from localaws.cloudformation.actions import Actions
from localaws.cloudformation.graph import run_in_order
from localaws.cloudformation.model import Resource, Stack
from localaws.cloudformation.resource import ResourceFailed


def clean_up(stack: Stack, actions: Actions) -> None:
    """Delete the incarnations that the stack has no use for any more, each as its policy says.

    One that cannot be deleted is told as DELETE_FAILED and left: CloudFormation gives up on it too.
    """
    doomed = _superseded(stack)
    stack.superseded.clear()
    _delete_all(doomed, actions)


def tear_down(
    stack: Stack, actions: Actions, *, creating: bool = False, retain: frozenset[str] = frozenset()
) -> str | None:
    """Delete every resource of a stack.

    Args:
        stack: its resources keep their last status.
        actions: what deletes them.
        creating: it is the rollback of a creation, which RetainExceptOnCreate does not outlast.
        retain: the logical IDs to leave whatever their policy says.

    Returns:
        None, or the reason that names the resources that could not be deleted.
    """
    spared = {"Retain"} if creating else {"Retain", "RetainExceptOnCreate"}
    if creating and stack.options.retain_except_on_create:
        spared = set()
    superseded = _superseded(stack)
    current = [
        (resource, "Retain" if _kept(resource, spared, retain) else "Delete")
        for resource in stack.resources.values()
        if resource.exists
    ]
    ended = _delete_all([*superseded, *current], actions)
    stack.superseded = [
        (resource, policy)
        for resource, (_, policy) in zip(ended, superseded, strict=False)
        if resource.exists
    ]
    stack.resources.update({resource.logical_id: resource for resource in ended[len(superseded) :]})
    failed = sorted({resource.logical_id for resource in ended if resource.status == "DELETE_FAILED"})
    return f"The following resource(s) failed to delete: [{', '.join(failed)}]. " if failed else None


def _kept(resource: Resource, spared: set[str], retain: frozenset[str]) -> bool:
    if resource.logical_id in retain:
        return True
    return resource.deletion_policy in spared and resource.status != "CREATE_FAILED"


def _superseded(stack: Stack) -> list[tuple[Resource, str]]:
    """The superseded incarnations that are there and are not (again) the current ones."""
    current = {(resource.logical_id, resource.physical_id) for resource in stack.resources.values()}
    return [
        (resource, policy)
        for resource, policy in stack.superseded
        if resource.exists and (resource.logical_id, resource.physical_id) not in current
    ]


def _delete_all(doomed: Sequence[tuple[Resource, str]], actions: Actions) -> list[Resource]:
    """Delete, or keep as the policy says, users before what they use; each resource as it then is.

    What a resource uses that could not be deleted is left alone.
    """
    ended = [resource for resource, _ in doomed]
    left = set(range(len(doomed)))

    def end(index: int) -> bool:
        resource, policy = doomed[index]
        try:
            ended[index] = actions.delete(resource) if policy == "Delete" else actions.keep(resource)
        except ResourceFailed:
            ended[index] = replace(resource, status="DELETE_FAILED")
            return False
        left.discard(index)
        return True

    users = _users_first(ended)
    if not _is_circular(users):
        run_in_order(users, end)
        return ended
    # Incarnations of several updates may have used each other in turn, and which of them is unknown by now:
    # what is in use is tried again as long as anything goes.
    before = len(left) + 1
    while len(left) < before:
        before = len(left)
        run_in_order({index: set() for index in left}, end)
    return ended


def _users_first(resources: Sequence[Resource]) -> dict[int, set[int]]:
    """Each resource's position with those of the resources that use it and so go before it."""
    return {
        position: {
            other
            for other, user in enumerate(resources)
            if other != position and resource.logical_id in user.uses
        }
        for position, resource in enumerate(resources)
    }


def _is_circular(needs: Mapping[int, set[int]]) -> bool:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        return True
    return False
