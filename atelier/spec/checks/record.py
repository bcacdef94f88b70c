"""Checks that nothing which is deployed and holds what people made would be replaced."""

from __future__ import annotations

import json

from atelier.spec import record
from atelier.spec.checks.finding import Context, Finding, Findings


def check(context: Context) -> Findings:
    """What differs from the environment as it is on record."""
    file, env = context.file, context.environment
    recorded = record.read(context.path).get(env, {})
    now = record.fixed(env, context.declared.network, file.studio, notebooks=bool(file.notebooks))
    for at, old, what in record.changed(recorded, now):
        yield Finding(
            at,
            f"{env} is deployed with {json.dumps(old)}; another value would replace {what}",
            f"write {json.dumps(old)}. To give up what is there: remove it from the file, deploy, run"
            f"  atelier record {file.team} {env}  and add it anew",
        )
