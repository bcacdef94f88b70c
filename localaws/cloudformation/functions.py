"""The intrinsic functions, each a function of the evaluator and its argument."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from localaws.cloudformation.template import TemplateError

if TYPE_CHECKING:
    from localaws.cloudformation.intrinsics import Evaluator

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""What CloudFormation shows in a change set for a value that only applying it will tell."""
NO_VALUE = object()
"""What `AWS::NoValue` stands for: the property or list item is left out."""
_PLACEHOLDER = re.compile(r"\$\{(!?)\s*([^}]*?)\s*\}")
_DEFAULT_CIDR_BITS = 8

Function: TypeAlias = "Callable[[Evaluator, Any], Any]"
Test: TypeAlias = "Callable[[Evaluator, Any], bool]"


def is_unknown(value: Any) -> bool:
    """Whether `value` is, or is made from, one that only applying a change set will tell."""
    if isinstance(value, Mapping):
        return any(map(is_unknown, value.values()))
    if isinstance(value, list):
        return any(map(is_unknown, value))
    return isinstance(value, str) and UNKNOWN in value


def split_attribute(argument: Any) -> tuple[str, Any]:
    """The logical ID and the attribute of an Fn::GetAtt: ["Id", "Name"], or "Id.Name"."""
    if isinstance(argument, str) and "." in argument:
        logical_id, _, name = argument.partition(".")
        return logical_id, name
    if isinstance(argument, list) and len(argument) > 1 and isinstance(argument[0], str):
        return argument[0], argument[1] if len(argument) == 2 else ".".join(map(str, argument[1:]))  # noqa: PLR2004 -- id and name
    raise TemplateError(f"Template error: Fn::GetAtt takes a logical ID and an attribute, not {argument!r}")


def sub_parts(argument: Any) -> tuple[str, Mapping[str, Any]]:
    """The text of an Fn::Sub and the values given with it."""
    text, local = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})  # noqa: PLR2004 -- text and values
    if isinstance(text, str) and isinstance(local, dict):
        return text, local
    raise TemplateError(f"Template error: Fn::Sub takes a string, or a string and a map, not {argument!r}")


def sub_names(text: str) -> list[str]:
    """The names in the `${...}` of an Fn::Sub."""
    return [name for literal, name in _PLACEHOLDER.findall(text) if not literal]


def _listed(function: str, argument: Any, *counts: int) -> list[Any]:
    if isinstance(argument, list) and len(argument) in counts:
        return argument
    wanted = " or ".join(map(str, counts))
    raise TemplateError(
        f"Template error: every {function} object requires a list of {wanted}, not {argument!r}"
    )


def _ref(at: Evaluator, argument: Any) -> Any:
    return NO_VALUE if argument == "AWS::NoValue" else at.scope.ref(argument)


def _get_att(at: Evaluator, argument: Any) -> Any:
    logical_id, name = split_attribute(argument)
    return at.scope.attribute(logical_id, at.text(name))


def _sub(at: Evaluator, argument: Any) -> str:
    text, local = sub_parts(argument)
    values = {name: at.text(node) for name, node in local.items()}

    def fill(found: re.Match[str]) -> str:
        literal, name = found.groups()
        if literal:
            return f"${{{name}}}"
        if name not in values:
            values[name] = at.text({"Fn::GetAtt": name} if "." in name else {"Ref": name})
        return values[name]

    return _PLACEHOLDER.sub(fill, text)


def _join(at: Evaluator, argument: Any) -> str:
    delimiter, parts = _listed("Fn::Join", argument, 2)
    items = at.value(parts)
    if is_unknown(items) and isinstance(items, str):
        return UNKNOWN
    if not isinstance(items, list):
        raise TemplateError(f"Template error: Fn::Join joins a list of strings, not {items!r}")
    return at.text(delimiter).join(at.text(item) for item in items)


def _split(at: Evaluator, argument: Any) -> Any:
    delimiter, source = _listed("Fn::Split", argument, 2)
    text = at.text(source)
    return UNKNOWN if is_unknown(text) else text.split(at.text(delimiter))


def _select(at: Evaluator, argument: Any) -> Any:
    position, source = _listed("Fn::Select", argument, 2)
    items = at.value(source)
    if is_unknown(items) and isinstance(items, str):
        return UNKNOWN
    index = at.text(position)
    if not isinstance(items, list) or not index.isdecimal() or int(index) >= len(items):
        raise TemplateError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[int(index)]


