"""What became of a registered model: whether it is approved, and how its deployments ended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.target import Target
from atelier.spec import names

RECENT = 200
"""How many executions of an endpoint's state machine are looked at."""


@dataclass(frozen=True)
class Deployment:
    """The latest deployment of a version; `state` is deploying, served, replaced or deployment failed."""

    endpoint: str
    state: str
    execution: str
    error: str
    cause: str


class Deployments:
    """The deployments of one job's models to the endpoints that serve them, as of the first question."""

    def __init__(self, target: Target, job: str) -> None:
        self._target = target
        endpoints = target.spec.endpoints.items()
        self._job = job
        self._endpoints = [name for name, spec in endpoints if job in spec.served.values()]

    def of(self, version: str) -> list[Deployment]:
        """The latest deployment of a version to each endpoint; none where it was never deployed."""
        found = []
        for endpoint, executions in self._executions.items():
            # As `start_deployment` names them.
            begin = f"{endpoint}-{self._job}-v{version}-"
            latest = next((one for one in executions if one["name"].startswith(begin)), None)
            if latest:
                found.append(self._deployment(endpoint, latest, executions))
        return found

    @cached_property
    def _executions(self) -> dict[str, list[dict[str, Any]]]:
        """The executions of each endpoint's state machine, newest first."""
        return {endpoint: self._list(endpoint) for endpoint in self._endpoints}

    def _list(self, endpoint: str) -> list[dict[str, Any]]:
        spec = self._target.spec
        machine = names.deploy_machine(spec.team, spec.name, endpoint)
        try:
            executions: list[dict[str, Any]] = self._target.client("stepfunctions").list_executions(
                stateMachineArn=self._target.arn("states", f"stateMachine:{machine}"), maxResults=RECENT
            )["executions"]
        except ClientError as error:
            if errors.code(error) == "StateMachineDoesNotExist":
                return []
            raise
        # Of other variants' jobs there are executions too.
        begin = f"{endpoint}-{self._job}-v"
        return [one for one in executions if one["name"].startswith(begin)]

    def _deployment(
        self, endpoint: str, latest: dict[str, Any], executions: list[dict[str, Any]]
    ) -> Deployment:
        if latest["status"] in ("RUNNING", "PENDING_REDRIVE"):
            return Deployment(endpoint, "deploying", latest["name"], "", "")
        if latest["status"] == "SUCCEEDED":
            # A deployment that failed leaves what served before.
            served = next(one for one in executions if one["status"] == "SUCCEEDED")
            state = "served" if served is latest else "replaced"
            return Deployment(endpoint, state, latest["name"], "", "")
        described = self._target.client("stepfunctions").describe_execution(
            executionArn=latest["executionArn"]
        )
        error, cause = described.get("error", latest["status"]), described.get("cause", "")
        return Deployment(endpoint, "deployment failed", latest["name"], error, cause)


def approval(target: Target, package: str) -> str:
    """The approval status of a model package, by its ARN; empty when it has been deleted."""
    try:
        described = target.client("sagemaker").describe_model_package(ModelPackageName=package)
    except ClientError as error:
        if "does not exist" in errors.message(error):
            return ""
        raise
    return str(described["ModelApprovalStatus"])
