"""Resource types of AWS Budgets."""

from __future__ import annotations

from typing import Any

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import Api, Names, Props, Tags, absent_ok, given, renamed

_GONE = "NotFoundException"
_TAGS = Tags("budgets", "ResourceARN", tags="ResourceTags", keys="ResourceTagKeys")
_ACTION: Names = {
    "ActionThreshold": ("ActionThreshold", {"Type": "ActionThresholdType", "Value": "ActionThresholdValue"}),
    "ActionType": "ActionType",
    "ApprovalModel": "ApprovalModel",
    "BudgetName": "BudgetName",
    "Definition": "Definition",
    "ExecutionRoleArn": "ExecutionRoleArn",
    "NotificationType": "NotificationType",
    "Subscribers": ("Subscribers", {"Type": "SubscriptionType", "Address": "Address"}),
}


class Budget(ResourceType):
    """A budget with those who are told of it."""

    type_name = "AWS::Budgets::Budget"
    properties = frozenset({"Budget", "NotificationsWithSubscribers", "ResourceTags"})
    replaces = frozenset({"NotificationsWithSubscribers"})

    def replaced_by(self, name: str, old: Props, new: Props) -> bool:
        """With another name, or others who are told, it is another budget."""
        if name == "Budget":
            return bool(old["Budget"].get("BudgetName") != new["Budget"].get("BudgetName"))
        return super().replaced_by(name, old, new)

    def create(self, context: Context, props: Props) -> Created:
        """Make the budget; one of that name is refused by the service."""
        name = props["Budget"].get("BudgetName") or context.generated_name(100)
        Api(context, "budgets")(
            "create_budget",
            AccountId=context.account,
            Budget={**props["Budget"], "BudgetName": name},
            NotificationsWithSubscribers=props.get("NotificationsWithSubscribers"),
            ResourceTags=_TAGS.of(context, props, "ResourceTags"),
        )
        return Created(name, {"Id": name})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Change the limit and what is counted."""
        budget = {**new["Budget"], "BudgetName": physical_id}
        Api(context, "budgets")("update_budget", AccountId=context.account, NewBudget=budget)
        _TAGS.settle(context, _arn(context, physical_id), new, "ResourceTags")
        return Created(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the budget."""
        with absent_ok(_GONE):
            Api(context, "budgets")("delete_budget", AccountId=context.account, BudgetName=physical_id)


class BudgetsAction(ResourceType):
    """What happens at a threshold of a budget."""

    type_name = "AWS::Budgets::BudgetsAction"
    properties = frozenset({*_ACTION, "ResourceTags"})
    replaces = frozenset({"ActionType", "BudgetName"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the action."""
        tags = _TAGS.of(context, props, "ResourceTags")
        made = Api(context, "budgets")("create_budget_action", **_asked(context, props), ResourceTags=tags)
        return self._named(made["ActionId"], props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Change the action."""
        action, _, budget = physical_id.partition("|")
        asked = _asked(context, new)
        del asked["ActionType"]
        Api(context, "budgets")("update_budget_action", **asked, ActionId=action)
        _TAGS.settle(context, _arn(context, f"{budget}/action/{action}"), new, "ResourceTags")
        return self._named(action, new)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the action; a policy that it has attached stays attached."""
        action, _, budget = physical_id.partition("|")
        with absent_ok(_GONE):
            Api(context, "budgets")(
                "delete_budget_action", AccountId=context.account, BudgetName=budget, ActionId=action
            )

    @staticmethod
    def _named(action: str, props: Props) -> Created:
        return Created(f"{action}|{props['BudgetName']}", {"ActionId": action})


def _asked(context: Context, props: Props) -> dict[str, Any]:
    """The action as the API takes it; a person approves it where the template does not say."""
    settings = renamed("BudgetsAction", given({**props, "Definition": None}, *_ACTION), _ACTION)
    approval = {"ApprovalModel": props.get("ApprovalModel", "MANUAL")}
    return {"AccountId": context.account, **settings, **approval, "Definition": props["Definition"]}


def _arn(context: Context, name: str) -> str:
    return f"arn:aws:budgets::{context.account}:budget/{name}"


TYPES: tuple[type[ResourceType], ...] = (Budget, BudgetsAction)
