"""Requests and responses of AWS operations as a state machine writes them: PascalCase JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from localaws.stepfunctions.jsontext import dumps

# botocore's shapes carry no types; used are type_name, members, member, value, required_members.
Shape = Any


def pascal(name: str) -> str:
    """A member's name as the state machine writes it."""
    return name[:1].upper() + name[1:]


def problems_in(shape: Shape, template: Any, place: str) -> Iterator[tuple[str, str]]:
    """The fields of a template that the operation does not know, and those required that it lacks."""
    if shape is None or not isinstance(template, dict | list):
        return
    if shape.type_name == "structure" and isinstance(template, dict):
        members = {pascal(name): (name, member) for name, member in shape.members.items()}
        given = {key.removesuffix(".$"): inner for key, inner in template.items()}
        for key, inner in given.items():
            if key not in members:
                yield (
                    f"{place}/{key}",
                    f"the field is not supported by Step Functions; there are {', '.join(members)}",
                )
            else:
                yield from problems_in(members[key][1], inner, f"{place}/{key}")
        for name in shape.required_members:
            if pascal(name) not in given:
                yield place, f"the field {pascal(name)} is required but missing"
    elif shape.type_name == "list" and isinstance(template, list):
        for index, inner in enumerate(template):
            yield from problems_in(shape.member, inner, f"{place}[{index}]")
    elif shape.type_name == "map" and isinstance(template, dict):
        for key, inner in template.items():
            yield from problems_in(shape.value, inner, f"{place}/{key}")


def to_request(shape: Shape, value: Any, json_fields: Collection[str] = ()) -> Any:
    """The parameters for boto3; a JSON value in one of `json_fields` becomes its text."""
    if shape is None:
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {pascal(name): name for name in shape.members}
        return {
            names.get(key, key): dumps(inner)
            if key in json_fields and not isinstance(inner, str)
            else to_request(shape.members.get(names.get(key, key)), inner, json_fields)
            for key, inner in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [to_request(shape.member, inner, json_fields) for inner in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: to_request(shape.value, inner, json_fields) for key, inner in value.items()}
    if shape.type_name == "blob":
        return value.encode() if isinstance(value, str) else dumps(value).encode()
    return value


def iso(moment: datetime) -> str:
    """A time as results of the AWS SDK integrations carry it: 2026-01-31T12:00:00.123Z."""
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def epoch_milliseconds(moment: datetime) -> int:
    """A time as results of the optimised integrations carry it."""
    return round(moment.timestamp() * 1000)


def to_result(shape: Shape, value: Any, time_as: Callable[[datetime], Any]) -> Any:
    """The JSON of a boto3 response."""
    if shape is None:
        return {}
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return {
            pascal(name): to_result(shape.members[name], inner, time_as)
            for name, inner in value.items()
            if name in shape.members
        }
    if shape.type_name == "list":
        return [to_result(shape.member, inner, time_as) for inner in value]
    if shape.type_name == "map":
        return {key: to_result(shape.value, inner, time_as) for key, inner in value.items()}
    if isinstance(value, datetime):
        return time_as(value)
    if shape.type_name == "blob":
        return _text(value.read() if hasattr(value, "read") else value)
    return value


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


def json_or_text(text: str) -> Any:
    """The JSON value in `text`, or the text where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text
