"""What crossing a threshold does: messages to people, and policies on roles, groups and users."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from localaws.budgets.model import Action, Budget, Notification
from localaws.world import World

log = logging.getLogger("localaws.budgets")

_PRINCIPALS = {"Roles": "role", "Groups": "group", "Users": "user"}


class Effects:
    """The effects of one account's budgets."""

    def __init__(self, world: World, account: str) -> None:
        self._world = world
        self._account = account

    def settle(self, budget: Budget) -> None:
        """Tell people of each threshold that has just been crossed, and begin each action that is due."""
        for notification in budget.notifications:
            due = budget.notification_is_due(notification)
            if due and not notification.told:
                subject, text = self._words(budget, notification)
                self._tell(_topics(notification.subscribers, "SubscriptionType"), subject, text)
            notification.told = due
        for action in budget.actions.values():
            if action.status == "STANDBY" and budget.action_is_due(action):
                self._begin(budget, action)

    def _begin(self, budget: Budget, action: Action) -> None:
        automatic = action.asked["ApprovalModel"] == "AUTOMATIC"
        if automatic:
            self.execute(action)
        else:
            action.becomes("PENDING", "SYSTEM", "The threshold is exceeded; the action waits for approval.")
        subject = f"AWS Budgets: an action of {budget.name} is {action.status}"
        self._tell(_topics(action.asked["Subscribers"], "SubscriptionType"), subject, action.status)

    def execute(self, action: Action) -> None:
        """Attach the policy to all that the action names."""
        self._change(action, "attach", "EXECUTION")

    def reverse(self, action: Action) -> None:
        """Detach the policy again."""
        self._change(action, "detach", "REVERSE")

    def _change(self, action: Action, verb: str, stage: str) -> None:
        definition = action.asked["Definition"]["IamActionDefinition"]
        iam = self._client("iam")
        try:
            for key, kind in _PRINCIPALS.items():
                for name in definition.get(key, ()):
                    change = getattr(iam, f"{verb}_{kind}_policy")
                    change(**{f"{kind.capitalize()}Name": name}, PolicyArn=definition["PolicyArn"])
        except ClientError as error:
            log.warning("a budget's action failed: %s", error)
            action.becomes(f"{stage}_FAILURE", "SYSTEM", str(error))
        else:
            action.becomes(f"{stage}_SUCCESS", "SYSTEM", f"The policy was {verb}ed.")

    def _tell(self, topics: Iterable[str], subject: str, text: str) -> None:
        for topic in topics:
            region = topic.split(":")[3]
            try:
                self._client("sns", region).publish(TopicArn=topic, Subject=subject[:99], Message=text)
            except ClientError as error:
                log.warning("a budget's alert did not reach %s: %s", topic, error)

    def _words(self, budget: Budget, notification: Notification) -> tuple[str, str]:
        asked = notification.asked
        kind, spent = asked["NotificationType"], budget.spent(asked["NotificationType"]) or 0.0
        amount = budget.amount(asked["Threshold"], asked.get("ThresholdType"))
        subject = f"AWS Budgets: {budget.name} has exceeded your alert threshold"
        text = "\n".join(
            (
                "AWS Budget Notification",
                f"AWS Account {self._account}",
                "",
                f"Budget Name: {budget.name}",
                f"Budgeted Amount: {budget.limit:.2f} {budget.unit}",
                f"Alert Type: {kind}",
                f"Alert Threshold: {asked['ComparisonOperator']} {amount:.2f} {budget.unit}",
                f"{kind} Amount: {spent:.2f} {budget.unit}",
            )
        )
        return subject, text

    def _client(self, service: str, region: str = "us-east-1") -> Any:
        return self._world.client(service, self._account, region)


def _topics(subscribers: Iterable[dict[str, Any]], kind: str) -> list[str]:
    return [one["Address"] for one in subscribers if one[kind] == "SNS"]
