"""Whether the budget can count what the environment costs."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.doctor.finding import Finding, missing, ok, unknown
from atelier.cli.target import Target
from atelier.spec import names

TAGS = ("team", "environment")
STOPPED = {"EXECUTION_SUCCESS", "EXECUTION_IN_PROGRESS"}


def budget(target: Target) -> Iterator[Finding]:
    """The budget is there, and has not stopped the environment."""
    spec = target.spec
    if spec.budget is None:
        return
    name, client = names.budget(spec.team, spec.name, spec.budget.alerts), target.client("budgets")
    where = {"AccountId": spec.account, "BudgetName": name}
    try:
        found = client.describe_budget(**where)["Budget"]
    except ClientError as error:
        if errors.code(error) != "NotFoundException":
            raise
        yield ok("budget", f"{name} comes with the next deployment")
        return
    spent = float(found["CalculatedSpend"]["ActualSpend"]["Amount"])
    yield ok("budget", f"{name}: ${spent:,.2f} of ${float(found['BudgetLimit']['Amount']):,.0f} this month")
    for action in client.describe_budget_actions_for_budget(**where)["Actions"]:
        if action["Status"] in STOPPED:
            yield missing(
                "budget's stop",
                "the budget is spent: new jobs, endpoints, apps and notebooks are denied",
                f"raise the budget, then  aws budgets execute-budget-action --account-id {spec.account}"
                f" --budget-name {name} --action-id {action['ActionId']}"
                " --execution-type REVERSE_BUDGET_ACTION",
            )


def cost_allocation_tags(target: Target) -> Iterator[Finding]:
    """The tags by which the budget counts are activated in the account that pays."""
    if target.spec.budget is None:
        return
    wanted = " ".join(f"TagKey={tag},Status=Active" for tag in TAGS)
    ask = (
        "in the account that pays: aws ce update-cost-allocation-tags-status"
        f" --cost-allocation-tags-status {wanted}"
    )
    try:
        found = target.client("ce").list_cost_allocation_tags(TagKeys=list(TAGS), Status="Active")
    except ClientError as error:
        says = f"{errors.message(error).splitlines()[0]}: only the account that pays knows"
        yield unknown("cost allocation tags", says, ask)
        return
    lacking = set(TAGS) - {tag["TagKey"] for tag in found["CostAllocationTags"]}
    if lacking:
        says = f"{', '.join(sorted(lacking))} not active: the budget counts nothing"
        yield missing("cost allocation tags", says, ask)
    else:
        yield ok("cost allocation tags", "active")
