"""The parameters of a template: defaults, types and limits, and values kept in the Parameter Store."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.cloudformation.template import Template, TemplateError

HIDDEN = "****"
_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_LIST = re.compile(r"List<(.+)>")
# AWS's own types (AWS::EC2::VPC::Id and the like) hold text whose meaning only the service can check.
_KNOWN_TYPE = re.compile(r"String|Number|CommaDelimitedList|List<Number>|(List<)?AWS::[A-Za-z0-9:]+>?")


@dataclass(frozen=True)
class Parameter:
    """One parameter's value."""

    given: str
    """As it was passed or defaulted; the parameter's name where the type is AWS::SSM::Parameter::Value."""
    value: str | list[str]
    """What `Ref` returns."""
    resolved: str | None
    """The text read from the Parameter Store, where the type asks for that."""
    no_echo: bool

    @property
    def shown(self) -> str:
        """The value as descriptions may show it."""
        return HIDDEN if self.no_echo else self.given


def resolve_parameters(
    template: Template,
    given: Sequence[Mapping[str, Any]],
    previous: Mapping[str, Parameter],
    read_ssm: Callable[[str], str],
) -> dict[str, Parameter]:
    """The value of every parameter of `template`.

    Args:
        template: declares the parameters.
        given: as the API takes them, with ParameterKey and ParameterValue or UsePreviousValue.
        previous: the stack's values so far.
        read_ssm: returns the text of a Parameter Store parameter by name.

    Raises:
        TemplateError: a value is missing, unknown or not allowed.
    """
    declared = template.section("Parameters")
    values: dict[str, str] = {}
    for item in given:
        name = item["ParameterKey"]
        if item.get("UsePreviousValue"):
            if name not in previous:
                raise TemplateError(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue"
                )
            values[name] = previous[name].given
        else:
            values[name] = item.get("ParameterValue", "")
    unknown = [name for name in values if name not in declared]
    if unknown:
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    for name, declaration in declared.items():
        if name not in values and "Default" in declaration:
            values[name] = _text(declaration["Default"])
    missing = [name for name in declared if name not in values]
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _parameter(name, declared[name], values[name], read_ssm) for name in declared}


def _parameter(
    name: str, declaration: Mapping[str, Any], given: str, read_ssm: Callable[[str], str]
) -> Parameter:
    kind = str(declaration["Type"])
    stored = _SSM_VALUE.fullmatch(kind)
    inner = stored.group(1) if stored else kind
    if not _KNOWN_TYPE.fullmatch(inner):
        raise TemplateError(f"Template format error: Unrecognized parameter type: {kind}")
    _check(name, declaration, given, "Number" if kind == "Number" else "String")
    resolved = read_ssm(given) if stored else None
    text = given if resolved is None else resolved
    no_echo = str(declaration.get("NoEcho", False)).lower() == "true"
    value: str | list[str] = text
    if inner == "CommaDelimitedList" or _LIST.fullmatch(inner):
        value = [part.strip() for part in text.split(",")] if text else []
        if inner == "List<Number>":
            for part in value:
                _number(name, part)
    return Parameter(given, value, resolved, no_echo)


def _check(name: str, declaration: Mapping[str, Any], value: str, kind: str) -> None:
    """Hold `value` against the limits that the template declares."""
    described = declaration.get("ConstraintDescription")

    def refuse(rule: str) -> TemplateError:
        if described:
            return TemplateError(f"Parameter '{name}' failed to satisfy constraint: {described}")
        return TemplateError(f"Parameter '{name}' must {rule}")

    allowed = declaration.get("AllowedValues")
    if allowed is not None and value not in [_text(item) for item in allowed]:
        raise refuse("be one of AllowedValues")
    pattern = declaration.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(str(pattern), value):
        raise refuse(f"match pattern {pattern}")
    if kind == "Number":
        number = _number(name, value)
        if "MinValue" in declaration and number < float(declaration["MinValue"]):
            raise refuse(f"be a number not less than {declaration['MinValue']}")
        if "MaxValue" in declaration and number > float(declaration["MaxValue"]):
            raise refuse(f"be a number not greater than {declaration['MaxValue']}")
    else:
        if "MinLength" in declaration and len(value) < int(declaration["MinLength"]):
            raise refuse(f"contain at least {declaration['MinLength']} characters")
        if "MaxLength" in declaration and len(value) > int(declaration["MaxLength"]):
            raise refuse(f"contain at most {declaration['MaxLength']} characters")


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise TemplateError(f"Parameter '{name}' must be a number.") from None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
