"""The resource types against the resource schemas that AWS publishes, as cfn-lint ships them."""

import json
from pathlib import Path

import cfnlint

SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
INDEX = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text())


def schema(name):
    """AWS's schema of a resource type."""
    return json.loads((SCHEMAS / "resources" / f"{INDEX[name]}.json").read_text())


def top(pointers):
    """The top-level properties that JSON pointers of a schema name."""
    return {pointer.split("/")[2] for pointer in pointers or () if pointer.count("/") == 2}


def test_properties_are_those_of_the_schema(types):
    """What a type honours or ignores exists on AWS, is writable, and is not in both lists."""
    for name, kind in types.items():
        described = schema(name)
        writable = set(described["properties"]) - top(described.get("readOnlyProperties"))
        assert kind.properties | set(kind.ignored) <= writable, name
        assert not kind.properties & set(kind.ignored), name
        assert set(described.get("required", ())) <= kind.properties, name


def test_replacement_follows_the_schema(types):
    """A changed property makes a new resource exactly where it does on AWS."""
    for name, kind in types.items():
        created_only = top(schema(name).get("createOnlyProperties"))
        assert kind.replaces == created_only & kind.properties, name


def test_every_reason_to_ignore_is_a_sentence(types):
    """COVERAGE.md shows the reasons to users."""
    for kind in types.values():
        assert all(len(reason.split()) > 3 for reason in kind.ignored.values()), kind.type_name
