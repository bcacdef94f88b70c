"""Writes the events of executions to CloudWatch Logs, as a LoggingConfiguration asks for."""

from __future__ import annotations

import logging
import queue
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.stepfunctions.history import Listener, details_key
from localaws.stepfunctions.jsontext import dumps
from localaws.stepfunctions.tasks.shapes import epoch_milliseconds
from localaws.world import World

log = logging.getLogger("localaws.stepfunctions")

# Events that come so soon after each other are written by one call.
_GATHER_SECONDS = 0.2
_FATAL = frozenset({"ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"})
_DATA = frozenset({"input", "output", "parameters", "inputDetails", "outputDetails", "assignedVariables"})


@dataclass(frozen=True)
class Destination:
    """Where the events of one execution go: a log group, and a stream of its own in it."""

    account: str
    region: str
    group: str
    stream: str


def wanted(event_type: str, level: str) -> bool:
    """Whether a LoggingConfiguration of this level has the event written."""
    if level == "ALL":
        return True
    if level == "ERROR":
        return event_type in _FATAL or event_type.endswith(("Failed", "TimedOut", "Aborted"))
    return level == "FATAL" and event_type in _FATAL


def group_of(configuration: Mapping[str, Any]) -> str | None:
    """The name of the log group that a LoggingConfiguration names, or None when it logs nothing."""
    destinations = configuration.get("destinations") or []
    if configuration.get("level", "OFF") == "OFF" or not destinations:
        return None
    arn = destinations[0].get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "")
    return str(arn).split(":log-group:", 1)[-1].removesuffix(":*") or None


class LogWriter:
    """Writes events in the background, in batches."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._queue: queue.SimpleQueue[tuple[Destination, dict[str, Any]] | None] = queue.SimpleQueue()
        self._made: set[Destination] = set()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def listener(
        self, configuration: Mapping[str, Any], destination: Destination, execution_arn: str
    ) -> Listener:
        """What an execution's history calls for each event."""
        level = configuration.get("level", "OFF")
        with_data = bool(configuration.get("includeExecutionData"))

        def on_event(event: Mapping[str, Any]) -> None:
            if wanted(event["type"], level):
                self._put(destination, _entry(event, execution_arn, with_data=with_data))

        return on_event

    def stop(self) -> None:
        """Write no more."""
        self._queue.put(None)

    def _put(self, destination: Destination, entry: dict[str, Any]) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, daemon=True, name="stepfunctions-logs")
                self._thread.start()
        self._queue.put((destination, entry))

    def _write(self) -> None:
        while True:
            first = self._queue.get()
            self._world.stopping.wait(_GATHER_SECONDS)
            batches: dict[Destination, list[dict[str, Any]]] = defaultdict(list)
            item = first
            while item is not None:
                batches[item[0]].append(item[1])
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
            for destination, entries in batches.items():
                self._send(destination, entries)
            if item is None:
                return

    def _send(self, destination: Destination, entries: list[dict[str, Any]]) -> None:
        client = self._world.client("logs", destination.account, destination.region)
        where = {"logGroupName": destination.group, "logStreamName": destination.stream}
        try:
            if destination not in self._made:
                client.create_log_stream(**where)
                self._made.add(destination)
            client.put_log_events(**where, logEvents=entries)
        except (ClientError, BotoCoreError) as error:
            log.warning("cannot log to %s: %s", destination.group, error)


def _entry(event: Mapping[str, Any], execution_arn: str, *, with_data: bool) -> dict[str, Any]:
    """The log event of a history event, as AWS lays it out."""
    moment = epoch_milliseconds(event["timestamp"])
    details = event.get(details_key(event["type"]), {})
    message = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": {name: value for name, value in details.items() if with_data or name not in _DATA},
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(moment),
        "execution_arn": execution_arn,
    }
    return {"timestamp": moment, "message": dumps(message)}
