"""What carrying out a blueprint would change: the substance of a change set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Any

from localaws.cloudformation.blueprint import Blueprint
from localaws.cloudformation.deployment import changed_properties
from localaws.cloudformation.functions import UNKNOWN, is_unknown
from localaws.cloudformation.intrinsics import Evaluator
from localaws.cloudformation.model import STACK_TYPE, Resource, Stack
from localaws.cloudformation.outputs import resolve_outputs
from localaws.cloudformation.references import references
from localaws.cloudformation.scopes import Place, PlannedScope
from localaws.cloudformation.types import Types

_ATTRIBUTES = {
    "deletion_policy": "DeletionPolicy",
    "replace_policy": "UpdateReplacePolicy",
    "metadata": "Metadata",
    "stack_tags": "Tags",
}


@dataclass(frozen=True)
class Detail:
    """One changed property or attribute of a resource."""

    attribute: str
    name: str | None
    before: Any
    after: Any
    recreation: str
    evaluation: str
    source: str
    cause: str | None


@dataclass(frozen=True)
class Change:
    """What happens to one resource."""

    action: str
    logical_id: str
    type_name: str
    physical_id: str | None = None
    replacement: str | None = None
    policy_action: str | None = None
    details: tuple[Detail, ...] = ()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Plan:
    """The changes of resources, and whether anything at all would change."""

    changes: list[Change]
    anything: bool


def plan(stack: Stack, blueprint: Blueprint, place: Place, types: Types) -> Plan:
    """What bringing `stack` to `blueprint` would change, as far as can be known before it is done."""
    current = {name: item for name, item in stack.resources.items() if item.exists}
    planner = _Planner(stack.blueprint, blueprint, current, place, types)
    changes = [change for name in _ordered(blueprint) if (change := planner.change(name))]
    changes += [_removal(item) for name, item in current.items() if name not in blueprint.needs]
    outputs = resolve_outputs(blueprint, planner.evaluator) != stack.outputs
    return Plan(changes, bool(changes) or outputs or stack.status.endswith("_FAILED"))


def _ordered(blueprint: Blueprint) -> Iterable[str]:
    return TopologicalSorter(blueprint.needs).static_order()


def _removal(resource: Resource) -> Change:
    kept = resource.deletion_policy != "Delete"
    return Change(
        action="Remove",
        logical_id=resource.logical_id,
        type_name=resource.type_name,
        physical_id=resource.physical_id,
        policy_action="Retain" if kept else "Delete",
        before={"Properties": {}},
    )


class _Planner:
    """Works through the resources in order, with the planned state of those before known."""

    def __init__(
        self,
        deployed: Blueprint | None,
        blueprint: Blueprint,
        current: Mapping[str, Resource],
        place: Place,
        types: Types,
    ) -> None:
        self._blueprint = blueprint
        self._current = current
        self._types = types
        self._planned: dict[str, Resource] = {}
        self.evaluator = blueprint.evaluator(PlannedScope(place, blueprint.parameters, self._planned.get))
        # Descriptions hide what must not be echoed, so properties are worked out a second time for them.
        self._shown = blueprint.evaluator(
            PlannedScope(place, blueprint.parameters, self._planned.get, reveal=False)
        )
        self._deployed = deployed
        self._shown_before: Evaluator | None = None
        if deployed is not None:
            scope = PlannedScope(place, deployed.parameters, self._found, reveal=False)
            self._shown_before = deployed.evaluator(scope)

    def _found(self, logical_id: str) -> Resource:
        """A deployed resource; after a failed deployment not all of its template's are there."""
        return self._current.get(logical_id) or Resource(logical_id, "", physical_id=UNKNOWN)

    def change(self, logical_id: str) -> Change | None:
        """The change of one resource, or None; the resources it uses have been asked for before."""
        draft = self._blueprint.draft(logical_id, self.evaluator)
        old = self._current.get(logical_id)
        after = self._context(self._blueprint.draft(logical_id, self._shown))
        if old is None:
            self._planned[logical_id] = replace(draft, physical_id=UNKNOWN)
            return Change("Add", logical_id, draft.type_name, after=after)
        details = self._details(old, draft)
        replacement = _replacement(details)
        self._planned[logical_id] = self._outlook(old, draft, replacement, changes=bool(details))
        if not details:
            return None
        return Change(
            action="Modify",
            logical_id=logical_id,
            type_name=draft.type_name,
            physical_id=old.physical_id,
            replacement=replacement,
            policy_action=_policy_action(old, replacement),
            details=details,
            before=self._before(logical_id, old),
            after=after,
        )

    def _outlook(self, old: Resource, draft: Resource, replacement: str, *, changes: bool) -> Resource:
        """The resource after the change: a replaced one is unknown, an updated one keeps what it has."""
        own_engine = draft.type_name == STACK_TYPE or draft.type_name.startswith("Custom::")
        if replacement != "False" or (changes and own_engine):
            return replace(draft, physical_id=UNKNOWN)
        return replace(draft, physical_id=old.physical_id, attributes=old.attributes)

    def _details(self, old: Resource, draft: Resource) -> tuple[Detail, ...]:
        kind = self._types[draft.type_name]
        before = old.attempted if old.attempted is not None else old.properties
        details = [
            self._property_detail(
                name, before, draft, always=kind.replaced_by(name, before, draft.properties)
            )
            for name in sorted(changed_properties(before, draft.properties))
        ]
        for field, attribute in _ATTRIBUTES.items():
            was, will = getattr(old, field), getattr(draft, field)
            if was != will and (field != "stack_tags" or "Tags" in kind.properties):
                details.append(
                    Detail(attribute, None, was, will, "Never", "Static", "DirectModification", None)
                )
        return tuple(details)

    def _property_detail(
        self, name: str, before: Mapping[str, Any], draft: Resource, *, always: bool
    ) -> Detail:
        unknown = is_unknown(draft.properties.get(name))
        node = self._blueprint.template.resources[draft.logical_id].get("Properties", {}).get(name)
        names = set(references(node, lambda condition: self._blueprint.conditions[condition]))
        causes = sorted(used for used in names if self._replaced(used))
        parameters = sorted(names & set(self._blueprint.parameters))
        source, cause = "DirectModification", None
        if unknown and causes:
            source, cause = "ResourceReference", causes[0]
        elif parameters:
            source, cause = "ParameterReference", parameters[0]
        return Detail(
            attribute="Properties",
            name=name,
            before=before.get(name),
            after=draft.properties.get(name),
            recreation="Always" if always else "Never",
            evaluation="Dynamic" if unknown else "Static",
            source=source,
            cause=cause,
        )

    def _replaced(self, name: str) -> bool:
        planned = self._planned.get(name)
        return planned is not None and planned.physical_id == UNKNOWN

    def _before(self, logical_id: str, old: Resource) -> Mapping[str, Any]:
        if self._deployed is None or self._shown_before is None or logical_id not in self._deployed.needs:
            return self._context(replace(old, properties={}))
        return self._context(self._deployed.draft(logical_id, self._shown_before))

    def _context(self, resource: Resource) -> Mapping[str, Any]:
        context: dict[str, Any] = {"Properties": resource.properties}
        if resource.metadata is not None:
            context["Metadata"] = resource.metadata
        return context


def _replacement(details: Iterable[Detail]) -> str:
    recreating = [detail.evaluation for detail in details if detail.recreation == "Always"]
    if not recreating:
        return "False"
    return "True" if "Static" in recreating else "Conditional"


def _policy_action(old: Resource, replacement: str) -> str | None:
    if replacement != "True":
        return None
    return "ReplaceAndDelete" if old.replace_policy == "Delete" else "ReplaceAndRetain"
