"""Starts the deployments of a model package that has been approved; each exactly once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lambdas.shared.logs import Log
from lambdas.start_deployment.adapters import AwsWorkplace, Workplace
from lambdas.start_deployment.logic import deployment, parse
from lambdas.start_deployment.settings import StartDeploymentSettings

log = Log("start_deployment")


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point. Errors are raised: Lambda retries, then the event becomes a dead letter."""
    settings = StartDeploymentSettings.from_environment(os.environ)
    return respond(event, settings, AwsWorkplace(settings.machines))


def respond(
    event: Mapping[str, Any], settings: StartDeploymentSettings, workplace: Workplace
) -> dict[str, Any]:
    """Start a deployment to every endpoint that serves the approved package's group.

    Returns:
        `{"deployments": [{"endpoint", "deployment", "status"}]}`; empty when the event is no approval, or
        the package has been rejected since.
    """
    approval = parse(event)
    if approval is None:
        log.info("ignored: not an approval", event_id=event.get("id"))
        return {"deployments": []}
    package = workplace.package(approval.package)
    if package.approval != "Approved":
        log.info("ignored: no longer approved", package=package.arn, approval=package.approval)
        return {"deployments": []}

    deployments = []
    for endpoint in settings.endpoints.get(approval.group, ()):
        wanted = deployment(endpoint, approval.group, package)
        status = "started" if workplace.start(wanted) else "already started"
        log.info(status, deployment=wanted.name, endpoint=endpoint, package=package.arn)
        deployments.append({"endpoint": endpoint, "deployment": wanted.name, "status": status})
    return {"deployments": deployments}
