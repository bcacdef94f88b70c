"""Asynchronous invocations: each waits its turn, is retried, and then reported to its destination."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from localaws.lambda_.destinations import send, send_dead_letter
from localaws.lambda_.function import Function, utc_now
from localaws.lambda_.sandbox import Event, Outcome
from localaws.service import AwsError
from localaws.timer import Timer
from localaws.world import World

log = logging.getLogger("localaws.lambda")

RETRY_SECONDS = (1.0, 2.0)
"""Waits before the first and second retry. AWS waits one and two minutes; a laptop's user would not."""
_THROTTLED_SECONDS = 1.0
# So many events run at once; the others wait, rather than start a process each on a small machine.
_PARALLEL = 16


@dataclass(frozen=True)
class Job:
    """An accepted event, with how often it has been tried."""

    function: Function
    event: Event
    accepted: float
    attempts: int = 0


class AsyncQueue:
    """Runs accepted events through `run(function, event)`."""

    def __init__(self, world: World, run: Callable[[Function, Event], Outcome]) -> None:
        self._world = world
        self._run = run
        self._pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="lambda-async")
        self._timer = Timer("lambda-retries", self._submit)

    def accept(self, function: Function, event: Event) -> None:
        """Take an event; the caller does not wait for it."""
        self._submit(self._attempt, Job(function, event, time.time()))

    def stop(self) -> None:
        """Forget what waits; the workers of what runs must have been killed."""
        self._timer.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Callable[..., object], *args: Any) -> None:
        if not self._world.stopping.is_set():
            self._pool.submit(_guarded, work, *args)

    def _attempt(self, job: Job) -> None:
        config = job.function.event_invoke or {}
        expired = time.time() - job.accepted > config.get("MaximumEventAgeInSeconds", 21_600)
        try:
            outcome = self._run(job.function, job.event)
        except AwsError as error:
            if error.code == "TooManyRequestsException" and not expired:
                self._timer.after(_THROTTLED_SECONDS, self._attempt, job)
                return
            outcome = Outcome(
                json.dumps({"errorType": error.code, "errorMessage": error.message}).encode(), True, b""
            )
        if self._world.stopping.is_set():
            return
        job = replace(job, attempts=job.attempts + 1)
        if outcome.failed and not expired and job.attempts <= config.get("MaximumRetryAttempts", 2):
            self._timer.after(RETRY_SECONDS[job.attempts - 1], self._attempt, job)
            return
        condition = "Success"
        if outcome.failed:
            condition = "EventAgeExceeded" if expired else "RetriesExhausted"
        self._report(job, outcome, condition)

    def _report(self, job: Job, outcome: Outcome, condition: str) -> None:
        """Tell the destination for this condition, and the dead-letter queue of a failure."""
        deployment = job.function.deployment
        account = deployment.identifier.account
        destinations = (job.function.event_invoke or {}).get("DestinationConfig", {})
        side = "OnFailure" if outcome.failed else "OnSuccess"
        target = destinations.get(side, {}).get("Destination")
        if target:
            record = {
                "version": "1.0",
                "timestamp": utc_now(),
                "requestContext": {
                    "requestId": job.event.request_id,
                    "functionArn": f"{deployment.identifier.arn}:$LATEST",
                    "condition": condition,
                    "approximateInvokeCount": job.attempts,
                },
                "requestPayload": json.loads(job.event.payload),
                "responseContext": {
                    "statusCode": 200,
                    "executedVersion": "$LATEST",
                    **({"functionError": "Unhandled"} if outcome.failed else {}),
                },
                "responsePayload": json.loads(outcome.payload),
            }
            send(self._world, account, target, record)
        dead_letters = deployment.settings.get("DeadLetterConfig", {}).get("TargetArn")
        if dead_letters and outcome.failed:
            message = str(json.loads(outcome.payload).get("errorMessage", ""))
            send_dead_letter(self._world, account, dead_letters, job.event, message)


def _guarded(work: Callable[..., object], *args: Any) -> None:
    try:
        work(*args)
    except Exception:
        log.exception("an asynchronous invocation could not be finished")
