from __future__ import annotations

import json
import re

import pytest

from atelier.spec.base import FORMS
from atelier.spec.schema import schema_text

ALL = "owners: [you@example.com]\nenvironments:\n  dev: {account: '111122223333', region: eu-west-1}\n"


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "reason", "remedy"),
    [
        ("team:", "taem:", 1, "taem", "no key", "did you mean team?"),
        ("script:", "scrip:", 7, "jobs.curve.scrip", "no key", "did you mean script?"),
        ("{job: curve}", "{jbo: curve}", 10, "endpoints.curve.jbo", "no key", "did you mean job?"),
        ("{job: curve}", "{}", 10, "endpoints.curve.job", "the key job is required", "add  job: curve"),
        ("curve: {job: curve}", "other: {}", 10, "endpoints.other.job", "is required", "add  job: curve"),
        ("curve: {job: curve}", "curve: curve", 10, "endpoints.curve", "not text", "curve: {job: curve}"),
        ("jobs:\n  curve:\n    script: curve\n    framework: sklearn\nendpoints:\n  curve: {job: curve}",
         "jobs: [curve]\nendpoints: {curve: {}}", 6, "endpoints.curve.job", "is required", "add  job: …"),
        ("script: curve", "script: curve\n    spot: true", 8,
         "jobs.curve.spot", "must be a mapping, not true or false", "such as  spot: {}"),
        ("script: curve", "script: curve\n    gate: 3", 8,
         "jobs.curve.gate", "must be a mapping", 'gate: {metric: "validation:rmse"}'),
        ("script: curve", "jumpstart: {model: a, version: '*', artifact: s3://b/c}", 7,
         "jobs.curve.jumpstart.version", "one version of the hub's entry", "such as  2.2.4"),
        ("script: curve", "jumpstart: {model: A, version: 1.0.0, artifact: s3://b/c}", 7,
         "jobs.curve.jumpstart.model", "a model's id", "such as  huggingface"),
        ("script: curve", "jumpstart: {model: a, hub: a_, version: 1.0.0, artifact: s3://b/c}", 7,
         "jobs.curve.jumpstart.hub", "letters, digits and", "such as  jane-doe"),
        ("team: tiny\n", "", 1, "team", "the key team is required", 'add  team: "vision"'),
        ('"111122223333"', "111122223333", 4, "environments.dev.account", "must be text", '"111122223333"'),
        ('"111122223333"', '"1111"', 4, "environments.dev.account", "12 digits", "111122223333"),
        ('"111122223333"', '"000000000000"', 4, "environments.dev.account", "no AWS account", "111122223333"),
        ("eu-west-1", "Ireland", 4, "environments.dev.region", "AWS region", "eu-west-1"),
        ("[you@example.com]", "you@example.com", 2, "owners", "must be a list, not text", "owners: ["),
        ("[you@example.com]", "[you]", 2, "owners[0]", "e-mail", "you@example.com"),
        ("[you@example.com]", "[]", 2, "owners", "must hold at least 1", "1"),
        ("framework: sklearn", "framework: sklaern", 8, "jobs.curve.framework", "must be", "mean sklearn?"),
        ("framework: sklearn", "framework: {nam: sklearn}", 8, "jobs.curve.framework.nam", "no key", "name"),
        ("framework: sklearn", "framework: [sklearn]", 8, "jobs.curve.framework", "not a list", ""),
        ("framework: sklearn", "framework: {name: sklearn, version: 1.9}", 8,
         "jobs.curve.framework.version", "must be text", '"1.9"'),
        ("  curve:\n    script", "  Curve_1:\n    script", 6, "jobs.Curve_1", "lower-case", "curve-2"),
        ("script: curve", "script: curve\n    instances: [m5.large]", 8,
         "jobs.curve.instances[0]", "ml.<family>.<size>", "ml.m5.large"),
        ("script: curve", "script: curve\n    instance_count: many", 8,
         "jobs.curve.instance_count", "a whole number, not text", "instance_count: 10"),
        ("script: curve", "script: curve\n    instance_count: 1.5", 8,
         "jobs.curve.instance_count", "a whole number", "instance_count: 10"),
        ("script: curve", "script: curve\n    instance_count: 0", 8,
         "jobs.curve.instance_count", "at least 1", "write 1 or more"),
        ("script: curve", "script: curve\n    volume_gb: 99999", 8,
         "jobs.curve.volume_gb", "at most 16384", "write 16384 or less"),
        ("script: curve", "script: curve\n    hyperparameters: {a: [1]}", 8,
         "jobs.curve.hyperparameters.a", "text, a finite number, true or false", "a: 0.5"),
        ("script: curve", "script: curve\n    hyperparameters: {a: .nan}", 8,
         "jobs.curve.hyperparameters.a", "finite", "0.5"),
        ("script: curve", "script: curve\n    hyperparameters: {a: }", 8,
         "jobs.curve.hyperparameters.a", "nothing is written here", "remove the key"),
        ("script: curve", "script: curve\n    channels: {tr ain: a/}", 8,
         "jobs.curve.channels.tr ain", "letters, digits", "train"),
        ("script: curve", "script: curve\n    channels: {train: /a}", 8,
         "jobs.curve.channels.train", "prefix", "curve/train/"),
        ("  curve:\n    script", f"  {'c' * 70}:\n    script", 6,
         f"jobs.{'c' * 70}", "has 70 characters; 20", "by 50 char"),
        ("script: curve", "script: curve\n    gate: {metric: a, at_most: .nan}", 8,
         "jobs.curve.gate.at_most", "a finite number", "such as  at_most: 0.5"),
        ("script: curve", "script: curve\n    channels: {}", 8, "jobs.curve.channels", "at least 1", "1"),
        ("script: curve", "script: curve\n    triggers: [train]", 8,
         "jobs.curve.triggers[0]", "one key, upload or schedule", ""),
        ("script: curve", "script: curve\n    triggers: [{upload: [train], schedule: rate(1 day)}]", 8,
         "jobs.curve.triggers[0]", "one key, upload or schedule", ""),
        ("script: curve", "script: curve\n    triggers: [{upload: [train], retries: 1}]", 8,
         "jobs.curve.triggers[0].retries", "no key", ""),
        ("region: eu-west-1}", "region: eu-west-1, retain: yes}", 4,
         "environments.dev.retain", "true or false", "retain: true"),
        ("region: eu-west-1}", "region: eu-west-1, approval: manuel}", 4,
         "environments.dev.approval", "must be", "did you mean manual?"),
        ("team: tiny", "team: tiny\ncost_centre: 'a|b'", 2, "cost_centre", "as in a tag", "4711"),
        ("team: tiny", "team: tiny-dev", 1, "team", "without hyphens", "vision"),
        ("team: tiny", "team: anamethatisreallyfartoolong", 1, "team", "27 characters; 20", "by 7 char"),
    ],
)  # fmt: skip
def test_each_mistake_names_place_reason_and_remedy(refused, smallest, old, new, line, path, reason, remedy):
    """One mistake gives exactly one problem, at its own line, that says why and what to write."""
    assert old in smallest
    problems = refused(smallest.replace(old, new, 1))
    at_line = [p for p in problems if p.line == line and p.path == path]
    assert len(at_line) == 1, "\n\n".join(map(str, problems))
    assert reason in at_line[0].reason
    assert remedy in at_line[0].remedy


