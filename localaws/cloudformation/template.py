"""A CloudFormation template: read from JSON or YAML, its form checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from localaws.service import AwsError

SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
    }
)
_RESOURCE_KEYS = frozenset(
    {
        "Condition",
        "DeletionPolicy",
        "DependsOn",
        "Description",
        "Metadata",
        "Properties",
        "Type",
        "UpdateReplacePolicy",
    }
)
_POLICIES = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate"),
    "UpdateReplacePolicy": ("Delete", "Retain"),
}
_LIMITS = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
MAX_BYTES = 1_048_576


class TemplateError(AwsError):
    """A template, or an input to it, that CloudFormation refuses; the message says where and why."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)


@dataclass(frozen=True)
class Template:
    """A template whose form is right; what it refers to is checked when a blueprint is drawn from it."""

    body: str
    """The text as it was given: `GetTemplate` returns it unchanged."""
    document: Mapping[str, Any]

    @classmethod
    def parse(cls, body: str) -> Template:
        """Read a template from JSON or YAML (short forms such as `!Ref` too).

        Raises:
            TemplateError: the text is not well-formed, or a section or resource has a wrong form.
        """
        if len(body.encode()) > MAX_BYTES:
            raise TemplateError(f"Template may not exceed {MAX_BYTES} bytes in size.")
        document = _read(body)
        if not isinstance(document, dict):
            raise TemplateError("Template format error: unsupported structure.")
        _check_sections(document)
        for logical_id, resource in document["Resources"].items():
            _check_resource(logical_id, resource)
        return cls(body, document)

    def section(self, name: str) -> Mapping[str, Any]:
        """One section of the template, empty where it has none."""
        return self.document.get(name) or {}

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """The resources by logical ID."""
        return self.section("Resources")

    @property
    def description(self) -> str:
        """What the template says about itself, or nothing."""
        return str(self.document.get("Description") or "")


def _read(body: str) -> Any:
    if body.lstrip().startswith("{"):
        try:
            return json.loads(body)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise TemplateError(f"Template format error: JSON not well-formed. ({where})") from error
    try:
        return yaml.load(body, _Loader)  # noqa: S506 -- a safe loader with CloudFormation's tags added
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = getattr(error, "problem", None)
        hint = f": {problem}" if problem else ""
        raise TemplateError(f"Template format error: YAML not well-formed.{where}{hint}") from error


def _check_sections(document: Mapping[str, Any]) -> None:
    if "Transform" in document:
        raise TemplateError(
            f"Transform {document['Transform']} is not emulated by the embedded AWS: write out its result"
        )
    unknown = sorted(set(document) - SECTIONS)
    if unknown:
        raise TemplateError(f"Invalid template property or properties [{', '.join(map(str, unknown))}]")
    for name in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Rules"):
        section = document.get(name)
        if section is not None and not isinstance(section, dict):
            raise TemplateError(f"Template format error: [/{name}] must be an object.")
        limit = _LIMITS.get(name)
        if limit and section and len(section) > limit:
            raise TemplateError(
                f"Template format error: Number of {name.lower()}, {len(section)}, "
                f"is greater than maximum allowed, {limit}"
            )
    if not document.get("Resources"):
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    for name, output in (document.get("Outputs") or {}).items():
        if not isinstance(output, dict) or "Value" not in output:
            raise TemplateError(f"Template format error: [/Outputs/{name}] must contain a Value member.")
    for name, parameter in (document.get("Parameters") or {}).items():
        if not isinstance(parameter, dict) or "Type" not in parameter:
            raise TemplateError(
                f"Template format error: [/Parameters/{name}] "
                "Every Parameters object must contain a Type member."
            )


def _check_resource(logical_id: Any, resource: Any) -> None:
    where = f"[/Resources/{logical_id}]"
    if not str(logical_id).isalnum():
        raise TemplateError(f"Template format error: Resource name {logical_id} is non alphanumeric.")
    if not isinstance(resource, dict):
        raise TemplateError(f"Template format error: {where} resource definition is malformed")
    if not isinstance(resource.get("Type"), str):
        raise TemplateError(
            f"Template format error: {where} Every Resources object must contain a Type member."
        )
    unknown = sorted(set(resource) - _RESOURCE_KEYS)
    if unknown:
        known = ", ".join(sorted(_RESOURCE_KEYS))
        raise TemplateError(
            f"{where} Invalid template resource property '{unknown[0]}': the embedded AWS knows {known}"
        )
    if not isinstance(resource.get("Properties") or {}, dict):
        raise TemplateError(f"Template format error: {where} Properties must be an object.")
    for attribute, allowed in _POLICIES.items():
        policy = resource.get(attribute, "Delete")
        if policy not in allowed:
            raise TemplateError(
                f"Template error: {where} {attribute} {policy} is not supported for {resource['Type']} "
                f"by the embedded AWS: use one of {', '.join(allowed)}"
            )


class _Loader(yaml.CSafeLoader):
    """YAML as CloudFormation reads it: short forms of functions, and dates stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 -- PyYAML's own attribute, replaced, never changed
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag in ("Ref", "Condition"):
        return {tag: value}
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _short_form)
