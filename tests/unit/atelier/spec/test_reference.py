"""docs/team-file.md against the schema: every field, its default, and every example."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from atelier.spec import load_team

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/team-file.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "schema/team.schema.json").read_text(encoding="utf-8"))
ROW = re.compile(r"^\| `([^`|]+)` \| ([^|]+) \| `([^|]+)` \| ([^|]+) \|$", re.MULTILINE)
ROWS = {path: (default, example) for path, default, example, _ in ROW.findall(PAGE)}
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def parsed(text: str) -> Any:
    """A YAML text's value."""
    return YAML(typ="safe", pure=True).load(text)


def members(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema without references; of a union each member."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    below = schema.get("anyOf") or schema.get("oneOf")
    if below is None:
        yield schema
    for one in below or []:
        yield from members(one)


def below(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """The step to each part of a mapping or list of mappings, its schema, and whether it is required."""
    for one in members(schema):
        for key, value in one.get("properties", {}).items():
            yield f".{key}", value, key in one.get("required", [])
        others = [*one.get("patternProperties", {}).values(), one.get("additionalProperties")]
        for value in [*others, one.get("items")]:
            if isinstance(value, dict) and any("properties" in member for member in members(value)):
                yield "[]" if value is one.get("items") else ".<>", value, False


def fields(path: str, schema: dict[str, Any], *, required: bool) -> dict[str, tuple[dict[str, Any], bool]]:
    """Every field by its path, unless the page explains the mapping around it as one."""
    found = {"": (schema, required)} if path in SHAPES else {}
    for step, inner, is_required in below(schema) if path not in SHAPES else ():
        deeper = fields(f"{path}{step}".removeprefix("."), inner, required=is_required)
        found |= {f"{step}{rest}": field for rest, field in deeper.items()}
    return found or {"": (schema, required)}


SHAPES = {re.sub(r"<\w+>", "<>", path): path for path in ROWS}
FIELDS = {path.removeprefix("."): field for path, field in fields("", SCHEMA, required=False).items()}


def test_every_field_is_explained_and_no_other():
    """The page's tables hold exactly the fields that the schema has."""
    assert sorted(SHAPES) == sorted(FIELDS)


@pytest.mark.parametrize("path", sorted(FIELDS))
def test_a_field_is_explained_as_it_is(path):
    """Its example is valid; it is called required if it is, and its default is the schema's."""
    schema, required = FIELDS[path]
    default, example = ROWS[SHAPES[path]]
    Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]}).validate(parsed(example))
    if required:
        assert default.startswith("required")
    elif re.fullmatch(r"`[^`<]*`", default):
        assert parsed(default.strip("`")) == schema["default"]
    else:
        assert schema.get("default") in (None, {}, []), "a default that is a value stands in code quotes"


def patched(target: Any, patch: Any) -> Any:
    """A JSON Merge Patch."""
    if not isinstance(patch, dict):
        return patch
    target = target if isinstance(target, dict) else {}
    return target | {key: patched(target.get(key), value) for key, value in patch.items()}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[0] + str(len(text)))
def test_an_example_loads(project, smallest, example):
    """Every example, put over the smallest file, is a team."""
    text = example.replace("curve_sklearn", "curve")
    path = project / "teams" / "tiny.yaml"
    path.write_text(json.dumps(patched(parsed(smallest), parsed(text))))
    assert load_team(path).environments
