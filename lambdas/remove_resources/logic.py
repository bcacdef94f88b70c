"""What a custom resource of the stacks stands for, and what removes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.remove_resources.domain import remove_domain, remove_dropped, remove_workplaces
from lambdas.remove_resources.kinds import Account
from lambdas.remove_resources.patience import Clock
from lambdas.remove_resources.work import lift_limit, remove_endpoint, remove_packages, remove_work

REMOVERS = {
    "Domain": remove_domain,
    "Endpoint": remove_endpoint,
    "Limit": lift_limit,
    "ModelPackages": remove_packages,
    "Work": remove_work,
    "Workplaces": remove_workplaces,
}
CHANGERS = {"Workplaces": remove_dropped}
"""What removes something when the resource is no longer to have it."""


def change(old: Mapping[str, Any], new: Mapping[str, Any], account: Account, clock: Clock) -> None:
    """Remove what a custom resource stood for before it changed, and does no more.

    Raises:
        OutOfTime: it takes longer than the clock says.
    """
    changer = CHANGERS.get(new["Kind"])
    if changer:
        changer(old, new, account, clock)


def remove(properties: Mapping[str, Any], account: Account, clock: Clock) -> None:
    """Remove what a custom resource of the stacks stands for.

    Raises:
        ValueError: its `Kind` is unknown.
        OutOfTime: it takes longer than the clock says.
    """
    remover = REMOVERS.get(properties["Kind"])
    if remover is None:
        raise ValueError(f"cannot remove a {properties['Kind']!r}; known are {', '.join(REMOVERS)}")
    remover(properties, account, clock)
