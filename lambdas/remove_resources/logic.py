"""What to remove before CloudFormation can remove the rest, in which order, and when to wait. No AWS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

SHORTEST_POLL, LONGEST_POLL = 0.5, 10.0  # seconds; each pause is half as long again as the one before
ANSWER_SECONDS = 5.0  # kept back for saying that the time is up
REVERSIBLE = frozenset({"EXECUTION_SUCCESS", "REVERSE_FAILURE"})
DENYING = REVERSIBLE | {"EXECUTION_IN_PROGRESS", "REVERSE_IN_PROGRESS"}
UNSETTLED = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


class OutOfTime(Exception):
    """The function's time is up before everything is gone; removing again goes on from here."""


class Account(Protocol):
    """What the removal needs of AWS. Whatever is gone already is no error."""

    def stop_executions(self, machine: str) -> None:
        """Stop every running execution of a state machine."""
        ...

    def endpoint_status(self, name: str) -> str | None:
        """The status of an endpoint, or None when there is none."""
        ...

    def delete_endpoint(self, name: str) -> None:
        """Begin to delete an endpoint."""
        ...

    def configs(self, part: str) -> Iterator[str]:
        """The endpoint configs whose name contains `part`."""
        ...

    def delete_config(self, name: str) -> None:
        """Delete an endpoint config."""
        ...

    def models(self, part: str) -> Iterator[str]:
        """The models whose name contains `part`."""
        ...

    def delete_model(self, name: str) -> None:
        """Delete a model."""
        ...

    def stop_scaling(self, endpoint: str, variant: str) -> None:
        """Forget the scaling of an endpoint's variant."""
        ...

    def delete_parameter(self, name: str) -> None:
        """Delete an SSM parameter."""
        ...

    def delete_log_group(self, name: str) -> None:
        """Delete a log group."""
        ...

    def budget_actions(self, budget: str) -> Mapping[str, str]:
        """The actions of a budget by their ids, each with its status."""
        ...

    def reverse_action(self, budget: str, action: str) -> None:
        """Begin to take back what an action of a budget has done."""
        ...

    def training_jobs(self, part: str) -> Iterator[tuple[str, str]]:
        """Name and status of the training jobs that run or are stopping, whose name contains `part`."""
        ...

    def stop_training_job(self, name: str) -> None:
        """Begin to stop a training job."""
        ...

    def packages(self, group: str) -> Iterator[str]:
        """The ARNs of the versions of a model package group."""
        ...

    def delete_package(self, arn: str) -> None:
        """Delete a version of a model package group."""
        ...


@dataclass
class Clock:
    """Time as the function has it: how to wait, and the seconds it has left."""

    sleep: Callable[[float], None]
    left: Callable[[], float]
    pause: float = SHORTEST_POLL

    def wait(self, for_what: str) -> None:
        """Wait a little, each time longer.

        Raises:
            OutOfTime: there is too little time left to wait and still answer.
        """
        if self.left() < self.pause + ANSWER_SECONDS:
            raise OutOfTime(f"still waiting for {for_what}; remove the stack again, which goes on from here")
        self.sleep(self.pause)
        self.pause = min(LONGEST_POLL, 1.5 * self.pause)


def remove(properties: Mapping[str, str], account: Account, clock: Clock) -> None:
    """Remove what a custom resource of the stacks stands for.

    Raises:
        ValueError: its `Kind` is unknown.
        OutOfTime: it takes longer than the function may run.
    """
    remover = REMOVERS.get(properties["Kind"])
    if remover is None:
        raise ValueError(f"cannot remove a {properties['Kind']!r}; known are {', '.join(REMOVERS)}")
    remover(properties, account, clock)


def remove_endpoint(properties: Mapping[str, str], account: Account, clock: Clock) -> None:
    """Remove an endpoint that deployments made, and all that they made for it."""
    name = properties["Name"]
    account.stop_executions(properties["Machine"])
    account.stop_scaling(name, properties["Variant"])
    while (status := account.endpoint_status(name)) is not None:
        if status not in UNSETTLED:
            account.delete_endpoint(name)
        clock.wait(f"endpoint {name}, which is {status}")
    # Models and configs are named alike. The whole name must match: `curve` is not to take `curve-2`'s.
    made = re.compile(rf"{re.escape(name)}-v\d+-[0-9a-f]{{8}}")
    for config in filter(made.fullmatch, list(account.configs(f"{name}-v"))):
        account.delete_config(config)
    for model in filter(made.fullmatch, list(account.models(f"{name}-v"))):
        account.delete_model(model)
    account.delete_parameter(properties["Record"])
    account.delete_log_group(f"/aws/sagemaker/Endpoints/{name}")


def remove_packages(properties: Mapping[str, str], account: Account, clock: Clock) -> None:
    """Stop the jobs that make a group's versions, then remove these: only an empty group can be deleted."""
    group = properties["Name"]
    # As the training workflow names them: `curve` is not to stop `curve-2`'s.
    run = re.compile(rf"{re.escape(group)}-[0-9a-f]+-\d+")
    while jobs := [job for job in account.training_jobs(f"{group}-") if run.fullmatch(job[0])]:
        for name, status in jobs:
            if status == "InProgress":
                account.stop_training_job(name)
        clock.wait(f"training job {jobs[0][0]}, which is {jobs[0][1]}")
    for package in list(account.packages(group)):
        account.delete_package(package)


def lift_limit(properties: Mapping[str, str], account: Account, clock: Clock) -> None:
    """Have a budget's actions detach their policy: neither it nor a role that has it could be deleted."""
    budget = properties["Name"]
    while stopped := {one: is_ for one, is_ in account.budget_actions(budget).items() if is_ in DENYING}:
        for action, status in stopped.items():
            if status in REVERSIBLE:
                account.reverse_action(budget, action)
        clock.wait(f"budget {budget}, whose action is {', '.join(sorted(set(stopped.values())))}")


REMOVERS = {"Endpoint": remove_endpoint, "Limit": lift_limit, "ModelPackages": remove_packages}
