"""Measures each hour for how long nobody has used endpoints and notebooks; stops them where that is wanted.

The measure goes to CloudWatch, where an alarm for each resource tells people. A message is sent here only of
what was stopped, so that nobody is told twice.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdas.shared.logs import Log
from lambdas.stop_idle.adapters import AwsWorkplace, Workplace
from lambdas.stop_idle.logic import message, to_stop
from lambdas.stop_idle.settings import StopIdleSettings

log = Log("stop_idle")


def handler(_event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point. Errors are raised: Lambda retries, then the event becomes a dead letter."""
    return watch(StopIdleSettings.from_environment(os.environ), AwsWorkplace(), datetime.now(UTC))


def watch(settings: StopIdleSettings, workplace: Workplace, now: datetime) -> dict[str, Any]:
    """Measure all that runs, then stop what is idle.

    Returns:
        `{"idleHours": {name: hours}, "stopped": [name]}`.
    """
    running = [
        *filter(None, (workplace.endpoint(name, now) for name in settings.endpoints)),
        *filter(None, (workplace.notebook(name) for name in settings.notebooks)),
    ]
    hours = {one: one.idle_hours(now) for one in running}
    workplace.measure(settings.environment, hours)
    stopped = to_stop(running, now, settings.stop_after_hours)
    for one in stopped:
        workplace.stop(one)
        workplace.tell(settings.topic, *message(one, settings.environment, now))
        log.info("stopped", kind=one.kind, name=one.name, idle_hours=round(hours[one], 1))
    return {
        "idleHours": {one.name: round(value, 2) for one, value in hours.items()},
        "stopped": [one.name for one in stopped],
    }
