"""The containers of one job: one a host, started together, watched together, ended together."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localaws.sagemaker.process import STOP_SECONDS, Container

_WAIT_SECONDS = 0.1
_LOOK_SECONDS = 0.5
KILLED = 137
"""The exit code of a container that the system killed, as it does when memory is used up."""
_runs = itertools.count()


def host_names(count: int) -> list[str]:
    """`algo-1` to `algo-n`, as SageMaker calls a job's instances."""
    return [f"algo-{number}" for number in range(1, count + 1)]


def write_hosts(folder: Path, hosts: Sequence[str]) -> None:
    """Write each host's table of names, `<folder>/<host>.hosts`, whose last line is the host itself.

    The addresses are this machine's own: 127.0.0.0/8 has enough of them for every host of every job, so that
    two jobs that listen on the same port do not meet.
    """
    number = next(_runs) % (200 * 250)
    place = f"127.{20 + number // 250}.{number % 250 + 1}"
    here = Path("/etc/hosts")
    known = here.read_text(encoding="utf-8", errors="replace").rstrip() if here.is_file() else ""
    lines = {host: f"{place}.{index} {host}" for index, host in enumerate(hosts, 1)}
    for host in hosts:
        others = [line for name, line in lines.items() if name != host]
        text = "\n".join([known, *others, lines[host]])
        (folder / f"{host}.hosts").write_text(f"{text}\n", encoding="utf-8")


STOPPED, LATE, OUT_OF_MEMORY = "stopped", "late", "out of memory"
INTERRUPTED, WAITED = "interrupted", "waited"


@dataclass
class Outcome:
    """How a crew ended: the exit codes by host, and why it was ended where it did not end by itself."""

    codes: dict[str, int] = field(default_factory=dict)
    why: str | None = None

    @property
    def bad_host(self) -> str | None:
        """The first host that did not end well; None where all did."""
        return next((host for host, code in self.codes.items() if code != 0), None)

    @property
    def failed(self) -> bool:
        """Whether the program failed, rather than being ended in order."""
        return self.why == OUT_OF_MEMORY or (self.why is None and self.bad_host is not None)


class Crew:
    """The running containers of a job, by host."""

    def __init__(self, memory: int) -> None:
        """`memory` is the bytes that all of them together may hold."""
        self._memory = memory
        self._containers: dict[str, Container] = {}

    def add(self, host: str, container: Container) -> None:
        """A container has started."""
        self._containers[host] = container

    def kill(self) -> None:
        """End all processes at once."""
        for container in list(self._containers.values()):
            container.kill()

    def watch(
        self,
        abandoned: Callable[[], bool],
        reasons: Mapping[str, Callable[[], bool]],
        each_look: Callable[[], object] = lambda: None,
    ) -> Outcome:
        """Wait until all have ended well or one has failed.

        Args:
            abandoned: whether the server stops, and nobody waits for the outcome.
            reasons: why they are asked to end, and whether that is now; the first one counts.
            each_look: called twice a second.
        """
        outcome = Outcome()
        looked = time.monotonic()
        while not abandoned() and not self._settled(outcome):
            outcome.why = next((why for why, is_now in reasons.items() if is_now()), None)
            if outcome.why is not None:
                self._terminate(outcome)
                break
            if time.monotonic() - looked > _LOOK_SECONDS:
                looked = time.monotonic()
                each_look()
                if self._too_much(exact=False) and self._too_much(exact=True):
                    outcome.why = OUT_OF_MEMORY
                    outcome.codes = dict.fromkeys(self._containers, KILLED)
                    break
        self.kill()
        return outcome

    def _too_much(self, *, exact: bool) -> bool:
        return sum(item.memory(exact=exact) for item in self._containers.values()) > self._memory

    def _settled(self, outcome: Outcome) -> bool:
        for host, container in self._containers.items():
            if host not in outcome.codes:
                code = container.wait(_WAIT_SECONDS / len(self._containers))
                if code is not None:
                    outcome.codes[host] = code
        return outcome.bad_host is not None or len(outcome.codes) == len(self._containers)

    def _terminate(self, outcome: Outcome) -> None:
        """SIGTERM, and the time that AWS gives; what has not ended by then counts as killed."""
        for container in self._containers.values():
            container.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for host, container in self._containers.items():
            if host not in outcome.codes:
                code = container.wait(max(0.0, deadline - time.monotonic()))
                outcome.codes[host] = -9 if code is None else code
