"""Explains why a run or a deployment failed, for its notification and for whoever looks at it later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.explain_failure.adapters import CloudWatchLogs, LogReader
from lambdas.explain_failure.logic import console_link, explain, subject
from lambdas.shared.logs import Log

log = Log("explain_failure")


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point, called by the state machines."""
    return respond(event, CloudWatchLogs(log))


def respond(event: Mapping[str, Any], logs: LogReader) -> dict[str, str]:
    """Explain a failure.

    Args:
        event: `what` failed (such as "job curve"), the `execution` (an ARN), `error` and `cause` as Step
            Functions caught them, `logGroup` and `logStream` (the beginning of a stream's name).
        logs: where the log is read.

    Returns:
        `error`, `cause` (one line), `remedy`, `text` (both, with the end of the log), and the `subject`
        and `message` of the notification.
    """
    tail = logs.tail(event["logGroup"], event["logStream"])
    explanation = explain(event["error"], event["cause"], tail)
    log.info(
        "explained",
        what=event["what"],
        execution=event["execution"],
        cause=explanation.cause,
        remedy=explanation.remedy,
    )
    link = console_link(event["execution"])
    run = event["execution"].rsplit(":", 1)[-1]
    return {
        "error": event["error"],
        "cause": explanation.cause,
        "remedy": explanation.remedy,
        "text": explanation.text(),
        "subject": subject(event["what"]),
        "message": f"{event['what']}, run {run}, failed.\n\n{explanation.text()}\n\n{link}\n",
    }
