"""When schedules fire."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.events.schedule import InvalidSchedule, parse_schedule

START = datetime(2026, 11, 5, 10, 17, 33, tzinfo=UTC)  # a Thursday


def times(expression, count=3, start=START):
    """The next times after `start`."""
    schedule, found = parse_schedule(expression), []
    while len(found) < count:
        following = schedule.next_after(found[-1] if found else start)
        if following is None:
            break
        found.append(following)
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0/15 * * * ? *)", ["2026-11-05 10:30", "2026-11-05 10:45", "2026-11-05 11:00"]),
        ("cron(0 10 * * ? *)", ["2026-11-06 10:00", "2026-11-07 10:00", "2026-11-08 10:00"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-11-05 18:00", "2026-11-06 18:00", "2026-11-09 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-12-01 08:00", "2027-01-01 08:00", "2027-02-01 08:00"]),
        ("cron(0 0 L * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-31 00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-29 00:00"]),
        ("cron(0 0 1W * ? *)", ["2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00"]),
        ("cron(0 0 1W 5 ? *)", ["2027-05-03 00:00", "2028-05-01 00:00", "2029-05-01 00:00"]),  # a Saturday
        ("cron(0 0 15W 11 ? *)", ["2026-11-16 00:00", "2027-11-15 00:00", "2028-11-15 00:00"]),  # a Sunday
        ("cron(0 0 31W * ? *)", ["2026-12-31 00:00", "2027-01-29 00:00", "2027-03-31 00:00"]),
        ("cron(0 0 ? * 6L *)", ["2026-11-27 00:00", "2026-12-25 00:00", "2027-01-29 00:00"]),
        ("cron(0 0 ? * FRIL *)", ["2026-11-27 00:00", "2026-12-25 00:00", "2027-01-29 00:00"]),
        ("cron(0 0 ? * 2#1 *)", ["2026-12-07 00:00", "2027-01-04 00:00", "2027-02-01 00:00"]),
        ("cron(0 0 ? * MON#5 *)", ["2026-11-30 00:00", "2027-03-29 00:00", "2027-05-31 00:00"]),
        ("cron(0 0 ? * L *)", ["2026-11-07 00:00", "2026-11-14 00:00", "2026-11-21 00:00"]),
        ("cron(0 0 ? * SUN,WED *)", ["2026-11-08 00:00", "2026-11-11 00:00", "2026-11-15 00:00"]),
        ("cron(0 0 ? * FRI-MON *)", ["2026-11-06 00:00", "2026-11-07 00:00", "2026-11-08 00:00"]),
        ("cron(5,10 22-1 * * ? *)", ["2026-11-05 22:05", "2026-11-05 22:10", "2026-11-05 23:05"]),
        ("cron(0 12 1-7/3 JAN,JUL ? *)", ["2027-01-01 12:00", "2027-01-04 12:00", "2027-01-07 12:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("cron(0 0 1 1 ? 2030-2031)", ["2030-01-01 00:00", "2031-01-01 00:00"]),
        ("cron(0 0 1 1 ? 2020)", []),
        ("cron(0 0 31 2 ? *)", []),
    ],
)
def test_cron_fires_at_these_times(expression, expected):
    """Every form that the user guide names, around month ends, weekends and leap years."""
    assert times(expression) == expected


def test_rate_counts_from_the_start():
    """To the second."""
    assert parse_schedule("rate(1 minute)").next_after(START) == START + timedelta(minutes=1)
    assert parse_schedule("rate(12 hours)").next_after(START) == START + timedelta(hours=12)
    assert parse_schedule("rate(7 days)").next_after(START) == START + timedelta(days=7)


@pytest.mark.parametrize(
    "expression",
    [
        "", "daily", "rate(5 minute)", "rate(1 minutes)", "rate(0 minutes)", "rate(-1 minutes)",
        "rate(1.5 hours)", "rate(5 seconds)", "rate(5minutes)", "cron()", "cron(* * * * *)",
        "cron(0 0 * * * *)", "cron(0 0 ? * ? *)", "cron(60 0 * * ? *)", "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 * 13 ? *)", "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * 2#6 *)", "cron(0 0 * * ? 1969)", "cron(0/0 * * * ? *)", "cron(a * * * ? *)",
        "cron(1,,2 * * * ? *)", "cron(0 0 * FOO ? *)", "cron(0 0 32W * ? *)", "cron(1- * * * ? *)",
        "cron(² * * * ? *)",
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(expression):
    """With the part that is wrong."""
    with pytest.raises(InvalidSchedule):
        parse_schedule(expression)


@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.integers(1, 31),
    st.integers(1, 12),
    st.datetimes(datetime(2026, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- given by timezones
)
def test_the_next_time_is_after_now_and_holds_every_field(minute, hour, day, month, now):
    """And none lies between, as a year has that date at most once."""
    following = parse_schedule(f"cron({minute} {hour} {day} {month} ? *)").next_after(now)
    if following is None:
        assert day > calendar.monthrange(2028, month)[1]
        return
    assert following > now
    assert (following.minute, following.hour, following.day, following.month) == (minute, hour, day, month)
    assert following.year - now.year <= 8
