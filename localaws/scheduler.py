"""EventBridge Scheduler: schedules of the default group that call an operation of AWS when they are due.

A target is universal, `arn:aws:scheduler:::aws-sdk:<service>:<operation>`: its `Input` holds the operation's
parameters. Templated targets, groups, one-time schedules and time zones other than UTC are refused by name.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from localaws.events.schedule import Cron, InvalidSchedule, Rate, parse_schedule
from localaws.service import AwsError, Call, NotEmulated, Params, Result, Service, operation
from localaws.timer import Timer
from localaws.world import World

log = logging.getLogger("localaws")

GROUP = "default"
UNIVERSAL = re.compile(r"arn:[a-z-]+:scheduler:::aws-sdk:([a-z0-9]+):([A-Za-z0-9]+)")
DEFAULT_RETRIES = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
LONGEST_PAUSE_SECONDS = 60.0
# A timer of the machine stands still while a laptop sleeps: look at the clock at least this often.
LOOK_SECONDS = 30.0

_Key = tuple[str, str, str]
"""Account, region, name."""
_KEPT = ("Description", "FlexibleTimeWindow", "ScheduleExpression", "State", "Target")


@dataclass(frozen=True)
class Schedule:
    """A schedule as it stands; a change makes another, so that what waits for the old one finds it gone."""

    arn: str
    settings: Params
    times: Rate | Cron
    created: datetime
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def described(self) -> dict[str, Any]:
        """The schedule as GetSchedule answers it."""
        return {
            "Arn": self.arn,
            "Name": self.arn.rpartition("/")[2],
            "GroupName": GROUP,
            "ScheduleExpressionTimezone": "UTC",
            "CreationDate": self.created,
            "LastModificationDate": self.changed,
            **self.settings,
        }


class Scheduler(Service):
    """Keeps schedules and fires them."""

    name = "scheduler"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._schedules: dict[_Key, Schedule] = {}
        self._lock = threading.Lock()
        self._timer = Timer("scheduler", world.background)

    def stop(self) -> None:
        """Fire nothing any more."""
        self._timer.stop()

    @operation("CreateSchedule")
    def create_schedule(self, call: Call, params: Params) -> Result:
        """Make a schedule under a name that is free."""
        key = _key(call, params)
        with self._lock:
            if key in self._schedules:
                raise AwsError("ConflictException", f"Schedule {params['Name']} already exists.", 409)
            arn = f"arn:aws:scheduler:{call.region}:{call.account}:schedule/{GROUP}/{params['Name']}"
            made = self._made(call, params, arn, datetime.now(UTC))
            self._schedules[key] = made
        self._await(key, made, made.times.next_after(datetime.now(UTC)))
        return {"ScheduleArn": made.arn}

    @operation("UpdateSchedule")
    def update_schedule(self, call: Call, params: Params) -> Result:
        """Put another schedule in the place of the one of this name; it takes over no setting."""
        key = _key(call, params)
        with self._lock:
            old = self._found(key)
            made = self._made(call, params, old.arn, old.created)
            self._schedules[key] = made
        self._await(key, made, made.times.next_after(datetime.now(UTC)))
        return {"ScheduleArn": made.arn}

    @operation("GetSchedule")
    def get_schedule(self, call: Call, params: Params) -> Result:
        """Describe a schedule."""
        with self._lock:
            return self._found(_key(call, params)).described

    @operation("DeleteSchedule")
    def delete_schedule(self, call: Call, params: Params) -> Result:
        """Forget a schedule."""
        key = _key(call, params)
        with self._lock:
            self._found(key)
            del self._schedules[key]
        return {}

    @operation("ListSchedules")
    def list_schedules(self, call: Call, params: Params) -> Result:
        """All schedules of the account and region whose names begin so."""
        prefix = params.get("NamePrefix", "")
        with self._lock:
            found = [
                schedule.described
                for (account, region, name), schedule in sorted(self._schedules.items())
                if (account, region) == (call.account, call.region) and name.startswith(prefix)
            ]
        return {"Schedules": [{**one, "Target": {"Arn": one["Target"]["Arn"]}} for one in found]}

    def _found(self, key: _Key) -> Schedule:
        schedule = self._schedules.get(key)
        if schedule is None:
            raise AwsError("ResourceNotFoundException", f"Schedule {key[2]} does not exist.", 404)
        return schedule

    def _made(self, call: Call, params: Params, arn: str, created: datetime) -> Schedule:
        for name in ("StartDate", "EndDate"):
            if params.get(name):
                raise NotEmulated(f"{name} of a schedule")
        if params.get("ScheduleExpressionTimezone", "UTC") != "UTC":
            raise NotEmulated("a schedule in a time zone other than UTC")
        target = params["Target"]
        self._client_and_method(call, target["Arn"])
        try:
            json.loads(target.get("Input", "{}"))
        except ValueError as error:
            raise _invalid(f"Invalid Target.Input: {error}") from error
        settings = {name: params[name] for name in _KEPT if name in params}
        settings["State"] = params.get("State", "ENABLED")
        settings["Target"] = {"RetryPolicy": DEFAULT_RETRIES, **target}
        return Schedule(arn, settings, _times(params["ScheduleExpression"]), created)

    def _client_and_method(self, call: Call, arn: str) -> tuple[Any, str]:
        """What a target's ARN names, which must exist."""
        match = UNIVERSAL.fullmatch(arn)
        if match is None:
            raise NotEmulated(f"the target {arn} of a schedule")
        service, name = match.groups()
        try:
            client = self.world.client(service, call.account, call.region)
        except UnknownServiceError as error:
            raise _invalid(f"Invalid RequestJson provided. Reason: unknown service {service}") from error
        method = xform_name(name[0].upper() + name[1:])
        if method not in client.meta.method_to_api_mapping:
            raise _invalid(f"Invalid RequestJson provided. Reason: {service} has no action {name}")
        return client, method

    def _await(self, key: _Key, schedule: Schedule, due: datetime | None) -> None:
        if due is not None:
            wait = max(0.0, (due - datetime.now(UTC)).total_seconds())
            self._timer.after(min(wait, LOOK_SECONDS), self._look, key, schedule, due)

    def _look(self, key: _Key, schedule: Schedule, due: datetime) -> None:
        """Fire the schedule if its time has come, and wait for the next time."""
        with self._lock:
            if self._schedules.get(key) is not schedule:
                return
        now = datetime.now(UTC)
        if now < due:
            self._await(key, schedule, due)
            return
        if schedule.settings["State"] == "ENABLED":
            self.world.background(self._fire, key, schedule, 0)
        # Times that passed while the machine slept are left out.
        self._await(key, schedule, schedule.times.next_after(max(now, due)))

    def _fire(self, key: _Key, schedule: Schedule, attempt: int) -> None:
        target = schedule.settings["Target"]
        client, method = self._client_and_method(Call(key[0], key[1]), target["Arn"])
        try:
            getattr(client, method)(**json.loads(target.get("Input", "{}")))
        except Exception as error:  # noqa: BLE001 -- whatever the operation answers is tried again
            log.info("schedule %s: %s", key[2], error)
            if attempt < target["RetryPolicy"].get("MaximumRetryAttempts", 185):
                pause = min(LONGEST_PAUSE_SECONDS, 2.0**attempt)
                self._timer.after(pause, self._fire, key, schedule, attempt + 1)


def _key(call: Call, params: Params) -> _Key:
    if params.get("GroupName", GROUP) != GROUP:
        raise NotEmulated("a group of schedules")
    return call.account, call.region, params["Name"]


def _times(expression: str) -> Rate | Cron:
    if expression.startswith("at("):
        raise NotEmulated("a schedule that fires once")
    try:
        return parse_schedule(expression)
    except InvalidSchedule as error:
        raise _invalid(f"Invalid Schedule Expression {expression}. {error}") from error


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
