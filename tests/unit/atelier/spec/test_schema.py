from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from atelier.spec.schema import schema_text

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """A validator of the schema, as an editor has one."""
    schema = json.loads(schema_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def parsed(text: str) -> object:
    """What an editor sees of a YAML text."""
    return YAML(typ="safe", pure=True).load(text)


def test_the_committed_schema_is_current():
    """Run  atelier schema > schema/team.schema.json  when this fails."""
    assert (ROOT / "schema/team.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_takes_what_loads(validator, smallest, rich):
    """Files that load have no complaint in an editor, the shipped ones included."""
    shipped = [path.read_text(encoding="utf-8") for path in (ROOT / "teams").glob("*.yaml")]
    for text in [smallest, rich, *shipped]:
        assert not list(validator.iter_errors(parsed(text)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("framework: sklearn", "framework: sklaern"),
        ("script:", "scrip:"),
        ("  dev:", "  Dev:"),
        ('"111122223333"', "111122223333"),
        ("team: tiny", "owner: tiny"),
    ],
)
def test_the_schema_refuses_what_does_not(validator, smallest, old, new):
    """Wrong keys, names, types and values are marked in the editor already."""
    assert list(validator.iter_errors(parsed(smallest.replace(old, new))))


def test_every_key_is_described():
    """An editor explains each key: no field is without a docstring."""
    schema = json.loads(schema_text())
    for name, part in {"": schema, **schema["$defs"]}.items():
        for model in part.get("anyOf", [part]):
            for key, field in model.get("properties", {}).items():
                assert field.get("description"), f"{name}.{key}"


def test_the_shipped_teams_name_the_schema():
    """The first line of each shipped file tells editors where the schema is."""
    for path in (ROOT / "teams").glob("*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=../schema/team.schema.json"
