"""A custom resource of CloudFormation with which things go that CloudFormation does not know.

It stands for what runs of the state machines made, what people made and started by hand, and what SageMaker
made around a Studio domain, and does nothing until they are to go. That may take longer than a function may
run: the function then calls itself, and answers CloudFormation only at the end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.remove_resources.adapters import AwsAccount
from lambdas.remove_resources.kinds import Account
from lambdas.remove_resources.logic import change, remove
from lambdas.remove_resources.patience import LONGEST_POLL, Clock, OutOfTime
from lambdas.shared.clients import client
from lambdas.shared.custom_resource import Answer, Continued, put, respond
from lambdas.shared.logs import Log

CLOUDFORMATION_WAITS = 3600  # seconds, unless the resource's ServiceTimeout says otherwise
RESERVE = 5.0  # seconds kept back of any time, for the answer or for calling itself
UNTIL = "AtelierUntil"
"""Added to the event when the function calls itself: when, in seconds since the epoch, to give up."""

log = Log("remove_resources")


@dataclass(frozen=True)
class Invocation:
    """One run of the function: its account and time, and how it ends."""

    account: Account
    sleep: Callable[[float], None]
    now: Callable[[], float]
    ends: float
    """When Lambda ends it, in seconds since the epoch."""
    again: Callable[[Mapping[str, Any]], None]
    """Calls the function once more, with an event."""
    answer: Answer = put


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry point, called by CloudFormation, which waits for the answer at the event's URL."""

    def again(event: Mapping[str, Any]) -> None:
        payload = json.dumps(event)
        client("lambda").invoke(FunctionName=context.function_name, InvocationType="Event", Payload=payload)

    ends = time.time() + context.get_remaining_time_in_millis() / 1000
    serve(event, Invocation(AwsAccount(), time.sleep, time.time, ends, again))


def serve(event: Mapping[str, Any], run: Invocation) -> None:
    """Answer a request of CloudFormation, or leave that to another invocation."""
    properties = event["ResourceProperties"]
    # Another name is another resource: CloudFormation then has the one of the old name removed.
    what = f"{properties['Kind']}/{properties['Name']}"
    failure = respond(event, what, lambda: _work(event, what, run), run.answer)
    if failure:
        log.failure("not removed", failure, what=what)


def _work(event: Mapping[str, Any], what: str, run: Invocation) -> None:
    properties = event["ResourceProperties"]
    patience = float(properties.get("ServiceTimeout", CLOUDFORMATION_WAITS)) - LONGEST_POLL - RESERVE
    until = float(event.get(UNTIL, run.now() + patience))
    clock = Clock(
        sleep=run.sleep,
        now=run.now,
        ends=min(until, run.ends - RESERVE),
        say=lambda what_for: log.info("waiting", what=what, waits_for=what_for),
    )
    try:
        match event["RequestType"]:
            case "Update":
                change(event["OldResourceProperties"], properties, run.account, clock)
            case "Delete":
                remove(properties, run.account, clock)
    except OutOfTime:
        if run.now() + LONGEST_POLL > until:
            raise
        log.info("goes on in another invocation", what=what)
        run.again({**event, UNTIL: until})
        raise Continued from None
    log.info("done", what=what, request=event["RequestType"])
