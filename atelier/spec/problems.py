"""What is wrong with a team file: where, what, why, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

LONGEST_VALUE = 80
_SIGN_IN = re.compile(r"://[^/\s]+@")
"""A user and password in an address."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong at one place; `line` and `column` count from 1 and are 0 when no line is to blame."""

    file: Path
    line: int
    column: int
    path: str
    """Where in the file's structure, such as `jobs.curve.gate.metric`; empty for the file as a whole."""
    value: str
    """What stands there, as written; empty when nothing does."""
    reason: str
    remedy: str

    def __str__(self) -> str:
        """A block for people: the place, which terminals can jump to, then one line for each fact."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else str(self.file)
        head = f"{place}: {_visible(self.path)}" if self.path else place
        facts = (("value", _shortened(self.value)), ("reason", self.reason), ("remedy", self.remedy))
        return "\n".join([head, *(f"  {label:<7} {text}" for label, text in facts if text)])


class SpecError(Exception):
    """Everything that is wrong with the team files that were read: one problem or several."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = {(p.file, p.line, p.column, p.path, p.reason): p for p in problems}
        self.problems = tuple(
            sorted(found.values(), key=lambda p: (str(p.file), p.line, p.column, p.path, p.reason))
        )
        super().__init__("\n\n".join(map(str, self.problems)))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most resembles, or None when it resembles none."""
    known = list(known)
    matches = get_close_matches(word, known, n=1, cutoff=0.6)
    if not matches:
        folded = {name.casefold(): name for name in known}
        matches = [folded[near] for near in get_close_matches(word.casefold(), list(folded), n=1)]
    return matches[0] if matches else None


def choose(word: str, known: Iterable[str], *, nothing: str) -> str:
    """A remedy that names the nearest of the `known` words, or lists them; `nothing` if there are none."""
    known = sorted(known)
    if not known:
        return nothing
    near = nearest(word, known)
    listed = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")  # noqa: PLR2004 -- a screen's width or two
    return f"did you mean {near}?" if near else f"one of: {listed}"


def _visible(text: str) -> str:
    """Text with what a terminal would obey, or a reader not see, written as its code."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _shortened(value: str) -> str:
    # What a team file says is wrong ends up in the logs of pipelines: no password may.
    one_line = _SIGN_IN.sub("://***@", _visible(" ".join(value.split())))
    return one_line if len(one_line) <= LONGEST_VALUE else one_line[: LONGEST_VALUE - 1] + "…"
