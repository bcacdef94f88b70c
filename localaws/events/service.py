"""The operations of EventBridge that the embedded AWS answers itself; the rest of it is moto's."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.core.exceptions import JsonRESTError
from moto.events.models import events_backends

from localaws.events.delivery import deliver, make_event, send_to_targets
from localaws.events.patterns import InvalidPattern, compile_pattern
from localaws.events.schedule import Cron, InvalidSchedule, Rate, parse_schedule
from localaws.events.targets import kind_of
from localaws.events.transform import valid_path
from localaws.service import AwsError, Call, NotEmulated, Params, Result, Service, operation
from localaws.timer import Timer
from localaws.world import World

_MAX_ENTRIES = 10
_MAX_TOTAL = 1_048_576
# A timer of the machine stands still while a laptop sleeps: look at the clock at least this often.
_LOOK_SECONDS = 60.0
_MANDATORY = ("id", "account", "source", "time", "region", "resources", "detail-type")

_RuleKey = tuple[str, str, str]  # account, region, name


class Events(Service):
    """Takes events, checks rules, and fires schedules."""

    name: ClassVar[str] = "events"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._timer = Timer("events-schedules", world.background)
        self._schedules: dict[_RuleKey, object] = {}
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Fire no schedule any more."""
        self._timer.stop()

    @operation("PutEvents")
    def put_events(self, call: Call, params: Params) -> Result:
        """Take up to ten events; each is answered with its id or with what is wrong with it."""
        entries = params["Entries"]
        if len(entries) > _MAX_ENTRIES:
            raise AwsError(
                "ValidationException",
                "1 validation error detected: Value at 'entries' failed to satisfy constraint: "
                f"Member must have length less than or equal to {_MAX_ENTRIES}",
            )
        if sum(_size(entry) for entry in entries) > _MAX_TOTAL:
            raise AwsError(
                "ValidationException", "Total size of the entries in the request is over the limit."
            )
        answers = [self._put_event(call, entry) for entry in entries]
        return {"Entries": answers, "FailedEntryCount": sum("ErrorCode" in answer for answer in answers)}

    def _put_event(self, call: Call, entry: Params) -> dict[str, str]:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                return _refused(
                    "InvalidArgument",
                    f"Parameter {name} is not valid. Reason: {name} is a required argument.",
                )
        if entry["Source"].startswith("aws."):
            return _refused("NotAuthorizedForSourceException", "Not authorized for the source.")
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return _refused("MalformedDetail", "Detail is malformed.")
        moment = entry.get("Time")
        event = make_event(
            call.account,
            call.region,
            source=entry["Source"],
            detail_type=entry["DetailType"],
            detail=detail,
            resources=entry.get("Resources", ()),
            moment=moment.replace(tzinfo=UTC) if moment else None,
        )
        account, region, bus = _bus(call, entry.get("EventBusName", "default"))
        self.world.background(deliver, self.world, account, region, bus, event)
        return {"EventId": event["id"]}

    @operation("PutRule")
    def put_rule(self, call: Call, params: Params) -> Result:
        """Make or change a rule, once its pattern and schedule are known to be good."""
        if not re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", params["Name"]):
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value '{params['Name']}' at 'name' failed to satisfy "
                r"constraint: Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+",
            )
        _checked_pattern(params.get("EventPattern"))
        expression = params.get("ScheduleExpression")
        schedule = _checked_schedule(expression)
        try:
            rule = events_backends[call.account][call.region].put_rule(
                name=params["Name"],
                description=params.get("Description"),
                event_bus_arn=params.get("EventBusName"),
                event_pattern=params.get("EventPattern"),
                role_arn=params.get("RoleArn"),
                scheduled_expression=expression,
                state=params.get("State"),
                tags=params.get("Tags"),
            )
        except JsonRESTError as error:
            raise AwsError(error.error_type, error.message) from error
        self._schedule((call.account, call.region, params["Name"]), schedule)
        return {"RuleArn": rule.arn}

    @operation("PutTargets")
    def put_targets(self, call: Call, params: Params) -> Result:
        """Add targets to a rule; one that could not be delivered to is refused by name."""
        for target in params["Targets"]:
            if kind_of(target["Arn"]) is None:
                raise NotEmulated(f"The EventBridge target {target['Arn']}")
            _check_input(target)
        try:
            events_backends[call.account][call.region].put_targets(
                params["Rule"], params.get("EventBusName"), params["Targets"]
            )
        except JsonRESTError as error:
            raise AwsError(error.error_type, error.message) from error
        return {"FailedEntryCount": 0, "FailedEntries": []}

    @operation("TestEventPattern")
    def test_event_pattern(self, call: Call, params: Params) -> Result:  # noqa: ARG002 -- the same for all callers
        """Whether an event matches a pattern."""
        try:
            event = json.loads(params["Event"])
        except ValueError as error:
            raise AwsError("ValidationException", f"Parameter Event is not valid. Reason: {error}") from error
        missing = [name for name in _MANDATORY if not isinstance(event, dict) or name not in event]
        if missing:
            raise AwsError(
                "ValidationException", f"Parameter Event is not valid. Reason: it has no {', '.join(missing)}"
            )
        _checked_pattern(params["EventPattern"])
        return {"Result": compile_pattern(params["EventPattern"])(event)}

    def _schedule(self, key: _RuleKey, schedule: Rate | Cron | None) -> None:
        """Begin the rule's schedule anew; the one it had before, if any, is over."""
        token = object()
        with self._lock:
            self._schedules.pop(key, None)
            if schedule is None:
                return
            self._schedules[key] = token
        self._await(key, token, schedule, schedule.next_after(datetime.now(UTC)))

    def _await(self, key: _RuleKey, token: object, schedule: Rate | Cron, due: datetime | None) -> None:
        if due is None:
            return
        wait = max(0.0, (due - datetime.now(UTC)).total_seconds())
        self._timer.after(min(wait, _LOOK_SECONDS), self._look, key, token, schedule, due)

    def _look(self, key: _RuleKey, token: object, schedule: Rate | Cron, due: datetime) -> None:
        """Fire the schedule if its time has come, and wait for the next time."""
        account, region, name = key
        rule = events_backends[account][region].event_buses["default"].rules.get(name)
        with self._lock:
            if self._schedules.get(key) is not token:
                return
            if rule is None:
                del self._schedules[key]
                return
        if datetime.now(UTC) < due:
            self._await(key, token, schedule, due)
            return
        if rule.state != "DISABLED":
            event = make_event(
                account,
                region,
                source="aws.events",
                detail_type="Scheduled Event",
                detail={},
                resources=[rule.arn],
                moment=due,
            )
            send_to_targets(self.world, rule, event)
        following, now = schedule.next_after(due), datetime.now(UTC)
        # Times that passed while the machine slept are left out.
        self._await(
            key, token, schedule, schedule.next_after(now) if following and following < now else following
        )


