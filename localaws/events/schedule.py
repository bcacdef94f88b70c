"""Schedule expressions: rate(5 minutes) and AWS's cron with six fields, in UTC.

No library is used: those for cron know five fields, or not `?`, `L`, `W` and `#` together.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_LAST_YEAR = 2199

_DayTest: TypeAlias = "Callable[[date], bool]"


class InvalidSchedule(ValueError):
    """The expression is none; the message says which part and why."""


@dataclass(frozen=True)
class Rate:
    """Every `seconds`, counted from the time that the rule was made."""

    seconds: int

    def next_after(self, moment: datetime) -> datetime:
        """The time of the next event when the last was at `moment`."""
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Cron:
    """The times at which all six fields hold."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    day: _DayTest

    def next_after(self, moment: datetime) -> datetime | None:
        """The first such time after `moment` (to the minute); None when there is none any more."""
        start = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = start.date()
        while day.year <= _LAST_YEAR:
            if day.year not in self.years:
                day = date(day.year + 1, 1, 1)
            elif day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
            else:
                found = self._on(day, start) if self.day(day) else None
                if found is not None:
                    return found
                day += timedelta(days=1)
        return None

    def _on(self, day: date, start: datetime) -> datetime | None:
        times = (
            datetime.combine(day, time(hour, minute), UTC) for hour in self.hours for minute in self.minutes
        )
        return next((moment for moment in times if moment >= start), None)


def parse_schedule(expression: str) -> Rate | Cron:
    """What a ScheduleExpression means; raises InvalidSchedule."""
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression)
    if match is not None:
        value, unit, plural = int(match[1]), match[2], bool(match[3])
        if value < 1 or plural != (value > 1):
            raise InvalidSchedule(f"{expression}: the value is positive, and the unit singular for 1 only")
        return Rate(value * _UNITS[unit])
    match = re.fullmatch(r"cron\((.*)\)", expression)
    if match is None:
        raise InvalidSchedule(f"{expression}: neither rate(value unit) nor cron(fields)")
    fields = match[1].split()
    if len(fields) != 6:  # noqa: PLR2004 -- what AWS's cron has
        raise InvalidSchedule(f"{expression}: cron takes 6 fields (minutes hours day month weekday year)")
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise InvalidSchedule(f"{expression}: one of day-of-month and day-of-week must be ?, the other not")
    return Cron(
        minutes=tuple(sorted(_numbers(minutes, 0, 59))),
        hours=tuple(sorted(_numbers(hours, 0, 23))),
        months=_numbers(month, 1, 12, _MONTHS),
        years=_numbers(year, 1970, _LAST_YEAR),
        day=_any(_day_of_month, day) if weekday == "?" else _any(_day_of_week, weekday),
    )


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """The values of a field: a list of `*`, numbers, names, ranges and steps (`a/n`, `a-b/n`)."""

    def number(text: str) -> int:
        value = (names or {}).get(text.upper(), int(text) if text.isascii() and text.isdigit() else -1)
        if not low <= value <= high:
            raise InvalidSchedule(f"{text!r} in {field!r} is not within {low} to {high}")
        return value

    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            raise InvalidSchedule(f"{part!r} in {field!r} has no positive step")
        first, dash, last = span.partition("-")
        begin = low if first == "*" or (slash and not first) else number(first)
        end = number(last) if dash else high if slash or first == "*" else begin
        if end < begin:  # FRI-MON, 22-2: over the end and on from the start
            values = [*range(begin, high + 1), *range(low, end + 1)]
        else:
            values = list(range(begin, end + 1))
        found.update(values[:: int(step) if slash else 1])
    return frozenset(found)


def _any(parse: Callable[[str], _DayTest], field: str) -> _DayTest:
    tests = [parse(part) for part in field.split(",")]
    return lambda day: any(test(day) for test in tests)


def _month_end(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _day_of_month(part: str) -> _DayTest:
    if part == "L":
        return lambda day: day.day == _month_end(day)
    if part == "LW":
        return lambda day: day == _nearest_weekday(day, _month_end(day))
    match = re.fullmatch(r"(\d{1,2})W", part)
    if match is not None:
        (wanted,) = _numbers(match[1], 1, 31)
        return lambda day: wanted <= _month_end(day) and day == _nearest_weekday(day, wanted)
    days = _numbers(part, 1, 31)
    return lambda day: day.day in days


def _nearest_weekday(day: date, wanted: int) -> date:
    """The weekday nearest to the `wanted` day of that month, within the month."""
    target = day.replace(day=wanted)
    offset = {5: -1, 6: 1}.get(target.weekday(), 0)  # Saturday to Friday, Sunday to Monday
    moved = target + timedelta(days=offset)
    return moved if moved.month == target.month else target - timedelta(days=2 * offset)


def _weekday(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _day_of_week(part: str) -> _DayTest:
    if part == "L":
        return lambda day: _weekday(day) == _WEEKDAYS["SAT"]
    match = re.fullmatch(r"(\w+?)(L|#([1-5]))", part)
    if match is not None:
        (wanted,) = _numbers(match[1], 1, 7, _WEEKDAYS)
        if match[2] == "L":
            return lambda day: _weekday(day) == wanted and day.day + 7 > _month_end(day)
        nth = int(match[3])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == nth
    days = _numbers(part, 1, 7, _WEEKDAYS)
    return lambda day: _weekday(day) in days
