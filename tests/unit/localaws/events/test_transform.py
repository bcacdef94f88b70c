"""What a target is sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.events.transform import fill, find, target_input, valid_path

EVENT = {
    "version": "0",
    "id": "e",
    "detail-type": "Object Created",
    "resources": ["r0", "r1"],
    "detail": {
        "name": 'a "quoted" name',
        "size": 5,
        "ok": True,
        "tags": {"k": "v"},
        "list": [{"n": 1}, {"n": 2}],
    },
}


def sent(target):
    """What a target with these settings is sent."""
    return target_input(target, EVENT, "rule", "arn:rule", "2026-11-05T10:00:00Z")


def transformed(template, **paths):
    """What comes of a template and its paths."""
    return sent({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", EVENT),
        ("$.detail-type", "Object Created"),
        ("$.detail.tags.k", "v"),
        ("$.resources[1]", "r1"),
        ("$.resources[7]", None),
        ("$.detail['name']", 'a "quoted" name'),
        ("$.detail.list[*].n", [1, 2]),
        ("$.detail.list[1].n", 2),
        ("$.nowhere.deep", None),
        ("$.id.deep", None),
    ],
)
def test_a_path_finds_its_value(path, value):
    """Names, indices, stars; nothing where it leads nowhere."""
    assert valid_path(path)
    assert find(EVENT, path) == value


@pytest.mark.parametrize("path", ["", "detail", "$detail", "$.", "$..x", "$.a[", "$.a[x]", "$.a b"])
def test_what_is_no_path_is_known(path):
    """PutTargets refuses these."""
    assert not valid_path(path)


def test_the_event_goes_as_it_is_unless_the_target_says_otherwise():
    """Whole event, constant input, or one part."""
    assert json.loads(sent({})) == EVENT
    assert sent({"Input": '{"a": 1}'}) == '{"a": 1}'
    assert json.loads(sent({"InputPath": "$.detail.tags"})) == {"k": "v"}


def test_a_template_of_json_takes_values_as_json():
    """Outside quotes a value brings its own; inside them it is bare, escaped text."""
    template = (
        '{"a": <name>, "b": "<name>", "c": <size>, "d": "n=<size>", "e": <tags>, "f": <ok>, "g": "<tags>"}'
    )
    paths = {"name": "$.detail.name", "size": "$.detail.size", "tags": "$.detail.tags", "ok": "$.detail.ok"}
    assert json.loads(transformed(template, **paths)) == {
        "a": 'a "quoted" name',
        "b": 'a "quoted" name',
        "c": 5,
        "d": "n=5",
        "e": {"k": "v"},
        "f": True,
        "g": '{"k": "v"}',
    }


def test_a_template_of_text_stays_a_json_string():
    """The form that topics are sent; escaped quotes in it do not end it."""
    text = transformed('"<id> says \\"<id>\\": <size>"', id="$.id", size="$.detail.size")
    assert json.loads(text) == 'e says "e": 5'


def test_a_value_that_the_event_lacks_is_empty():
    """Within quotes and without; a name that is no variable stays."""
    assert transformed('{"a": <x>, "b": "[<x>]", "c": "<other>"}', x="$.no") == (
        '{"a": "", "b": "[]", "c": "<other>"}'
    )


def test_the_reserved_variables():
    """Rule, time of arrival, and the event with and without its detail."""
    template = """{"arn": "<aws.events.rule-arn>", "name": <aws.events.rule-name>,
      "at": <aws.events.event.ingestion-time>, "event": <aws.events.event>, "all": <aws.events.event.json>}"""
    found = json.loads(transformed(template))
    assert (found["arn"], found["name"], found["at"]) == ("arn:rule", "rule", "2026-11-05T10:00:00Z")
    assert found["all"] == EVENT
    assert found["event"] == {name: value for name, value in EVENT.items() if name != "detail"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, st.text())
def test_a_filled_template_is_json_whatever_the_values(value, text):
    """No value can break out of its place."""
    filled = json.loads(
        fill('{"plain": <v>, "quoted": "\\"<t>\\" <t>", "last": <t>}', {"v": value, "t": text})
    )
    assert filled == {"plain": value, "quoted": f'"{text}" {text}', "last": text}
