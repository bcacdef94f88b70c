"""`stop_idle`: measures for how long nobody has used what costs money, and stops it only where asked to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from lambdas.stop_idle.handler import watch
from lambdas.stop_idle.logic import Running, message
from lambdas.stop_idle.settings import StopIdleSettings

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def settings(stop_after_hours=None):
    """Two endpoints and a notebook instance."""
    return StopIdleSettings(
        environment="vision-dev",
        endpoints=["vision-dev-curve", "vision-dev-text"],
        notebooks=["vision-dev-lab"],
        stop_after_hours=stop_after_hours,
        topic="topic",
    )


@dataclass
class Workplace:
    """What runs, by its name, with the hours for which nobody has used it."""

    idle: dict[str, float]
    measured: dict[str, float] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def endpoint(self, name, now):
        assert now == NOW
        return self._running("endpoint", name)

    def notebook(self, name):
        return self._running("notebook", name)

    def _running(self, kind, name):
        return Running(kind, name, NOW - timedelta(hours=self.idle[name])) if name in self.idle else None

    def measure(self, environment, hours):
        assert environment == "vision-dev"
        self.measured = {one.name: value for one, value in hours.items()}

    def stop(self, running):
        self.stopped.append(running.name)

    def tell(self, topic, subject, text):
        assert topic == "topic"
        self.told.append(subject)
        assert "nobody has used it since" in text


@pytest.mark.parametrize(
    ("after", "stopped"),
    [(None, []), (48, []), (24, ["vision-dev-curve"]), (10, ["vision-dev-curve", "vision-dev-lab"])],
)
def test_what_runs_is_measured_and_stopped_only_where_that_is_wanted(after, stopped):
    """What does not run is not measured; each that is stopped is told of once."""
    workplace = Workplace({"vision-dev-curve": 24, "vision-dev-lab": 10.5})
    answer = watch(settings(after), workplace, NOW)
    assert workplace.measured == {"vision-dev-curve": 24, "vision-dev-lab": 10.5}
    assert workplace.stopped == stopped == answer["stopped"]
    assert len(workplace.told) == len(stopped)


def test_a_message_says_what_and_since_when():
    """In a subject of the length that SNS takes."""
    used = NOW - timedelta(hours=30)
    subject, text = message(Running("endpoint", "vision-dev-curve", used), "vision-dev", NOW)
    assert subject == "vision-dev: endpoint vision-dev-curve deleted, as nobody uses it"
    assert "2026-11-20 06:00 UTC, for 30 hours" in text
    longest = Running("notebook", "-".join(["n" * 20] * 3), used)
    assert len(message(longest, "e" * 41, NOW)[0]) < 100


@pytest.mark.parametrize("hours", [None, 24])
def test_settings_travel_in_the_environment(hours):
    """Both sides use the one class."""
    assert StopIdleSettings.from_environment(settings(hours).to_environment()) == settings(hours)
