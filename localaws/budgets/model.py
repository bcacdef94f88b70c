"""What a budget is made of, and when one of its thresholds is crossed."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Described = dict[str, Any]

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GREATER_THAN": operator.gt,
    "LESS_THAN": operator.lt,
    "EQUAL_TO": operator.eq,
}
_SPEND = {"ACTUAL": "ActualSpend", "FORECASTED": "ForecastedSpend"}
FOREVER = datetime(2087, 6, 15, tzinfo=UTC)


@dataclass
class Notification:
    """A threshold at which people are told; `told` while it is crossed."""

    asked: Described
    subscribers: list[Described]
    told: bool = False

    def described(self) -> Described:
        """As the API shows it."""
        return {**self.asked, "NotificationState": "ALARM" if self.told else "OK"}


@dataclass
class Action:
    """What happens at a threshold; `history` has its oldest event first."""

    id: str
    budget: str
    asked: Described
    tags: dict[str, str]
    status: str = "STANDBY"
    history: list[Described] = field(default_factory=list)

    def described(self) -> Described:
        """As the API shows it."""
        return {**self.asked, "ActionId": self.id, "BudgetName": self.budget, "Status": self.status}

    def becomes(self, status: str, event: str, message: str) -> None:
        """Change the status, and write down why."""
        self.status = status
        self.history.append(
            {
                "Timestamp": datetime.now(UTC),
                "Status": status,
                "EventType": event,
                "ActionHistoryDetails": {"Message": message, "Action": self.described()},
            }
        )


@dataclass
class Budget:
    """A budget; what it has spent is what it was last told."""

    asked: Described
    notifications: list[Notification]
    tags: dict[str, str]
    spend: dict[str, Described] = field(default_factory=dict)
    updated: datetime = field(default_factory=lambda: datetime.now(UTC))
    actions: dict[str, Action] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name, unique in the account."""
        return str(self.asked["BudgetName"])

    @property
    def limit(self) -> float:
        """How much may be spent, in the budget's unit."""
        return float(self.asked["BudgetLimit"]["Amount"])

    @property
    def unit(self) -> str:
        """What is counted, such as USD."""
        return str(self.asked["BudgetLimit"]["Unit"])

    def spent(self, kind: str) -> float | None:
        """How much has been spent (`ACTUAL`) or will be (`FORECASTED`); None where nobody said."""
        told = self.spend.get(_SPEND[kind])
        return float(told["Amount"]) if told else None

    def amount(self, threshold: float, kind: str | None) -> float:
        """A threshold, which may be a percentage of the limit, as an amount."""
        return threshold if kind == "ABSOLUTE_VALUE" else threshold * self.limit / 100

    def notification_is_due(self, notification: Notification) -> bool:
        """Whether the notification's threshold is crossed."""
        asked = notification.asked
        spent = self.spent(asked["NotificationType"])
        amount = self.amount(asked["Threshold"], asked.get("ThresholdType"))
        return spent is not None and _COMPARISONS[asked["ComparisonOperator"]](spent, amount)

    def action_is_due(self, action: Action) -> bool:
        """Whether the action's threshold is exceeded."""
        threshold = action.asked["ActionThreshold"]
        spent = self.spent(action.asked["NotificationType"])
        amount = self.amount(threshold["ActionThresholdValue"], threshold["ActionThresholdType"])
        return spent is not None and spent > amount

    def described(self) -> Described:
        """As the API shows it."""
        nothing = {"ActualSpend": {"Amount": "0", "Unit": self.unit}}
        start = self.updated.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return {
            "TimePeriod": {"Start": start, "End": FOREVER},
            **self.asked,
            "CalculatedSpend": {**nothing, **self.spend},
            "LastUpdatedTime": self.updated,
        }
