"""The evaluator: a template's values, worked out against what is known of the world around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from localaws.cloudformation.functions import NO_VALUE, TESTS, VALUES
from localaws.cloudformation.template import TemplateError

PSEUDO_PARAMETERS = frozenset(
    {
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)
_DYNAMIC = re.compile(r"\{\{resolve:([a-z-]+):([^}]+)\}\}")


class Scope(Protocol):
    """What a template may ask about the world around it; each raises TemplateError for what is not there."""

    def ref(self, name: str) -> Any:
        """The value of a parameter, a pseudo parameter, or a resource's physical id."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """An attribute of a resource."""

    def exported(self, name: str) -> Any:
        """The value that a stack exports under `name`."""

    def output(self, stack: str, name: str, region: str) -> Any:
        """The value of an output of another stack."""

    def dynamic(self, service: str, reference: str) -> str:
        """The text behind {{resolve:service:reference}}."""

    def zones(self, region: str) -> list[str]:
        """The availability zones of a region."""


class Evaluator:
    """Works out the values of one template: its mappings and conditions, and `scope` for all else."""

    def __init__(
        self,
        mappings: Mapping[str, Any],
        conditions: Mapping[str, Any],
        scope: Scope,
        known: Mapping[str, bool] | None = None,
    ) -> None:
        self.mappings = mappings
        self.scope = scope
        self._conditions = conditions
        self._known = dict(known or {})

    def value(self, node: Any) -> Any:
        """`node` with every function replaced by its value; what is AWS::NoValue is left out."""
        if isinstance(node, dict):
            if len(node) == 1:
                name, argument = next(iter(node.items()))
                if name in VALUES:
                    return self._dynamic(VALUES[name](self, argument))
                if name in TESTS:
                    return self.holds(node)
                if str(name).startswith("Fn::"):
                    raise TemplateError(f"Template error: {name} is not emulated by the embedded AWS")
            pairs = ((key, self.value(item)) for key, item in node.items())
            return {key: item for key, item in pairs if item is not NO_VALUE}
        if isinstance(node, list):
            return [item for item in map(self.value, node) if item is not NO_VALUE]
        return self._dynamic(node)

    def text(self, node: Any) -> str:
        """`node`'s value as text; numbers and booleans as CloudFormation writes them."""
        value = self.value(node)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        raise TemplateError(f"Template error: {node!r} must evaluate to a string, not {type(value).__name__}")

    def condition(self, name: Any) -> bool:
        """Whether the condition `name` holds."""
        if name not in self._conditions:
            raise TemplateError(
                f"Template format error: Unresolved condition {name}: it is not in Conditions"
            )
        if name not in self._known:
            self._known[name] = False  # a condition that leads back to itself ends here
            self._known[name] = self.holds(self._conditions[name])
        return self._known[name]

    def holds(self, node: Any) -> bool:
        """Whether a condition function (Fn::And, Fn::Equals, ... or Condition) holds."""
        if isinstance(node, dict) and len(node) == 1:
            name, argument = next(iter(node.items()))
            if name == "Condition":
                return self.condition(argument)
            if name in TESTS:
                return TESTS[name](self, argument)
        raise TemplateError(f"Template format error: Conditions can only be boolean operations, not {node!r}")

    def _dynamic(self, value: Any) -> Any:
        if not isinstance(value, str) or "{{resolve:" not in value:
            return value
        return _DYNAMIC.sub(lambda found: self.scope.dynamic(found.group(1), found.group(2)), value)
