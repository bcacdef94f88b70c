"""From an event to the targets of the rules that match it, with retries and dead letters."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends

from localaws.events.patterns import Event, InvalidPattern, compile_pattern
from localaws.events.targets import SENDERS, Parcel, error_code, kind_of, queue_url
from localaws.events.transform import target_input
from localaws.world import World

log = logging.getLogger("localaws.events")

RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Waits before each retry. AWS tries up to 185 times within a day; the rest of them are left out here."""
_MAX_HOPS = 5  # from bus to bus, as events that lead in a circle would go on for ever


def emit(
    world: World,
    account: str,
    region: str,
    *,
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Sequence[str] = (),
) -> None:
    """Put an event of an AWS service on the account's default bus; delivery happens in the background."""
    event = make_event(
        account, region, source=source, detail_type=detail_type, detail=detail, resources=resources
    )
    world.background(deliver, world, account, region, "default", event)


def make_event(
    account: str,
    region: str,
    *,
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Sequence[str] = (),
    moment: datetime | None = None,
) -> dict[str, Any]:
    """An event with its envelope."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


def deliver(world: World, account: str, region: str, bus: str, event: Event, hops: int = 0) -> None:
    """Send the event to every target of every enabled rule of that bus that matches it."""
    found = events_backends[account][region].event_buses.get(bus)
    for rule in list(found.rules.values()) if found else []:
        if matches(rule, event):
            send_to_targets(world, rule, event, hops)


def send_to_targets(world: World, rule: Any, event: Event, hops: int = 0) -> None:
    """Send the event to every target of one of moto's rules."""
    for target in list(rule.targets):
        world.background(_send, world, rule, target, event, hops)


def matches(rule: Any, event: Event) -> bool:
    """Whether one of moto's rules is enabled and its pattern matches the event."""
    text = rule.event_pattern.dump()
    try:
        return bool(text) and rule.state != "DISABLED" and compile_pattern(text)(event)
    except InvalidPattern:  # made by moto itself, for an archive
        log.exception("the pattern of rule %s is not valid", rule.arn)
        return False


def _send(world: World, rule: Any, target: Mapping[str, Any], event: Event, hops: int) -> None:
    arn, kind = target["Arn"], kind_of(target["Arn"])
    if kind == "event-bus":
        _, _, _, region, account, resource = arn.split(":", 5)
        if hops < _MAX_HOPS:
            deliver(world, account, region, resource.split("/", 1)[1], event, hops + 1)
    elif kind is not None:
        text = target_input(target, event, rule.name, rule.arn, _now())
        _attempt(Parcel(world, rule.account_id, target, event, text), kind, rule.arn)
    elif arn.endswith(":::"):
        _archive(rule, event)


def _attempt(parcel: Parcel, kind: str, rule_arn: str) -> None:
    """Deliver, try again as the target's policy says, and keep what cannot be delivered."""
    policy = parcel.target.get("RetryPolicy", {})
    retries = min(policy.get("MaximumRetryAttempts", len(RETRY_SECONDS)), len(RETRY_SECONDS))
    expires = time.time() + policy.get("MaximumEventAgeInSeconds", 86_400)
    for attempt in range(retries + 1):
        try:
            SENDERS[kind](parcel)
        except Exception as error:  # noqa: BLE001 -- whatever keeps the event from its target
            code, again = error_code(error)
            expired = again and time.time() > expires
            if again and attempt < retries and not expired:
                if parcel.world.stopping.wait(RETRY_SECONDS[attempt]):
                    return
                continue
            log.warning("rule %s could not reach %s: %s", rule_arn, parcel.arn, error)
            exhausted = "MaximumEventAgeInSeconds" if expired else "MaximumRetryAttempts" if again else None
            _dead_letter(parcel, rule_arn, code, str(error), exhausted, attempt)
            return
        else:
            return


def _dead_letter(
    parcel: Parcel, rule_arn: str, code: str, message: str, exhausted: str | None, retries: int
) -> None:
    arn = parcel.target.get("DeadLetterConfig", {}).get("Arn")
    if not arn:
        return
    values = {
        "RULE_ARN": rule_arn,
        "TARGET_ARN": parcel.arn,
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message,
        "RETRY_ATTEMPTS": str(retries),
        **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
    }
    client = parcel.world.client("sqs", parcel.account, arn.split(":")[3])
    client.send_message(
        QueueUrl=queue_url(client, arn),
        MessageBody=json.dumps(parcel.event),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in values.items()
        },
    )


def _archive(rule: Any, event: Event) -> None:
    """Moto keeps an archive by a rule of its own, named after it."""
    archives = events_backends[rule.account_id][rule.region_name].archives
    archive = archives.get(rule.name.removeprefix("Events-Archive-"))
    if archive is not None:
        archive.events.append(event)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
