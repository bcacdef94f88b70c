"""How to wait until things are gone, and to say what is waited for. No AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

SHORTEST_POLL, LONGEST_POLL = 0.5, 10.0  # seconds; while nothing changes, each pause is half as long again
NAMED = 3  # how many things a message names; the rest it counts


class OutOfTime(Exception):
    """The time is up before everything is gone; removing again goes on from here."""


class Refused(Exception):
    """AWS does not do it now, since something else is in its way; the message is AWS's."""


@dataclass(frozen=True)
class Thing:
    """Something that is still there, and the next step towards its end."""

    what: str
    """Its kind and name, such as `training job vision-dev-try-1`."""
    status: str
    step: Callable[[], None] | None
    """None where there is nothing to do but to wait; raises Refused."""


Look: TypeAlias = Callable[[], Iterable[Thing]]
"""Tells what of one kind is still there."""


@dataclass
class Clock:
    """Time as one invocation of the function has it."""

    sleep: Callable[[float], None]
    now: Callable[[], float]
    """Seconds since the epoch."""
    ends: float
    """When the waiting has to end."""
    say: Callable[[str], None]
    """Told what is waited for, whenever that changes."""
    pause: float = SHORTEST_POLL
    said: str = ""

    def wait(self, for_what: str) -> None:
        """Wait a little, longer each time that it is for the same.

        Raises:
            OutOfTime: there is too little time left to wait.
        """
        if for_what != self.said:
            self.say(for_what)
            self.said, self.pause = for_what, SHORTEST_POLL
        if self.now() + self.pause > self.ends:
            raise OutOfTime(f"still waiting for {for_what}: destroy again, which goes on from here")
        self.sleep(self.pause)
        self.pause = min(LONGEST_POLL, 1.5 * self.pause)


def until_gone(clock: Clock, *looks: Look) -> None:
    """Take the next step with all that the first look finds, and look again, until none finds anything.

    What a later look is about goes only once nothing of the earlier ones is left: a space after its apps.
    Each round begins with the first, since people may go on making things.

    Raises:
        OutOfTime: it takes longer than the clock says.
    """
    while found := next(filter(None, (list(look()) for look in looks)), None):
        clock.wait(_named([_take_step(thing) for thing in found]))


def _take_step(thing: Thing) -> str:
    """Do it, and say what is waited for."""
    if thing.step:
        try:
            thing.step()
        except Refused as refusal:
            return f"{thing.what}, of which AWS says: {refusal}"
    return f"{thing.what}, which is {thing.status}" if thing.status else thing.what


def _named(waited_for: Sequence[str]) -> str:
    rest = len(waited_for) - NAMED
    return "; ".join(waited_for[:NAMED]) + (f"; and {rest} more" if rest > 0 else "")
