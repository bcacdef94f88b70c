"""The CDK app and what its context selects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from atelier.spec import Problem, SpecError
from atelier.spec.problems import nearest
from stacks import limits

PROJECT = Path(__file__).parents[1]


def new_app(**options: Any) -> cdk.App:
    """An app with the flags of cdk.json, so that it builds the same without the CDK command as with it.

    What the command is told by `-c` comes before the flags. `options` are those of `cdk.App`.
    """
    flags = json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))["context"]
    defaults: dict[str, Any] = {
        # These take time in every synthesis and change no template.
        "analytics_reporting": False,
        "stack_traces": False,
        "tree_metadata": False,
        # CDK's own check of templates takes three times as long as all the rest; tests/infra runs it.
        "builtin_cloud_formation_validation": False,
    }
    return cdk.App(context=flags, **(defaults | options))


def synthesize(app: cdk.App) -> None:
    """Write the templates, and look whether AWS takes them.

    Raises:
        TooLarge: one is too large.
    """
    limits.check(Path(app.synth().directory))


KEYS = ("teams", "team", "env")


def selection(app: cdk.App) -> dict[str, Any]:
    """The arguments of `load_to_deploy` that the context selects: `-c teams=<folder> -c team=… -c env=…`.

    Raises:
        SpecError: a key is near to one of these and is none: what it was to leave out would be built.
    """
    context: dict[str, Any] = app.node.get_all_context()
    misspelt = {key: near for key in context if key not in KEYS and (near := nearest(key, KEYS))}
    if misspelt:
        raise SpecError(
            Problem(
                Path(f"-c {key}"), 0, 0, "", str(context[key]), "no key of that name", f"did you mean {near}?"
            )
            for key, near in misspelt.items()
        )
    folder = app.node.try_get_context("teams")
    return {
        "folder": Path(folder) if folder else PROJECT / "teams",
        "team": app.node.try_get_context("team"),
        "env": app.node.try_get_context("env"),
        "root": PROJECT,
    }
