"""A blueprint: a template with its inputs, checked in full before anything is touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.cloudformation.intrinsics import PSEUDO_PARAMETERS, Evaluator
from localaws.cloudformation.model import Resource
from localaws.cloudformation.parameters import Parameter
from localaws.cloudformation.references import references, refuse_cycles
from localaws.cloudformation.scopes import ParameterScope, Place
from localaws.cloudformation.template import Template, TemplateError
from localaws.cloudformation.types import Types
from localaws.service import AwsError


@dataclass(frozen=True)
class Blueprint:
    """What a stack shall be."""

    template: Template
    parameters: Mapping[str, Parameter]
    tags: Mapping[str, str]
    capabilities: tuple[str, ...]
    needs: Mapping[str, frozenset[str]]
    """The resources that the conditions let be, each with those that must be there before it."""
    conditions: Mapping[str, bool]

    def evaluator(self, scope: ParameterScope) -> Evaluator:
        """What works out the values of this template as `scope` sees them."""
        return Evaluator(
            self.template.section("Mappings"),
            self.template.section("Conditions"),
            scope,
            known=self.conditions,
        )

    def draft(self, logical_id: str, evaluator: Evaluator) -> Resource:
        """The resource as it shall be, not made yet; raises TemplateError where a value cannot be had."""
        definition = self.template.resources[logical_id]
        deletion = str(definition.get("DeletionPolicy", "Delete"))
        return Resource(
            logical_id=logical_id,
            type_name=definition["Type"],
            properties=evaluator.value(definition.get("Properties") or {}),
            uses=self.needs[logical_id],
            deletion_policy=deletion,
            replace_policy=str(definition.get("UpdateReplacePolicy", "Delete")),
            metadata=definition.get("Metadata"),
            stack_tags=self.tags,
        )


def draw_blueprint(
    template: Template,
    parameters: Mapping[str, Parameter],
    tags: Mapping[str, str],
    capabilities: Collection[str],
    place: Place,
    types: Types,
) -> Blueprint:
    """The blueprint of a stack.

    Raises:
        TemplateError: a rule is broken, a resource type or property is not emulated, a reference leads
            nowhere, or resources need each other in a circle.
        AwsError: InsufficientCapabilitiesException.
    """
    evaluator = Evaluator(
        template.section("Mappings"), template.section("Conditions"), ParameterScope(place, parameters)
    )
    conditions = {name: evaluator.condition(name) for name in template.section("Conditions")}
    _check_rules(template, evaluator)
    _check_types(template, types)
    require_capabilities(template, capabilities)
    active = {
        logical_id: resource
        for logical_id, resource in template.resources.items()
        if "Condition" not in resource or evaluator.condition(resource["Condition"])
    }
    needs = {
        logical_id: _needs(logical_id, resource, template, active, evaluator)
        for logical_id, resource in active.items()
    }
    refuse_cycles(needs)
    for name, output in template.section("Outputs").items():
        if "Condition" not in output or evaluator.condition(output["Condition"]):
            _known(
                references(output, evaluator.condition), template, active, f"Outputs block (output {name})"
            )
    return Blueprint(template, parameters, tags, tuple(capabilities), needs, conditions)


def needed_capabilities(template: Template) -> list[str]:
    """The capabilities that a template asks its user for: it makes IAM resources, named ones perhaps."""
    iam = [resource for resource in template.resources.values() if resource["Type"] in _IAM_NAMES]
    if any(_IAM_NAMES[resource["Type"]] in (resource.get("Properties") or {}) for resource in iam):
        return ["CAPABILITY_NAMED_IAM"]
    return ["CAPABILITY_IAM"] if iam else []


def require_capabilities(template: Template, given: Collection[str]) -> None:
    """Raise InsufficientCapabilitiesException unless `given` has what the template needs."""
    needed = needed_capabilities(template)
    if needed and not {*needed, "CAPABILITY_NAMED_IAM"} & set(given):
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(needed)}]")


_IAM_NAMES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}
"""The types that need a capability, with the property that makes them named."""


def _check_rules(template: Template, evaluator: Evaluator) -> None:
    for name, rule in template.section("Rules").items():
        if "RuleCondition" in rule and not evaluator.holds(rule["RuleCondition"]):
            continue
        for assertion in rule.get("Assertions", []):
            if not evaluator.holds(assertion["Assert"]):
                why = assertion.get("AssertDescription", "an assertion does not hold")
                raise TemplateError(f"Template error: Rule {name} failed: {why}")


def _check_types(template: Template, types: Types) -> None:
    """Refuse what the embedded AWS cannot make, all of it at once."""
    unknown = sorted(
        {item["Type"] for item in template.resources.values() if types.get(item["Type"]) is None}
    )
    if unknown:
        raise TemplateError(
            f"Template format error: Unrecognized resource types: [{', '.join(unknown)}] "
            "(not emulated by the embedded AWS)"
        )
    refused = [
        f"{logical_id} ({resource['Type']}): {name}"
        for logical_id, resource in template.resources.items()
        for name in resource.get("Properties") or {}
        if types[resource["Type"]].refuses(name)
    ]
    if refused:
        raise TemplateError(
            f"Encountered unsupported property: not emulated by the embedded AWS: {'; '.join(refused)}"
        )


def _needs(
    logical_id: str,
    resource: Mapping[str, Any],
    template: Template,
    active: Collection[str],
    evaluator: Evaluator,
) -> frozenset[str]:
    declared = resource.get("DependsOn") or []
    declared = [declared] if isinstance(declared, str) else declared
    unknown = [name for name in declared if name not in template.resources]
    if unknown:
        raise TemplateError(
            f"Template format error: Unresolved resource dependencies [{', '.join(unknown)}] "
            f"in the Resources block of the template (DependsOn of {logical_id})"
        )
    found = references(resource.get("Properties") or {}, evaluator.condition)
    named = _known(found, template, active, f"Resources block (resource {logical_id})")
    return frozenset({*named, *(name for name in declared if name in active)})


def _known(found: Any, template: Template, active: Collection[str], where: str) -> set[str]:
    """The resources among the names `found`; refuses a name that is nothing."""
    names = set(found) - PSEUDO_PARAMETERS - set(template.section("Parameters"))
    unresolved = sorted(names - set(active))
    if unresolved:
        raise TemplateError(
            f"Template format error: Unresolved resource dependencies [{', '.join(unresolved)}] "
            f"in the {where} of the template"
        )
    return names
