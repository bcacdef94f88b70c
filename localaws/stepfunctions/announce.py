"""Tells EventBridge when an execution starts and ends."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from localaws.events import emit
from localaws.stepfunctions.execution import Execution
from localaws.stepfunctions.tasks.shapes import epoch_milliseconds
from localaws.world import World

log = logging.getLogger("localaws.stepfunctions")

# An event has at most 256 KB: larger data are left out of it, and said to be.
_MAX_DATA = 248 * 1024


def announce(world: World, execution: Execution) -> None:
    """Put a "Step Functions Execution Status Change" on the default event bus."""
    machine = execution.state_machine
    try:
        emit(
            world,
            machine.account,
            machine.region,
            source="aws.states",
            detail_type="Step Functions Execution Status Change",
            detail=_detail(execution),
            resources=[execution.arn],
        )
    except Exception:
        # An execution goes on though nobody hears of it.
        log.exception("cannot announce %s", execution.arn)


def _detail(execution: Execution) -> dict[str, Any]:
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": _milliseconds(execution.started),
        "stopDate": _milliseconds(execution.stopped),
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatus": "NOT_REDRIVABLE",
        "error": execution.error,
        "cause": execution.cause,
        **_data("input", execution.input_text),
        **_data("output", execution.output),
    }


def _data(name: str, text: str | None) -> dict[str, Any]:
    if text is None:
        return {name: None, f"{name}Details": None}
    included = len(text.encode(errors="surrogatepass")) <= _MAX_DATA
    return {name: text if included else None, f"{name}Details": {"included": included}}


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else epoch_milliseconds(moment)