def _if(at: Evaluator, argument: Any) -> Any:
    name, yes, no = _listed("Fn::If", argument, 3)
    return at.value(yes if at.condition(name) else no)


def _find_in_map(at: Evaluator, argument: Any) -> Any:
    name, key, second = map(at.text, _listed("Fn::FindInMap", argument, 3))
    try:
        return at.mappings[name][key][second]
    except (KeyError, TypeError):
        raise TemplateError(f"Template error: Unable to get mapping for {name}::{key}::{second}") from None


def _import_value(at: Evaluator, argument: Any) -> Any:
    return at.scope.exported(at.text(argument))


def _get_stack_output(at: Evaluator, argument: Any) -> Any:
    wanted = {name: at.text(value) for name, value in argument.items()} if isinstance(argument, dict) else {}
    if not {"StackName", "OutputName"} <= wanted.keys() <= {"StackName", "OutputName", "Region"}:
        raise TemplateError(
            "Template error: Fn::GetStackOutput takes a StackName, an OutputName and a Region"
            f" (no RoleArn in the embedded AWS), not {argument!r}"
        )
    region = wanted.get("Region") or str(at.scope.ref("AWS::Region"))
    return at.scope.output(wanted["StackName"], wanted["OutputName"], region)


def _base64(at: Evaluator, argument: Any) -> str:
    text = at.text(argument)
    return UNKNOWN if is_unknown(text) else base64.b64encode(text.encode()).decode()


def _get_azs(at: Evaluator, argument: Any) -> list[str]:
    return at.scope.zones(at.text(argument) or str(at.scope.ref("AWS::Region")))


def _cidr(at: Evaluator, argument: Any) -> Any:
    block, count, *rest = map(at.text, _listed("Fn::Cidr", argument, 2, 3))
    if is_unknown(block):
        return UNKNOWN
    try:
        network = ipaddress.ip_network(block)
        bits = int(rest[0]) if rest else _DEFAULT_CIDR_BITS
        subnets = network.subnets(new_prefix=network.max_prefixlen - bits)
        return [str(next(subnets)) for _ in range(int(count))]
    except StopIteration:
        raise TemplateError(f"Template error: Fn::Cidr: {block} has no {count} subnets") from None
    except ValueError as error:
        raise TemplateError(f"Template error: Fn::Cidr of {block}: {error}") from error


def _and(at: Evaluator, argument: Any) -> bool:
    return all(map(at.holds, _listed("Fn::And", argument, *range(2, 11))))


def _or(at: Evaluator, argument: Any) -> bool:
    return any(map(at.holds, _listed("Fn::Or", argument, *range(2, 11))))


def _not(at: Evaluator, argument: Any) -> bool:
    return not at.holds(_listed("Fn::Not", argument, 1)[0])


def _equals(at: Evaluator, argument: Any) -> bool:
    left, right = map(at.value, _listed("Fn::Equals", argument, 2))
    return bool(_comparable(left) == _comparable(right))


def _contains(at: Evaluator, argument: Any) -> bool:
    items, wanted = map(at.value, _listed("Fn::Contains", argument, 2))
    return _comparable(wanted) in map(_comparable, items)


def _each_member_in(at: Evaluator, argument: Any) -> bool:
    checked, allowed = map(at.value, _listed("Fn::EachMemberIn", argument, 2))
    return all(_contains(at, [allowed, item]) for item in checked)


def _each_member_equals(at: Evaluator, argument: Any) -> bool:
    items, wanted = map(at.value, _listed("Fn::EachMemberEquals", argument, 2))
    return all(_comparable(item) == _comparable(wanted) for item in items)


def _comparable(value: Any) -> Any:
    """Scalars compare as text: a template may write 1 or "1", true or "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


VALUES: Mapping[Any, Function] = {
    "Ref": _ref,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::GetStackOutput": _get_stack_output,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
"""The functions that give a value."""
TESTS: Mapping[Any, Test] = {
    "Fn::And": _and,
    "Fn::Contains": _contains,
    "Fn::EachMemberEquals": _each_member_equals,
    "Fn::EachMemberIn": _each_member_in,
    "Fn::Equals": _equals,
    "Fn::Not": _not,
    "Fn::Or": _or,
}
"""The functions that say yes or no, in Conditions and Rules."""
