"""Removes what runs and what answers: jobs, endpoints, models, notebook instances."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain

from lambdas.remove_resources import kinds
from lambdas.remove_resources.kinds import Account, Description, Kind, things
from lambdas.remove_resources.patience import Clock, Look, Refused, Thing, until_gone

Properties = Mapping[str, str]
REMOVED = "What it works for is being removed."
LOGS_OF_ENDPOINTS = "/aws/sagemaker/Endpoints/"
REVERSIBLE = frozenset({"EXECUTION_SUCCESS", "REVERSE_FAILURE"})
DENYING = REVERSIBLE | {"EXECUTION_IN_PROGRESS", "REVERSE_IN_PROGRESS"}


def remove_endpoint(properties: Properties, account: Account, clock: Clock) -> None:
    """Remove an endpoint that deployments made, and all that they made for it."""
    name = properties["Name"]
    executions = account.find(kinds.EXECUTIONS, stateMachineArn=properties["Machine"], statusFilter="RUNNING")
    for execution in list(executions):
        with suppress(Refused):
            account.ask(
                "stepfunctions",
                "stop_execution",
                executionArn=execution["executionArn"],
                error="Atelier.Removed",
                cause=REMOVED,
            )
    account.ask(
        "application-autoscaling",
        "deregister_scalable_target",
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{name}/variant/{properties['Variant']}",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
    )
    # Models and configs are named alike. The whole name must match: `curve` is not to take `curve-2`'s.
    made = re.compile(rf"{re.escape(name)}-v\d+-[0-9a-f]{{8}}")
    until_gone(
        clock,
        _named(account, re.compile(re.escape(name)), name, kinds.ENDPOINTS),
        _named(account, made, f"{name}-v", kinds.CONFIGS, kinds.MODELS),
    )
    account.ask("ssm", "delete_parameter", Name=properties["Record"])
    account.ask("logs", "delete_log_group", logGroupName=LOGS_OF_ENDPOINTS + name)


def remove_packages(properties: Properties, account: Account, clock: Clock) -> None:
    """Stop the jobs that make a group's versions, then remove these: only an empty group can be deleted."""
    group = properties["Name"]
    # As the training workflow names them: `curve` is not to stop `curve-2`'s.
    run = re.compile(rf"{re.escape(group)}-[0-9a-f]+-\d+")
    until_gone(
        clock, _named(account, run, f"{group}-", kinds.TRAINING_JOBS), partial(_packages, account, group)
    )


def remove_work(properties: Properties, account: Account, clock: Clock) -> None:
    """Stop every job, and remove every endpoint, model and notebook instance, of an environment.

    And the lifecycle configurations of Studio that CloudFormation had to leave when newer ones took their
    place, since an app still ran with them. By now no domain is left.

    Whoever made them: team and environment are words without a hyphen, so that what begins with both and a
    hyphen each is this environment's and no other's.
    """
    prefix = properties["Name"]
    own = re.compile(rf"{re.escape(prefix)}.*")
    until_gone(
        clock,
        _named(account, own, prefix, *kinds.JOBS, kinds.ENDPOINTS, kinds.NOTEBOOKS),
        _named(account, own, prefix, kinds.CONFIGS, kinds.MODELS),
        # SageMaker looks for no part of their names that ends in a hyphen.
        _named(account, own, prefix.rstrip("-"), kinds.SCRIPTS),
        lambda: things(
            account, kinds.LOG_GROUPS, lambda _: True, logGroupNamePrefix=LOGS_OF_ENDPOINTS + prefix
        ),
    )


def lift_limit(properties: Properties, account: Account, clock: Clock) -> None:
    """Have a budget's actions detach their policy: neither it nor a role that has it could be deleted."""
    until_gone(clock, partial(_denials, account, properties["Name"]))


def _named(account: Account, pattern: re.Pattern[str], part: str, *some: Kind) -> Look:
    """Looks for the things of these kinds whose name holds `part` and is all of `pattern`."""

    def own(kind: Kind) -> Callable[[Description], bool]:
        return lambda description: bool(pattern.fullmatch(description[kind.names[0]]))

    return lambda: chain.from_iterable(things(account, kind, own(kind), NameContains=part) for kind in some)


def _packages(account: Account, group: str) -> Iterator[Thing]:
    for package in account.find(kinds.PACKAGES, ModelPackageGroupName=group):
        arn = package["ModelPackageArn"]
        delete = partial(account.ask, "sagemaker", "delete_model_package", ModelPackageName=arn)
        yield Thing(f"model package {arn}", "", delete)


def _denials(account: Account, budget: str) -> Iterator[Thing]:
    where = {"AccountId": account.account_id(), "BudgetName": budget}
    for action in account.find(kinds.BUDGET_ACTIONS, **where):
        id_, status = action["ActionId"], action["Status"]
        reverse = partial(
            account.ask,
            "budgets",
            "execute_budget_action",
            **where,
            ActionId=id_,
            ExecutionType="REVERSE_BUDGET_ACTION",
        )
        if status in DENYING:
            yield Thing(f"action {id_} of budget {budget}", status, reverse if status in REVERSIBLE else None)
