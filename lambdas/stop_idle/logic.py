"""How long something that costs money has not been used, and what is to be stopped for it. No AWS.

An endpoint is used when it is invoked. A notebook instance is used when its log grows: Jupyter writes a
line when a kernel starts and when a notebook is saved, so somebody who only reads counts as nobody. Both
count as used when they were last started or changed. Apps of Studio are not watched: the domain stops idle
ones itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten
from typing import Literal

SUBJECT_LIMIT = 99  # SNS's

Kind = Literal["endpoint", "notebook"]

RESTART = {
    "endpoint": (
        "Its models and its configuration are kept: the approval of a model, or a new one, deploys it again."
    ),
    "notebook": "Its volume is kept: start it again in the console of SageMaker.",
}


@dataclass(frozen=True)
class Running:
    """A resource that runs and costs money; `used` is when somebody last used, started or changed it."""

    kind: Kind
    name: str
    used: datetime

    def idle_hours(self, now: datetime) -> float:
        """For how long nobody has used it."""
        return max(0.0, (now - self.used).total_seconds() / 3600)


def to_stop(running: Iterable[Running], now: datetime, after_hours: int | None) -> list[Running]:
    """Those that have been idle for `after_hours` or more; none when that is None."""
    if after_hours is None:
        return []
    return [one for one in running if one.idle_hours(now) >= after_hours]


def message(stopped: Running, environment: str, now: datetime) -> tuple[str, str]:
    """Subject and text of the message about something that was stopped."""
    verb = "deleted" if stopped.kind == "endpoint" else "stopped"
    subject = f"{environment}: {stopped.kind} {stopped.name} {verb}, as nobody uses it"
    text = (
        f"The {stopped.kind} {stopped.name} was {verb}: nobody has used it since "
        f"{stopped.used:%Y-%m-%d %H:%M} UTC, for {stopped.idle_hours(now):.0f} hours.\n"
        f"{RESTART[stopped.kind]}\n"
    )
    return shorten(subject, SUBJECT_LIMIT, placeholder="..."), text
