"""The CDK app and what its context selects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk

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


def selection(app: cdk.App) -> dict[str, Any]:
    """The arguments of `load_to_deploy` that the context selects: `-c teams=<folder> -c team=… -c env=…`."""
    folder = app.node.try_get_context("teams")
    return {
        "folder": Path(folder) if folder else PROJECT / "teams",
        "team": app.node.try_get_context("team"),
        "env": app.node.try_get_context("env"),
        "root": PROJECT,
    }
