"""The API of AWS Budgets.

Nothing here costs money, so a budget spends nothing by itself. Whoever wants to see what follows says how
much it has spent: `UpdateBudget` with `CalculatedSpend`, which AWS itself disregards. What crosses a
threshold then does at once what AWS does within hours: people are told, actions are executed.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import get_service_model

from localaws.budgets.effects import Effects
from localaws.budgets.model import Action, Budget, Described, Notification
from localaws.service import AwsError, Call, Handler, NotEmulated, Params, Result, Service, operation

MOST_NOTIFICATIONS, MOST_ACTIONS = 10, 5
_ACTION_FIELDS = (
    "NotificationType",
    "ActionType",
    "ActionThreshold",
    "Definition",
    "ExecutionRoleArn",
    "ApprovalModel",
    "Subscribers",
)
_FROM = {
    "APPROVE_BUDGET_ACTION": {"PENDING"},
    "RETRY_BUDGET_ACTION": {"EXECUTION_FAILURE"},
    "REVERSE_BUDGET_ACTION": {"EXECUTION_SUCCESS", "REVERSE_FAILURE"},
    "RESET_BUDGET_ACTION": {"REVERSE_SUCCESS"},
}
"""What can be executed of an action, and in which of its statuses."""


class Budgets(Service):
    """The budgets of all accounts; they belong to no region."""

    name = "budgets"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._accounts: dict[str, dict[str, Budget]] = {}
        # One at a time: thresholds are crossed once.
        self._lock = threading.RLock()

    def operations(self) -> Iterator[tuple[str, Handler]]:
        """Every operation of the API; moto knows other budgets, so none is left to it."""
        ours = dict(super().operations())
        for name in get_service_model(self.name).operation_names:
            yield name, self._locked(ours[name]) if name in ours else _refusal(name)

    def _locked(self, handler: Handler) -> Handler:
        def locked(call: Call, params: Params) -> Result:
            with self._lock:
                return handler(call, params)

        return locked

    @operation("CreateBudget")
    def create_budget(self, call: Call, params: Params) -> Result:
        """Make a budget with its notifications."""
        budgets, asked = self._budgets(call, params), _checked(params["Budget"])
        if asked["BudgetName"] in budgets:
            message = f"Error creating budget: {asked['BudgetName']} - the budget already exists."
            raise AwsError("DuplicateRecordException", message)
        wanted = params.get("NotificationsWithSubscribers", ())
        if len(wanted) > MOST_NOTIFICATIONS:
            message = f"A budget has at most {MOST_NOTIFICATIONS} notifications"
            raise AwsError("CreationLimitExceededException", message)
        notifications = [Notification(one["Notification"], one["Subscribers"]) for one in wanted]
        budgets[asked["BudgetName"]] = Budget(asked, notifications, _tags(params))
        return None

    @operation("UpdateBudget")
    def update_budget(self, call: Call, params: Params) -> Result:
        """Change a budget; see the module about `CalculatedSpend`."""
        asked = params["NewBudget"]
        budget = self._budget(call, params, asked["BudgetName"])
        budget.spend = asked.pop("CalculatedSpend", budget.spend)
        budget.asked, budget.updated = _checked(asked), datetime.now(UTC)
        self._effects(call).settle(budget)
        return None

    @operation("DescribeBudget")
    def describe_budget(self, call: Call, params: Params) -> Result:
        """One budget."""
        return {"Budget": self._budget(call, params).described()}

    @operation("DescribeBudgets")
    def describe_budgets(self, call: Call, params: Params) -> Result:
        """All budgets of the account, on one page."""
        return {"Budgets": [one.described() for one in self._budgets(call, params).values()]}

    @operation("DeleteBudget")
    def delete_budget(self, call: Call, params: Params) -> Result:
        """Forget a budget with its notifications and actions; what an action has attached stays."""
        del self._budgets(call, params)[self._budget(call, params).name]
        return None

    @operation("DescribeNotificationsForBudget")
    def describe_notifications(self, call: Call, params: Params) -> Result:
        """The notifications of a budget, with their states."""
        return {"Notifications": [one.described() for one in self._budget(call, params).notifications]}

    @operation("DescribeSubscribersForNotification")
    def describe_subscribers(self, call: Call, params: Params) -> Result:
        """Who is told at one threshold."""
        wanted = {**params["Notification"], "NotificationState": None}
        for one in self._budget(call, params).notifications:
            if {**one.asked, "NotificationState": None} == wanted:
                return {"Subscribers": one.subscribers}
        raise AwsError("NotFoundException", "Unable to get subscribers - the notification doesn't exist.")

    @operation("CreateBudgetAction")
    def create_action(self, call: Call, params: Params) -> Result:
        """Make an action; where the budget is spent already, it is executed at once."""
        budget, asked = self._budget(call, params), _action(params)
        if len(budget.actions) >= MOST_ACTIONS:
            raise AwsError("CreationLimitExceededException", f"A budget has at most {MOST_ACTIONS} actions")
        action = Action(str(uuid.uuid4()), budget.name, asked, _tags(params))
        action.becomes("STANDBY", "CREATE_ACTION", "The action was created.")
        budget.actions[action.id] = action
        self._effects(call).settle(budget)
        return _identity(call, action)

    @operation("UpdateBudgetAction")
    def update_action(self, call: Call, params: Params) -> Result:
        """Change an action that is not executed."""
        budget, action = self._budget(call, params), self._action(call, params)
        before = action.described()
        action.asked = _action({**action.asked, **params})
        action.becomes(action.status, "UPDATE_ACTION", "The action was updated.")
        self._effects(call).settle(budget)
        named = {"AccountId": call.account, "BudgetName": budget.name}
        return {**named, "OldAction": before, "NewAction": action.described()}

    @operation("DeleteBudgetAction")
    def delete_action(self, call: Call, params: Params) -> Result:
        """Forget an action; what it has attached stays."""
        action = self._action(call, params)
        del self._budget(call, params).actions[action.id]
        return {"AccountId": call.account, "BudgetName": action.budget, "Action": action.described()}

    @operation("ExecuteBudgetAction")
    def execute_action(self, call: Call, params: Params) -> Result:
        """Approve, retry, reverse or reset an action."""
        action, kind, effects = self._action(call, params), params["ExecutionType"], self._effects(call)
        if action.status not in _FROM[kind]:
            message = f"{kind} is not possible: the action is in status {action.status}"
            raise AwsError("InvalidParameterException", message)
        if kind == "RESET_BUDGET_ACTION":
            action.becomes("STANDBY", "EXECUTE_ACTION", "The action was reset.")
        elif kind == "REVERSE_BUDGET_ACTION":
            effects.reverse(action)
        else:
            effects.execute(action)
        return {**_identity(call, action), "ExecutionType": kind}

    @operation("DescribeBudgetAction")
    def describe_action(self, call: Call, params: Params) -> Result:
        """One action."""
        action = self._action(call, params)
        return {"AccountId": call.account, "BudgetName": action.budget, "Action": action.described()}

    @operation("DescribeBudgetActionsForBudget")
    def describe_actions(self, call: Call, params: Params) -> Result:
        """The actions of a budget, on one page."""
        return {"Actions": [one.described() for one in self._budget(call, params).actions.values()]}

    @operation("DescribeBudgetActionsForAccount")
    def describe_all_actions(self, call: Call, params: Params) -> Result:
        """The actions of all budgets, on one page."""
        budgets = self._budgets(call, params).values()
        return {"Actions": [one.described() for budget in budgets for one in budget.actions.values()]}

    @operation("DescribeBudgetActionHistories")
    def describe_histories(self, call: Call, params: Params) -> Result:
        """What has become of an action, newest first."""
        return {"ActionHistories": self._action(call, params).history[::-1]}

    @operation("ListTagsForResource")
    def list_tags(self, call: Call, params: Params) -> Result:
        """The tags of a budget or an action."""
        tags = self._tagged(call, params)
        return {"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    @operation("TagResource")
    def tag(self, call: Call, params: Params) -> Result:
        """Add tags."""
        self._tagged(call, params).update(_tags(params))
        return None

    @operation("UntagResource")
    def untag(self, call: Call, params: Params) -> Result:
        """Take tags off."""
        tags = self._tagged(call, params)
        for key in params["ResourceTagKeys"]:
            tags.pop(key, None)
        return None

    def _effects(self, call: Call) -> Effects:
        return Effects(self.world, call.account)

    def _budgets(self, call: Call, params: Params) -> dict[str, Budget]:
        if params.get("AccountId", call.account) != call.account:
            raise AwsError("AccessDeniedException", f"Account {params['AccountId']} is not the caller's")
        return self._accounts.setdefault(call.account, {})

    def _budget(self, call: Call, params: Params, name: str = "") -> Budget:
        name = name or params["BudgetName"]
        found = self._budgets(call, params).get(name)
        if found is None:
            raise AwsError("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.")
        return found

    def _action(self, call: Call, params: Params) -> Action:
        found = self._budget(call, params).actions.get(params["ActionId"])
        if found is None:
            raise AwsError("NotFoundException", f"Unable to find action {params['ActionId']}.")
        return found

    def _tagged(self, call: Call, params: Params) -> dict[str, str]:
        """The tags of arn:aws:budgets::<account>:budget/<name>[/action/<id>]."""
        name, _, action = params["ResourceARN"].partition(":budget/")[2].partition("/action/")
        budget = self._budget(call, {}, name)
        return self._action(call, {"BudgetName": name, "ActionId": action}).tags if action else budget.tags


def _refusal(name: str) -> Callable[[Call, Params], Result]:
    def refuse(_call: Call, _params: Params) -> Result:
        raise NotEmulated(f"budgets: {name}")

    return refuse


def _checked(asked: Described) -> Described:
    if "BudgetLimit" not in asked:
        if "PlannedBudgetLimits" in asked or "AutoAdjustData" in asked:
            raise NotEmulated("budgets: a limit that is not the same in every period")
        raise AwsError("InvalidParameterException", "Unable to create/update budget - please provide a limit")
    if "FilterExpression" in asked and "CostFilters" in asked:
        raise AwsError("InvalidParameterException", "Only one of FilterExpression and CostFilters may be set")
    return asked


def _action(params: Params) -> Described:
    if "IamActionDefinition" not in params["Definition"]:
        raise NotEmulated(f"budgets: an action of type {params['ActionType']}")
    return {name: params[name] for name in _ACTION_FIELDS}


def _identity(call: Call, action: Action) -> Described:
    return {"AccountId": call.account, "BudgetName": action.budget, "ActionId": action.id}


def _tags(params: Params) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in params.get("ResourceTags", ())}
