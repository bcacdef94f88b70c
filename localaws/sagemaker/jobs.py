"""What training, processing, transform and tuning jobs have in common: a status, times, a stop, a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from localaws.sagemaker.records import BY_NAME_AND_TIME, Record, Table, invalid, listing, now
from localaws.service import AwsError, Call, Params

COMPLETED, FAILED, STOPPED = "Completed", "Failed", "Stopped"
IN_PROGRESS, STOPPING = "InProgress", "Stopping"
REASON_CHARS = 1_024


class JobFailed(Exception):
    """The job cannot go on; the message is its FailureReason."""


@dataclass
class Job(Record):
    """A job: what was asked for, and how far it is."""

    status: str = IN_PROGRESS
    failure: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def max_runtime(self) -> int:
        """How long its containers may run, in seconds."""
        raise NotImplementedError

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.status in (IN_PROGRESS, STOPPING)

    def ask_to_stop(self) -> None:
        """It shall end."""
        self.status = STOPPING
        self.modified = now()
        self.stop.set()

    def end(self, status: str, failure: str | None = None) -> None:
        """It is over; the reason is of one that failed only."""
        self.ended = self.modified = now()
        self.failure = failure[:REASON_CHARS] if failure is not None and status == FAILED else None
        self.status = status

    def describe(self) -> Params:
        """As its Describe operation shows it."""
        raise NotImplementedError

    def described(self, kind: str, shown: tuple[str, ...]) -> Params:
        """What every Describe operation of a `kind` of job shows, and the fields `shown` of the request."""
        optional = {"FailureReason": self.failure}
        return {
            **{key: self.request[key] for key in shown if key in self.request},
            f"{kind}Name": self.name,
            f"{kind}Arn": self.arn,
            f"{kind}Status": self.status,
            "CreationTime": self.created,
            **{key: value for key, value in optional.items() if value is not None},
        }


class Runner(Protocol):
    """What runs a job."""

    def start(self) -> None:
        """Begin, on another thread."""

    def abandon(self) -> None:
        """The server stops: end all processes at once."""


J = TypeVar("J", bound=Job)


class Jobs(Generic[J]):
    """The jobs of one kind: their table, what runs them, and what all kinds answer alike."""

    def __init__(self, kind: str, table: Table[J], announce: Callable[[J], None]) -> None:
        """`kind` is the API's word, such as TrainingJob; `announce` tells EventBridge of a change."""
        self.kind = kind
        self.table = table
        self._announce = announce
        self._runs: dict[str, Runner] = {}

    def begin(self, job: J, run: Runner) -> None:
        """Start what runs a job that stands in the table."""
        self._runs[job.arn] = run
        self._announce(job)
        run.start()

    def changed(self, job: J) -> None:
        """A job is in another state."""
        if job.ended is not None:
            self._runs.pop(job.arn, None)
        self._announce(job)

    def abandon(self) -> None:
        """End every job's processes."""
        for run in list(self._runs.values()):
            run.abandon()

    def named(self, call: Call, params: Params) -> J:
        """The job that a request names; raises AwsError where there is none."""
        return self.table.get(call, params[f"{self.kind}Name"])

    def describe(self, call: Call, params: Params) -> Params:
        """A job in full."""
        return self.named(call, params).describe()

    def stop(self, call: Call, params: Params) -> None:
        """Ask a job to end; one that is stopping already is no error."""
        job = self.named(call, params)
        if not job.runs:
            raise self._rejected(job)
        if job.status == IN_PROGRESS:
            job.ask_to_stop()
            self._announce(job)

    def delete(self, call: Call, params: Params) -> None:
        """Forget a job that has ended; its name is free again."""
        job = self.named(call, params)
        if job.runs:
            raise self._rejected(job)
        self.table.remove(job)

    def _rejected(self, job: J) -> AwsError:
        words = "".join(f" {char.lower()}" if char.isupper() else char for char in self.kind).strip()
        return invalid(f"The request was rejected because the {words} is in status {job.status}.")

    def list(self, call: Call, params: Params, more: Callable[[J], Params] = lambda _: {}) -> Params:
        """The jobs in brief, with the fields that `more` gives."""
        wanted = params.get("StatusEquals")
        jobs = [job for job in self.table.all(call) if wanted in (None, job.status)]
        orders: dict[str, Callable[[Any], Any]] = {**BY_NAME_AND_TIME, "Status": lambda job: job.status}

        def summary(job: J) -> Params:
            described = job.describe()
            keys = (
                f"{self.kind}Name",
                f"{self.kind}Arn",
                f"{self.kind}Status",
                "CreationTime",
                "FailureReason",
            )
            return {
                **{key: described[key] for key in keys if key in described},
                "LastModifiedTime": job.modified,
                **more(job),
            }

        return listing(jobs, params, summary, key=f"{self.kind}Summaries", orders=orders)
