"""The log of a failed job or endpoint."""

from __future__ import annotations

from typing import Protocol

from botocore.exceptions import ClientError

from lambdas.shared.clients import client
from lambdas.shared.logs import Log

TAIL_LINES = 20


class LogReader(Protocol):
    """What the function needs of CloudWatch Logs."""

    def tail(self, group: str, stream_prefix: str) -> list[str]:
        """The last lines of the newest stream whose name begins so, oldest first; none without a stream."""
        ...


class CloudWatchLogs:
    """The real one."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def tail(self, group: str, stream_prefix: str) -> list[str]:
        """The last lines of the stream that was written to last."""
        logs = client("logs")
        try:
            streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream_prefix)[
                "logStreams"
            ]
            if not streams:
                return []
            newest = max(streams, key=lambda stream: stream.get("lastEventTimestamp", 0))
            events = logs.get_log_events(
                logGroupName=group,
                logStreamName=newest["logStreamName"],
                limit=TAIL_LINES,
                startFromHead=False,
            )["events"]
        except ClientError as error:
            # A job that never started has no log. The failure is to be told with or without it.
            self._log.warning("no log to read", group=group, stream_prefix=stream_prefix, reason=str(error))
            return []
        return [event["message"].rstrip() for event in events]
