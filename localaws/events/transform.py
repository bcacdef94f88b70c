"""What a target is sent: the event itself, a constant, a part of the event, or a filled-in template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from localaws.events.patterns import Event

_STEP = re.compile(r"\.([\w/-]+|\*)|\[(\d+|\*)\]|\['([^']+)'\]")
_PLACEHOLDER = re.compile(r"<([\w.-]+)>")


class _Missing:
    """What a path finds that leads nowhere."""


def valid_path(path: str) -> bool:
    """Whether `path` is JSONPath as far as EventBridge knows it: names, indices and `*`."""
    return re.fullmatch(rf"\$(?:{_STEP.pattern})*", path) is not None


def find(event: Any, path: str) -> Any:
    """The value at `path`; a list of values where it holds a `*`; None where it leads nowhere."""
    found = _walk(event, path)
    return None if found is _Missing else found


def _walk(event: Any, path: str) -> Any:
    found, many = [event], False
    for name, index, quoted in _STEP.findall(path):
        key = name or quoted
        if "*" in (name, index):
            many = True
            found = [
                child
                for value in found
                for child in (
                    value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
                )
            ]
        elif key:
            found = [value[key] for value in found if isinstance(value, dict) and key in value]
        else:
            found = [
                value[int(index)] for value in found if isinstance(value, list) and int(index) < len(value)
            ]
    if many:
        return found
    return found[0] if found else _Missing


def target_input(
    target: Mapping[str, Any], event: Event, rule_name: str, rule_arn: str, received: str
) -> str:
    """The text for a target (an entry of PutTargets); `received` is the time that the event came in."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(find(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if transformer is None:
        return json.dumps(event)
    values = {name: _walk(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    reserved = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": received,
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    return fill(transformer["InputTemplate"], {**values, **reserved})


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Put `values` in place of <name>: as JSON where a value stands, as bare text between quotes.

    A name without a value is left as it is; a value that the event lacked becomes empty text.
    """
    parts: list[str] = []
    position, quoted = 0, False
    for match in _PLACEHOLDER.finditer(template):
        if match[1] not in values:
            continue
        before = template[position : match.start()]
        quoted ^= len(re.findall(r'(?<!\\)(?:\\\\)*"', before)) % 2 == 1
        value = values[match[1]]
        parts += [before, _quoted(value) if quoted else _plain(value)]
        position = match.end()
    return "".join([*parts, template[position:]])


def _plain(value: Any) -> str:
    return '""' if value is _Missing else json.dumps(value)


def _quoted(value: Any) -> str:
    """The text of a value inside a JSON string; what is no text itself is written as JSON."""
    if value is _Missing:
        return ""
    return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]
