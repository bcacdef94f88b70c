"""What a check found, and how checks are run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.target import Target

State: TypeAlias = Literal["ok", "missing", "cannot tell"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report; `ask` is what to do or to ask for, and whom, where something lacks."""

    state: State
    what: str
    says: str
    ask: str = ""


Check: TypeAlias = Callable[[Target], Iterable[Finding]]


def ok(what: str, says: str) -> Finding:
    """All is well."""
    return Finding("ok", what, says)


def missing(what: str, says: str, ask: str) -> Finding:
    """Something lacks, and this is how to get it."""
    return Finding("missing", what, says, ask)


def unknown(what: str, says: str, ask: str = "") -> Finding:
    """Nobody answered."""
    return Finding("cannot tell", what, says, ask)


def run(check: Check, target: Target) -> list[Finding]:
    """What a check finds; that AWS refuses to answer is a finding as well."""
    return list(_guarded(check, target))


def _guarded(check: Check, target: Target) -> Iterator[Finding]:
    try:
        yield from check(target)
    except ClientError as error:
        what = check.__name__.replace("_", " ")
        if errors.code(error) in errors.FORBIDDEN:
            ask = f"let these credentials call {error.operation_name}, or ask somebody who may"
            yield unknown(what, f"no permission for {error.operation_name}", ask)
        else:
            yield unknown(what, f"{error.operation_name}: {errors.message(error).splitlines()[0]}")