def _checked_pattern(text: str | None) -> None:
    if text is None:
        return
    try:
        compile_pattern(text)
    except InvalidPattern as error:
        raise AwsError(
            "InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}"
        ) from error


def _checked_schedule(expression: str | None) -> Rate | Cron | None:
    if not expression:
        return None
    try:
        return parse_schedule(expression)
    except InvalidSchedule as error:
        raise AwsError(
            "ValidationException", f"Parameter ScheduleExpression is not valid. Reason: {error}"
        ) from error


def _check_input(target: Params) -> None:
    given = [name for name in ("Input", "InputPath", "InputTransformer") if name in target]
    if len(given) > 1:
        raise AwsError(
            "ValidationException",
            f"Only one of {' and '.join(given)} must be provided for target {target['Id']}.",
        )
    transformer = target.get("InputTransformer", {})
    paths = [
        *transformer.get("InputPathsMap", {}).values(),
        *([target["InputPath"]] if "InputPath" in target else []),
    ]
    for path in paths:
        if not valid_path(path):
            raise AwsError("ValidationException", f"Invalid JSON path {path} for target {target['Id']}.")
    for name in transformer.get("InputPathsMap", {}):
        if name.lower().startswith("aws."):
            raise AwsError("ValidationException", f"The key {name} of target {target['Id']} starts with AWS.")
    if "Input" in target:
        try:
            json.loads(target["Input"])
        except ValueError as error:
            raise AwsError(
                "ValidationException", f"Invalid JSON input for target {target['Id']}: {error}"
            ) from error


def _size(entry: Params) -> int:
    """As the user guide counts it: 14 bytes for a time, and the text of the rest."""
    texts = [
        entry.get("Source", ""),
        entry.get("DetailType", ""),
        entry.get("Detail", ""),
        *entry.get("Resources", []),
    ]
    return sum(len(text.encode()) for text in texts) + (14 if "Time" in entry else 0)


def _bus(call: Call, name: str) -> tuple[str, str, str]:
    """Account, region and name of a bus, which must exist."""
    account, region = call.account, call.region
    if name.startswith("arn:"):
        _, _, _, region, account, resource = name.split(":", 5)
        name = resource.split("/", 1)[-1]
    if name not in events_backends[account][region].event_buses:
        raise AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")
    return account, region, name


def _refused(code: str, message: str) -> dict[str, Any]:
    return {"ErrorCode": code, "ErrorMessage": message}
