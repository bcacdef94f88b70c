"""CloudWatch alarms that look at their metrics: moto keeps them, and leaves them as they are.

Every few seconds each alarm on one metric is compared with its last periods, as AWS does every minute. A
change of its state goes to the topics that it names, and to EventBridge. Alarms on expressions or on other
alarms change only when somebody sets their state.
"""

from __future__ import annotations

import json
import operator
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from localaws.events import emit
from localaws.service import AwsError, Call, Params, Result, Service, operation
from localaws.timer import Timer
from localaws.world import World

LOOK_SECONDS = 2.0
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}
_MISSING = {"breaching": True, "notBreaching": False}
_ACTIONS = {
    "ALARM": "alarm_actions",
    "INSUFFICIENT_DATA": "insufficient_data_actions",
    "OK": "ok_actions",
}


class Alarms(Service):
    """The states of all alarms; moto answers for the rest of CloudWatch."""

    name = "cloudwatch"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._timer = Timer("alarms", world.background)

    def start(self) -> None:
        """Look at the alarms from now on."""
        self._timer.after(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    @operation("SetAlarmState")
    def set_state(self, call: Call, params: Params) -> Result:
        """Change a state by hand, until the alarm is looked at again; what follows is the same."""
        for place, alarm in _alarms():
            if place == call and alarm.name == params["AlarmName"]:
                self._change(call, alarm, params["StateValue"], params["StateReason"])
                return None
        raise AwsError("ResourceNotFound", "Unknown", 404)

    def _look(self) -> None:
        try:
            for call, alarm in _alarms():
                state = state_of(alarm, _data(call), datetime.now(UTC)) if _is_simple(alarm) else None
                if state is not None and state != alarm.state_value:
                    self._change(
                        call, alarm, state, f"Threshold {alarm.comparison_operator} {alarm.threshold}"
                    )
        finally:
            self._timer.after(LOOK_SECONDS, self._look)

    def _change(self, call: Call, alarm: Any, state: str, reason: str) -> None:
        before = alarm.state_value
        alarm.update_state(reason, "{}", state)
        detail = {
            "alarmName": alarm.name,
            "state": {"value": state, "reason": reason},
            "previousState": {"value": before},
        }
        emit(
            self.world,
            call.account,
            call.region,
            source="aws.cloudwatch",
            detail_type="CloudWatch Alarm State Change",
            detail=detail,
            resources=[alarm.alarm_arn],
        )
        if alarm.actions_enabled:
            for target in getattr(alarm, _ACTIONS[state]):
                if target.split(":")[2] == "sns":
                    self.world.background(self._tell, call, alarm, target, before)

    def _tell(self, call: Call, alarm: Any, topic: str, before: str) -> None:
        text = {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AlarmArn": alarm.alarm_arn,
            "AWSAccountId": call.account,
            "Region": call.region,
            "OldStateValue": before,
            "NewStateValue": alarm.state_value,
            "NewStateReason": alarm.state_reason,
        }
        self.world.client("sns", call.account, topic.split(":")[3]).publish(
            TopicArn=topic,
            Subject=f'{alarm.state_value}: "{alarm.name}" in {call.region}'[:99],
            Message=json.dumps(text),
        )


def state_of(alarm: Any, data: list[Any], now: datetime) -> str | None:
    """The state that an alarm's last periods call for; None where it stays as it is."""
    judged = [_judged(alarm, data, now, number) for number in range(int(alarm.evaluation_periods))]
    filled = [_MISSING.get(alarm.treat_missing_data) if one is None else one for one in judged]
    known = [one for one in filled if one is not None]
    if not known:
        return None if alarm.treat_missing_data == "ignore" else "INSUFFICIENT_DATA"
    needed = int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    return "ALARM" if sum(known) >= min(needed, len(known)) else "OK"


def _judged(alarm: Any, data: list[Any], now: datetime, number: int) -> bool | None:
    """Whether the period that ended `number` periods ago breaches the threshold; None without data."""
    from moto.cloudwatch.models import Statistics  # noqa: PLC0415 -- loaded once there is an alarm

    end = now - timedelta(seconds=number * int(alarm.period))
    start = end - timedelta(seconds=int(alarm.period))
    found = Statistics([alarm.statistic], start)
    found.metric_data = [one for one in data if start < _moment(one) <= end and _measures(one, alarm)]
    if not found.metric_data:
        return None
    value = found.get_statistics_for_type(alarm.statistic)
    return _COMPARISONS[alarm.comparison_operator](float(value or 0), float(alarm.threshold))


def _measures(datum: Any, alarm: Any) -> bool:
    if (datum.namespace, datum.name) != (alarm.namespace, alarm.metric_name):
        return False
    ours, theirs = ({(one.name, one.value) for one in part.dimensions} for part in (alarm, datum))
    return ours == theirs


def _moment(datum: Any) -> datetime:
    moment: datetime = datum.timestamp
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_simple(alarm: Any) -> bool:
    return bool(alarm.metric_name and alarm.statistic and alarm.comparison_operator in _COMPARISONS)


def _alarms() -> Iterator[tuple[Call, Any]]:
    """Every alarm with its account and region; none as long as nobody called CloudWatch."""
    models = sys.modules.get("moto.cloudwatch.models")
    if models is None:
        return
    for account, regions in list(models.cloudwatch_backends.items()):
        for region, backend in list(regions.items()):
            for alarm in list(backend.alarms.values()):
                yield Call(account, region), alarm


def _data(call: Call) -> list[Any]:
    backends: Any = sys.modules["moto.cloudwatch.models"].cloudwatch_backends
    return list(backends[call.account][call.region].metric_data)
