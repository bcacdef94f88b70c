"""Carry the output of jobs and endpoints to CloudWatch Logs, twice a second."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from localaws.service import Call
from localaws.world import World

log = logging.getLogger("localaws.sagemaker")

_INTERVAL_SECONDS = 0.5
_BATCH_EVENTS = 1_000
_MESSAGE_CHARS = 60_000
"""An event of CloudWatch Logs holds 256 KiB: so many characters fit at four bytes each."""


class LogStream:
    """One log stream; lines wait here until the shipper takes them."""

    def __init__(self, shipper: LogShipper, call: Call, group: str, stream: str) -> None:
        self.call = call
        self.group = group
        self.stream = stream
        self.tail: deque[str] = deque(maxlen=20)
        """The last lines, for a failure reason."""
        self._shipper = shipper
        self._waiting: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Add a line with the present time."""
        self.tail.append(line)
        with self._lock:
            # An empty message is refused, but an empty line is part of what a job says.
            event = {"timestamp": time.time_ns() // 1_000_000, "message": line[:_MESSAGE_CHARS] or " "}
            self._waiting.append(event)
        self._shipper.wake()

    def take(self) -> list[dict[str, Any]]:
        """The lines that wait, which are then the caller's."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting


class LogShipper:
    """One thread that carries the lines of every open stream; it sleeps while nobody writes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._streams: list[LogStream] = []
        self._lock = threading.Lock()
        self._written = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sagemaker-logs", daemon=True)

    def start(self) -> None:
        """Carry from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Carry what waits, then end."""
        self._ended.set()
        self._written.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def wake(self) -> None:
        """Something waits."""
        self._written.set()

    def open(self, call: Call, group: str, stream: str) -> LogStream:
        """A stream that is carried until it is closed; group and stream are made where they are missing."""
        client = self._world.client("logs", call.account, call.region)
        for create, names in (
            (client.create_log_group, {"logGroupName": group}),
            (client.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
        ):
            with suppress(client.exceptions.ResourceAlreadyExistsException):
                create(**names)
        opened = LogStream(self, call, group, stream)
        with self._lock:
            self._streams.append(opened)
        return opened

    def close(self, stream: LogStream) -> None:
        """Carry what waits in a stream, now, and forget it."""
        with self._lock:
            self._streams = [other for other in self._streams if other is not stream]
        self._ship(stream)

    def _work(self) -> None:
        while not self._ended.is_set():
            self._written.wait()
            self._ended.wait(_INTERVAL_SECONDS)
            self._written.clear()
            with self._lock:
                streams = list(self._streams)
            for stream in streams:
                self._ship(stream)

    def _ship(self, stream: LogStream) -> None:
        events = stream.take()
        client = self._world.client("logs", stream.call.account, stream.call.region)
        for start in range(0, len(events), _BATCH_EVENTS):
            try:
                client.put_log_events(
                    logGroupName=stream.group,
                    logStreamName=stream.stream,
                    logEvents=events[start : start + _BATCH_EVENTS],
                )
            except ClientError:
                # The group can be deleted under a running job; the job goes on without a log, as on AWS.
                log.warning("lost %d lines of %s %s", len(events) - start, stream.group, stream.stream)
                return
