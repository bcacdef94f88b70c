"""What the resources of a template refer to, and the order that follows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from localaws.cloudformation.functions import split_attribute, sub_names, sub_parts
from localaws.cloudformation.template import TemplateError


def references(node: Any, holds: Callable[[str], bool]) -> Iterator[str]:
    """The names that `node` refers to by Ref, Fn::GetAtt and Fn::Sub; of an Fn::If, in the branch taken."""
    if isinstance(node, list):
        for item in node:
            yield from references(item, holds)
    if not isinstance(node, dict):
        return
    if len(node) == 1:
        name, argument = next(iter(node.items()))
        if name == "Ref":
            yield str(argument)
            return
        if name == "Fn::GetAtt":
            yield split_attribute(argument)[0]
            return
        if name == "Fn::Sub":
            text, local = sub_parts(argument)
            yield from (used.partition(".")[0] for used in sub_names(text) if used not in local)
            yield from references(local, holds)
            return
        if name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:  # noqa: PLR2004 -- condition, then, else
            yield from references(argument[1] if holds(argument[0]) else argument[2], holds)
            return
    for item in node.values():
        yield from references(item, holds)


def refuse_cycles(needs: Mapping[str, Collection[str]]) -> None:
    """Raise TemplateError, naming the cycle, when resources need each other in a circle."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        names = ", ".join(sorted(set(circle)))
        raise TemplateError(
            f"Circular dependency between resources: [{names}] ({' -> '.join(circle)})"
        ) from error
