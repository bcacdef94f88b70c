"""Checks of the file as a whole, of an environment, and of the team's images."""

from __future__ import annotations

from atelier.spec import instances, names
from atelier.spec.checks.finding import Context, Finding, Findings, twice
from atelier.spec.document import Steps
from atelier.spec.guardrails import Budget
from atelier.spec.problems import choose

MAX_BUCKET = 63

FIXED_BY_FILE = ("team", "environments")
"""What an override cannot change."""


def check(context: Context) -> Findings:
    """What is wrong with names, place, people to tell, budget and images."""
    yield from twice(("owners",), context.file.owners, "address")
    yield from _check_names(context)
    yield from _check_environment(context)
    for name, image in context.file.images.items():
        yield from twice(("images", name, "pull_from_accounts"), image.pull_from_accounts, "account")


def _check_names(context: Context) -> Findings:
    file = context.file
    if context.path.stem != file.team:
        yield Finding(
            ("team",),
            f"the file is named {context.path.stem}.yaml, the team {file.team}",
            f"rename one: the team {file.team} belongs in {file.team}.yaml",
        )
    declared = context.declared
    bucket = names.bucket(file.team, context.environment, "artifacts", declared.account, declared.region)
    excess = len(bucket) - MAX_BUCKET
    if excess > 0:
        yield Finding(
            ("environments", context.environment),
            f"the bucket {bucket} would have {len(bucket)} characters; S3 allows {MAX_BUCKET}",
            f"shorten the names of team and environment by {excess} characters together",
            in_key=True,
        )


def _check_environment(context: Context) -> Findings:
    at: Steps = ("environments", context.environment)
    declared = context.declared
    known = instances.regions()
    if declared.region not in known:
        remedy = choose(declared.region, known, nothing="")
        yield Finding((*at, "region"), "SageMaker has no such region", remedy)
    for key in FIXED_BY_FILE:
        if key in declared.override:
            yield Finding((*at, "override", key), "an override cannot change this", "remove it", in_key=True)
    yield from twice((*at, "notify"), declared.notify or [], "address")
    if declared.budget is not None:
        yield from _check_budget((*at, "budget", "alerts"), declared.budget)


def _check_budget(at: Steps, budget: Budget) -> Findings:
    for index, (lower, higher) in enumerate(zip(budget.alerts, budget.alerts[1:], strict=False)):
        if higher <= lower:
            ascending = ", ".join(map(str, sorted(set(budget.alerts))))
            reason = f"{higher} comes after {lower}; alerts ascend"
            yield Finding((*at, index + 1), reason, f"write  alerts: [{ascending}]")
