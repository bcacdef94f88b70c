"""Checks of the guardrails: what they name exists, and the team's own file asks for nothing they refuse."""

from __future__ import annotations

from collections.abc import Iterator

from atelier.spec import instances
from atelier.spec.checks.finding import Context, Finding, Findings, twice
from atelier.spec.checks.types import check_pattern
from atelier.spec.document import Steps

USES: dict[str, instances.Use] = {
    "training_instances": "training",
    "endpoint_instances": "hosting",
    "studio_instances": "studio",
    "notebook_instances": "notebook",
}


def check(context: Context) -> Findings:
    """What is wrong with the guardrails, or with what they lock out."""
    for key, use in USES.items():
        allowed: list[str] | None = getattr(context.file.guardrails, key)
        if allowed is None:
            continue
        at: Steps = ("guardrails", key)
        yield from twice(at, allowed, "instance type")
        for index, pattern in enumerate(allowed):
            yield from check_pattern((*at, index), pattern, use)
        for asked, instance_type in _asked(context, key):
            if not any(instances.allows(pattern, instance_type) for pattern in allowed):
                reason = f"{instance_type} is not allowed by {context.place(at)}"
                yield Finding(asked, reason, f"take one of {', '.join(allowed)}, or allow it there")
    yield from _check_runtime(context)
    yield from _check_isolation(context)
    if context.file.guardrails.require_vpc and context.declared.network.mode == "none":
        reason = f"the environment {context.environment} has no network to require"
        yield Finding(
            ("guardrails", "require_vpc"),
            reason,
            f"add  network: {{mode: created}}  to environments.{context.environment}, or remove this",
        )


def _asked(context: Context, key: str) -> Iterator[tuple[Steps, str]]:
    """What the file asks for that the guardrail `key` is about, and where."""
    file = context.file
    if key == "training_instances":
        for name, job in file.jobs.items():
            for index, one in enumerate(job.instances):
                yield ("jobs", name, "instances", index), one
            if job.prepare is not None:
                yield ("jobs", name, "prepare", "instance"), job.prepare.instance
            if job.transform is not None:
                yield ("jobs", name, "transform", "instance"), job.transform.instance
    elif key == "endpoint_instances":
        for name, endpoint in file.endpoints.items():
            yield ("endpoints", name, "instance"), endpoint.instance
            for label, variant in endpoint.variants.items():
                if variant.instance is not None:
                    yield ("endpoints", name, "variants", label, "instance"), variant.instance
    elif key == "notebook_instances":
        for name, notebook in file.notebooks.items():
            yield ("notebooks", name, "instance"), notebook.instance
    elif file.studio is not None:
        # Users and spaces are held to these by the checks of Studio.
        for index, one in enumerate(file.studio.instances):
            yield ("studio", "instances", index), one


def _check_runtime(context: Context) -> Findings:
    most = context.file.guardrails.max_runtime_minutes
    for name, job in context.file.jobs.items():
        for at, one in ((("jobs", name), job), (("jobs", name, "prepare"), job.prepare)):
            is_written = one is not None and "max_runtime_minutes" in one.model_fields_set
            if most is not None and one is not None and is_written and one.max_runtime_minutes > most:
                place = context.place(("guardrails", "max_runtime_minutes"))
                reason = f"is more than the {most} minutes of {place}"
                yield Finding((*at, "max_runtime_minutes"), reason, "lower it, or raise the guardrail")


def _check_isolation(context: Context) -> Findings:
    if not context.file.guardrails.network_isolation:
        return
    for name, job in context.file.jobs.items():
        if job.folder is not None:
            place = context.place(("guardrails", "network_isolation"))
            reason = f"fetches its code and packages over the network, which {place} takes away"
            key = "script" if job.script is not None else "prepare_script"
            yield Finding(
                ("jobs", name, key), reason, "remove that guardrail; require_vpc keeps jobs private"
            )