def test_mistakes_come_once_however_many_environments_share_them(refused, rich):
    """What stands in the common part is reported once, at its place there."""
    problems = refused(rich.replace("instance_count: 1\n", "instance_count: x\n"), "vision")
    assert [p.path for p in problems] == ["jobs.curve.instance_count"]


def test_a_mistake_in_an_override_is_shown_there(refused, rich):
    """What an override brings is reported at the override's line and path."""
    text = rich.replace("ml.c5.xlarge", "c5").replace("units: 20", "units: []")
    problems = refused(text, "vision")
    assert [p.path for p in problems] == [
        "environments.prod.override.jobs.curve.instances[0]",
        "environments.prod.override.jobs.curve.hyperparameters.units",
    ]
    lines = text.splitlines()
    assert all(shown in lines[p.line - 1] for p, shown in zip(problems, ["[c5]", "units"], strict=True))


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("jobs: {curv: {instance_count: 2}}", "jobs.curv"),
        ("endpoints: {curv: {instance_count: 2}}", "endpoints.curv.job"),
    ],
)
def test_a_misspelt_name_in_an_override_is_told_which_one_is_near(refused, smallest, override, path):
    """An override adds what it names, so that a typo there is no unknown name: what is near is proposed."""
    [problem] = refused(smallest.replace("eu-west-1}", f"eu-west-1, override: {{{override}}}}}"))
    assert problem.path == f"environments.dev.override.{path}"
    assert problem.remedy == "did you mean curve?"


def test_every_form_is_told_in_words():
    """No regular expression of the schema is shown to people."""
    patterns = set(re.findall(r'"pattern": ("(?:[^"\\\\]|\\\\.)*")', schema_text()))
    assert {json.loads(one) for one in patterns} <= set(FORMS)


def test_a_problem_is_a_readable_block(refused, smallest):
    """The block begins with what a terminal can jump to, and shows value, reason and remedy in lines."""
    text = smallest.replace("framework: sklearn", "framework: sklaern")
    lines = str(refused(text)[0]).splitlines()
    assert lines[0].endswith("teams/tiny.yaml:8:16: jobs.curve.framework")
    assert [line.split()[0] for line in lines[1:]] == ["value", "reason", "remedy"]
    assert "sklaern" in lines[1]


def test_a_password_in_an_address_is_not_shown(refused, smallest):
    """Pipelines keep what is printed in their logs."""
    text = f"{smallest}studio:\n  repositories: [https://bob:s3cret@github.com/example/notebooks.git]\n"
    written = "\n".join(map(str, refused(text)))
    assert "s3cret" not in written
    assert "https://***@github.com/example/notebooks.git" in written


def test_a_long_value_is_shortened(refused, smallest):
    """A page of text in the wrong place does not fill the terminal."""
    problem = refused(smallest.replace("script: curve", f"script: [{'x' * 1000}]"))[0]
    assert max(map(len, str(problem).splitlines()[1:])) < 100
