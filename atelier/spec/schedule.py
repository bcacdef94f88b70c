"""Checks EventBridge schedule expressions: `rate(1 day)`, `cron(0 6 * * ? *)`."""

from __future__ import annotations

import re
from dataclasses import dataclass

RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
CRON = re.compile(r"cron\((.*)\)")

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    extra: str = r"(?!)"
    """What else a whole item may be, as a regular expression."""

    def wrong(self, text: str) -> str | None:
        """The first item of this field that means nothing, or None."""
        return next((item for item in text.split(",") if not self._is_item(item)), None)

    def _is_item(self, item: str) -> bool:
        if item == "*" or re.fullmatch(self.extra, item):
            return True
        span, slash, step = item.partition("/")
        if slash and not (step.isascii() and step.isdigit() and 0 < int(step) <= self.high):
            return False
        if slash and span == "*":
            return True
        first, dash, last = span.partition("-")
        low, high = self._number(first), self._number(last) if dash else self.high
        return low is not None and high is not None

    def _number(self, text: str) -> int | None:
        if text.upper() in self.words:
            return self.words.index(text.upper()) + 1
        if re.fullmatch(r"[0-9]{1,4}", text) and self.low <= int(text) <= self.high:
            return int(text)
        return None


FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, extra=r"\?|L|LW|([1-9]|[12]\d|3[01])W"),
    _Field("month", 1, 12, MONTHS),
    _Field("day of week", 1, 7, WEEKDAYS, extra=r"\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"),
    _Field("year", 1970, 2199),
)


def wrong(expression: str) -> tuple[str, str] | None:
    """The reason why EventBridge would refuse a schedule, and the remedy; None when it would not."""
    return _wrong_cron(expression) if expression.startswith("cron") else _wrong_rate(expression)


def _wrong_rate(expression: str) -> tuple[str, str] | None:
    match = RATE.fullmatch(expression)
    if match is None:
        return "is no rate", "such as  rate(5 minutes), rate(1 hour), rate(7 days)"
    count, unit, plural = int(match[1]), match[2], match[3]
    if count == 0:
        return "a rate is at least 1", f"write  rate(1 {unit})"
    if (count == 1) == bool(plural):
        right = unit if count == 1 else f"{unit}s"
        return f"{count} goes with {right}", f"write  rate({count} {right})"
    return None


def _wrong_cron(expression: str) -> tuple[str, str] | None:
    match = CRON.fullmatch(expression)
    parts = match[1].split() if match else []
    if len(parts) != len(FIELDS):
        names = ", ".join(field.name for field in FIELDS)
        return f"a cron schedule has 6 fields, this one {len(parts)}", f"write {names}: cron(0 6 * * ? *)"
    for field, text in zip(FIELDS, parts, strict=True):
        item = field.wrong(text)
        if item is not None:
            return (
                f"{item!r} is no {field.name}",
                f"between {field.low} and {field.high}, * or a list, - or /",
            )
    if (parts[2] == "?") == (parts[4] == "?"):
        return (
            "one of day of month and day of week must be ?, and only one",
            "write ? for the one that does not matter: cron(0 6 * * ? *)",
        )
    return None
