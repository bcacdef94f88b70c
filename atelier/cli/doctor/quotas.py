"""Whether SageMaker's quotas hold what the team file names: instance types, and the Studio domain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.doctor.finding import Finding, missing, ok, unknown
from atelier.cli.target import Target
from atelier.spec import TeamEnvironment, names

SERVICE = "sagemaker"
TRAINING = "{} for training job usage"
SPOT = "{} for spot training job usage"
PROCESSING = "{} for processing job usage"
TRANSFORM = "{} for transform job usage"
ENDPOINT = "{} for endpoint usage"
NOTEBOOK = "{} for notebook instance usage"
STUDIO = {
    "jupyterlab": "Studio JupyterLab Apps running on {} instances",
    "code_editor": "Studio CodeEditor Apps running on {} instances",
}
DOMAINS = "Total domains"
OPEN = ("PENDING", "CASE_OPENED")


@dataclass(frozen=True)
class Need:
    """How many instances the team file asks of one quota, and what for."""

    quota: str
    count: int
    why: str


def needs(spec: TeamEnvironment) -> list[Need]:
    """What an environment asks of each quota: of jobs the largest, of all else the sum."""
    found: dict[str, Need] = {}
    for need in _jobs(spec):
        if need.quota not in found or need.count > found[need.quota].count:
            found[need.quota] = need
    for need in [*_endpoints(spec), *_notebooks(spec), *_apps(spec)]:
        before = found.get(need.quota)
        both = Need(need.quota, before.count + need.count, f"{before.why}, {need.why}") if before else need
        found[need.quota] = both
    return list(found.values())


def _jobs(spec: TeamEnvironment) -> Iterator[Need]:
    """What a run of each job asks for, step by step; tuning trains several times at once."""
    for name, job in spec.jobs.items():
        if job.prepare is not None:
            yield Need(PROCESSING.format(job.prepare.instance), 1, f"the preparation of job {name}")
        if job.trains:
            quota, why = (SPOT, f"spot job {name}") if job.spot else (TRAINING, f"job {name}")
            at_once = job.tuning.parallel if job.tuning else 1
            many = f", {at_once} trainings at once" if at_once > 1 else ""
            for instance_type in job.instances:
                yield Need(quota.format(instance_type), at_once * job.instance_count, f"{why}{many}")
        if job.transform is not None:
            count = job.transform.instance_count
            yield Need(TRANSFORM.format(job.transform.instance), count, f"the transform of job {name}")


def _endpoints(spec: TeamEnvironment) -> Iterator[Need]:
    for name, endpoint in spec.endpoints.items():
        most = max(endpoint.instance_count, endpoint.scaling.max_instances if endpoint.scaling else 0)
        # A new model is started beside the old one.
        yield Need(ENDPOINT.format(endpoint.instance), 2 * most, f"endpoint {name}, twice while it changes")
        for label, variant in endpoint.variants.items():
            quota = ENDPOINT.format(variant.instance or endpoint.instance)
            yield Need(quota, 2, f"variant {label} of endpoint {name}, twice while it changes")


def _notebooks(spec: TeamEnvironment) -> Iterator[Need]:
    for name, notebook in spec.notebooks.items():
        yield Need(NOTEBOOK.format(notebook.instance), 1, f"notebook {name}")


def _apps(spec: TeamEnvironment) -> Iterator[Need]:
    """One for each space, and one at least of each type that people may choose."""
    if spec.studio is None:
        return
    asked = set()
    for name, space in spec.studio.spaces.items():
        if space.instance:
            asked.add((space.app, space.instance))
            yield Need(STUDIO[space.app].format(space.instance), 1, f"space {name}")
    types = {
        *spec.studio.instances,
        *(one for user in spec.studio.users.values() for one in user.instances or ()),
    }
    for instance_type in sorted(types):
        for app, quota in STUDIO.items():
            if (app, instance_type) not in asked:
                yield Need(quota.format(instance_type), 1, "people in Studio")


def quotas(target: Target) -> Iterator[Finding]:
    """Every quota holds what the team file asks of it, and one more domain where it asks for one."""
    known = _known(target)
    requested = _requested(target)
    for need in needs(target.spec):
        yield _judged(target, need, known.get(_normal(need.quota)), requested)
    if target.spec.studio:
        yield from _domain(target, known.get(_normal(DOMAINS)), requested)


def _judged(target: Target, need: Need, quota: dict[str, Any] | None, requested: dict[str, float]) -> Finding:
    if quota is None:
        says = f"{target.spec.region} has no quota of this name, so probably no such instances"
        return unknown(need.quota, says, "choose another instance type or region")
    has = int(quota["Value"])
    if has >= need.count:
        return ok(need.quota, f"{has}, {need.count} needed: {need.why}")
    asked = requested.get(quota["QuotaCode"])
    if asked is not None and asked >= need.count:
        says, ask = f"{has}, {need.count} needed: {need.why}; {asked:.0f} asked for", "wait for AWS's answer"
        return missing(need.quota, says, ask)
    return missing(need.quota, f"{has}, {need.count} needed: {need.why}", _request(target, quota, need.count))


def _request(target: Target, quota: dict[str, Any], value: int) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --service-code {SERVICE}"
        f" --quota-code {quota['QuotaCode']} --desired-value {value} --region {target.spec.region}"
    )


def _domain(target: Target, quota: dict[str, Any] | None, requested: dict[str, float]) -> Iterator[Finding]:
    """A failed domain takes up the quota, and the console does not show it."""
    pages = target.client(SERVICE).get_paginator("list_domains").paginate()
    domains = [one for page in pages for one in page["Domains"]]
    for one in domains:
        if one["Status"] == "Failed":
            yield missing(
                "failed domain",
                f"{one['DomainName']} ({one['DomainId']}) takes up the quota; the console does not show it",
                f"aws sagemaker delete-domain --domain-id {one['DomainId']}"
                f" --retention-policy HomeEfsFileSystem=Delete --region {target.spec.region}",
            )
    own = names.domain(target.spec.team, target.spec.name)
    if any(one["DomainName"] == own and one["Status"] != "Failed" for one in domains):
        yield ok(DOMAINS, f"the domain {own} is there")
    else:
        why = f"{len(domains)} there, and {own}"
        yield _judged(target, Need(DOMAINS, len(domains) + 1, why), quota, requested)


def _known(target: Target) -> dict[str, dict[str, Any]]:
    pages = target.client("service-quotas").get_paginator("list_service_quotas")
    return {
        _normal(quota["QuotaName"]): quota
        for page in pages.paginate(ServiceCode=SERVICE)
        for quota in page["Quotas"]
    }


def _requested(target: Target) -> dict[str, float]:
    """What has been asked for and not answered, by the quota's code; nothing when AWS does not tell."""
    client = target.client("service-quotas")
    try:
        return {
            request["QuotaCode"]: request["DesiredValue"]
            for status in OPEN
            for page in client.get_paginator("list_requested_service_quota_change_history").paginate(
                ServiceCode=SERVICE, Status=status
            )
            for request in page["RequestedQuotas"]
        }
    except ClientError as error:
        if errors.code(error) in errors.FORBIDDEN:
            return {}
        raise


def _normal(name: str) -> str:
    """AWS writes some quotas with "instance" and some with "instances"."""
    return name.removesuffix("s").lower()
