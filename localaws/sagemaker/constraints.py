"""Check a request against the patterns, lengths, ranges and values of botocore's model, as AWS does.

botocore's own check, which every request has passed by then, knows types, required keys and minima only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from localaws.sagemaker.records import invalid

# The model's patterns are Java's: classes of characters by Unicode category are unknown to `re`.
_JAVA = (
    (r"\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}", r"^\x00-\x1f"),
    (r"\p{L}\p{M}\p{Z}\p{N}\p{P}", r"^\x00-\x1f"),
    (r"\p{L}\p{Z}\p{N}", r"\w\s"),
    ("${1,128}", ""),
    ("${1,256}", ""),
)


def check(params: dict[str, Any], shape: Any) -> None:
    """Raise AwsError, worded as AWS words it, naming every value of `params` that `shape` does not allow."""
    errors = list(_errors(params, shape, ""))
    if errors:
        plural = "s" if len(errors) > 1 else ""
        raise invalid(f"{len(errors)} validation error{plural} detected: {'; '.join(errors)}")


def _errors(value: Any, shape: Any, place: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, item in value.items():
            if name in shape.members and item is not None:
                yield from _errors(
                    item, shape.members[name], f"{place}.{name[0].lower()}{name[1:]}".lstrip(".")
                )
        return
    for constraint in _broken(value, shape):
        shown = "" if isinstance(value, list | dict) else f" '{value}'"
        yield f"Value{shown} at '{place}' failed to satisfy constraint: {constraint}"
    if shape.type_name == "list":
        for index, item in enumerate(value, 1):
            yield from _errors(item, shape.member, f"{place}.{index}.member")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _errors(key, shape.key, f"{place}.key")
            yield from _errors(item, shape.value, f"{place}.{key}.member")


def _broken(value: Any, shape: Any) -> Iterator[str]:
    rules = shape.metadata
    if shape.type_name in ("integer", "long", "float", "double"):
        if "max" in rules and value > rules["max"]:
            yield f"Member must have value less than or equal to {rules['max']}"
        if "min" in rules and value < rules["min"]:
            yield f"Member must have value greater than or equal to {rules['min']}"
        return
    if shape.type_name not in ("string", "list", "map"):
        return
    if "max" in rules and len(value) > rules["max"]:
        yield f"Member must have length less than or equal to {rules['max']}"
    elif "min" in rules and len(value) < rules["min"]:
        yield f"Member must have length greater than or equal to {rules['min']}"
    elif "pattern" in rules and not _pattern(rules["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {rules['pattern']}"
    elif rules.get("enum") and value not in rules["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]"


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    for java, python in _JAVA:
        text = text.replace(java, python)
    # AWS's values may hold line breaks where the pattern says "anything".
    return re.compile(text, re.DOTALL)
