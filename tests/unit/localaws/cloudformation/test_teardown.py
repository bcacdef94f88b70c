"""What updates left over goes, however its incarnations used each other."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from localaws.cloudformation.model import Resource
from localaws.cloudformation.resource import ResourceFailed
from localaws.cloudformation.teardown import clean_up


def test_incarnations_that_used_each_other_in_turn_all_go() -> None:
    """`a1` uses `b1` of one update, `b2` uses `a1` of the next: a circle by name, a chain in truth."""
    uses = {"b2": "a1", "a1": "b1"}
    standing = {"b1", "a1", "b2"}

    def delete(resource: Resource) -> Resource:
        assert resource.physical_id
        if any(used == resource.physical_id and user in standing for user, used in uses.items()):
            raise ResourceFailed("in use")
        standing.remove(resource.physical_id)
        return replace(resource, physical_id=None)

    chain = [
        Resource("B", "Thing", uses=frozenset("A"), physical_id="b1"),
        Resource("A", "Thing", uses=frozenset("B"), physical_id="a1"),
        Resource("B", "Thing", uses=frozenset("A"), physical_id="b2"),
    ]
    stack: Any = SimpleNamespace(resources={}, superseded=[(one, "Delete") for one in chain])
    actions: Any = SimpleNamespace(delete=delete)
    clean_up(stack, actions)
    assert not standing
