"""AWS Budgets: budgets, who is told of them, and the actions at their thresholds."""

from localaws.budgets.service import Budgets

__all__ = ["Budgets"]
