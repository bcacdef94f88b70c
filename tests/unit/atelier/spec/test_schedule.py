from __future__ import annotations

import pytest

from atelier.spec.schedule import wrong


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)", "rate(5 minutes)", "rate(1 hour)", "rate(7 days)",
        "cron(0 6 * * ? *)", "cron(15 10 ? * 6L 2026-2030)", "cron(0/15 * * * ? *)",
        "cron(0 18 ? * MON-FRI *)",
        "cron(0 8 1 * ? *)", "cron(0 0 L * ? *)", "cron(0 0 15W JAN,jul ? *)", "cron(30 6 ? * TUE#2 *)",
        "cron(*/10 0-4,20 ? 1-6 2 1970)",
    ],
)  # fmt: skip
def test_what_eventbridge_takes(expression):
    """The forms of EventBridge's documentation pass."""
    assert wrong(expression) is None


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("rate(1 minutes)", "rate(1 minute)"),
        ("rate(5 minute)", "rate(5 minutes)"),
        ("rate(0 days)", "at least 1"),
        ("rate(-1 day)", "no rate"),
        ("rate(1 week)", "no rate"),
        ("rate(1  day)", "no rate"),
        ("cron(0 6 * * *)", "6 fields, this one 5"),
        ("cron(0 6 * * ? * *)", "6 fields, this one 7"),
        ("cron(60 6 * * ? *)", "'60' is no minutes"),
        ("cron(0 24 * * ? *)", "'24' is no hours"),
        ("cron(0 6 32 * ? *)", "'32' is no day of month"),
        ("cron(0 6 ? 13 MON *)", "'13' is no month"),
        ("cron(0 6 ? * FUN *)", "'FUN' is no day of week"),
        ("cron(0 6 ? * 0 *)", "'0' is no day of week"),
        ("cron(0 6 * * ? 1969)", "'1969' is no year"),
        ("cron(0 6 * * * *)", "only one"),
        ("cron(0 6 ? * ? *)", "only one"),
        ("cron(0/0 6 * * ? *)", "is no minutes"),
        ("cron(1-,2 6 * * ? *)", "is no minutes"),
        ("cron(0 6 * * ? *", "6 fields"),
    ],
)
def test_what_eventbridge_refuses(expression, says):
    """What EventBridge would refuse at deployment is refused before, with the right form."""
    found = wrong(expression)
    assert found is not None
    assert says in " ".join(found)
