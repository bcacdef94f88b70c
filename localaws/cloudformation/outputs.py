"""The outputs of a stack."""

from __future__ import annotations

from localaws.cloudformation.blueprint import Blueprint
from localaws.cloudformation.intrinsics import Evaluator
from localaws.cloudformation.model import Output
from localaws.cloudformation.template import TemplateError


def resolve_outputs(blueprint: Blueprint, evaluator: Evaluator) -> list[Output]:
    """The outputs whose conditions hold; raises TemplateError where a value cannot be had."""
    outputs = []
    for key, definition in blueprint.template.section("Outputs").items():
        if "Condition" in definition and not evaluator.condition(definition["Condition"]):
            continue
        export = (definition.get("Export") or {}).get("Name")
        outputs.append(
            Output(
                key=key,
                value=evaluator.text(definition["Value"]),
                description=definition.get("Description"),
                export=None if export is None else evaluator.text(export),
            )
        )
    names = [output.export for output in outputs if output.export]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TemplateError(f"Template format error: Output export name {twice[0]} is used more than once")
    return outputs
