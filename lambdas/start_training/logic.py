"""What an event means for a team's jobs, and the name of the run that follows from it. No AWS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.start_training.settings import JobSettings

FINGERPRINT_LENGTH = 16  # hexadecimal digits: 64 bits tell apart more data sets than a job will ever see
MANUAL = "manual"


@dataclass(frozen=True)
class Upload:
    """An object has arrived in the data bucket; `key` is as S3 stores it (EventBridge does not quote it)."""

    bucket: str
    key: str


@dataclass(frozen=True)
class Request:
    """A person or a schedule asks for a run of `job`; the same `id` asks for the same run."""

    job: str
    trigger: str
    id: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    experiment: str | None = None
    approval: str | None = None


@dataclass(frozen=True)
class StoredObject:
    """An object as a listing of its bucket shows it; `modified` is when this version was written."""

    key: str
    size: int
    etag: str
    modified: str


@dataclass(frozen=True)
class Run:
    """An execution of a job's state machine; two runs with one name are the same run."""

    name: str
    job: str
    trigger: str
    fingerprint: str
    hyperparameters: Mapping[str, str]
    experiment: str | None = None
    """The experiment that it belongs to; the job's own, if None."""
    approval: str | None = None
    """"manual" for a model that waits for a person even where the environment approves at once."""

    def execution_input(self) -> str:
        """The execution's input: the same for the same run, as Step Functions asks of a repeated start."""
        content = {
            "run": self.name,
            "job": self.job,
            "trigger": self.trigger,
            "hyperparameters": dict(self.hyperparameters),
            "fingerprint": self.fingerprint,
            **({"experiment": self.experiment} if self.experiment else {}),
            **({"approval": self.approval} if self.approval else {}),
        }
        return json.dumps(content, sort_keys=True)


def parse(event: Mapping[str, Any], request_id: str) -> Upload | Request:
    """Read an EventBridge "Object Created" event, or a request for a run.

    That is `{"job": …, "hyperparameters"?: {…}, "experiment"?: …, "approval"?: "manual", "trigger"?: …,
    "id"?: …}`.

    `request_id` names the run of a request that brings no `id` of its own. Lambda repeats a failed
    asynchronous invocation under the same request id, so the repetition is the same run.

    Raises:
        ValueError: the event is neither, or a part of it is missing or of the wrong type.
    """
    if event.get("detail-type") == "Object Created":
        try:
            return Upload(bucket=event["detail"]["bucket"]["name"], key=event["detail"]["object"]["key"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"an S3 event without {error}: {_shorten(event)}") from error
    if not isinstance(event.get("job"), str):
        raise ValueError(  # noqa: TRY004 -- the event is malformed; no caller passed a wrong type
            f'neither an S3 "Object Created" event nor a request like {{"job": "curve"}}: {_shorten(event)}'
        )
    hyperparameters = event.get("hyperparameters") or {}
    if not isinstance(hyperparameters, dict) or not all(map(_is_scalar, hyperparameters.values())):
        raise ValueError(
            f"hyperparameters must map names to text, numbers or booleans: {_shorten(hyperparameters)}"
        )
    approval = event.get("approval")
    if approval not in {None, MANUAL}:
        raise ValueError(f"approval must be {MANUAL!r} or left out: {_shorten(approval)}")
    return Request(
        job=event["job"],
        trigger=str(event.get("trigger", "manual")),
        id=str(event.get("id", request_id)),
        hyperparameters=hyperparameters,
        experiment=str(event["experiment"]) if event.get("experiment") else None,
        approval=approval,
    )


def listening_jobs(upload: Upload, jobs: Mapping[str, JobSettings]) -> list[str]:
    """The jobs that an upload starts, sorted; none for the marker of a "folder", which is no data."""
    if is_folder(upload.key):
        return []
    file = upload.key.rpartition("/")[2]
    return sorted(
        name
        for name, job in jobs.items()
        if any(
            upload.key.startswith(job.channels[channel]) and job.markers.get(channel, file) == file
            for channel in job.listens
        )
    )


def is_folder(key: str) -> bool:
    """Whether a key is the empty object by which consoles show a folder."""
    return key.endswith("/")


class Fingerprint:
    """A digest of all objects of all channels that does not depend on the order in which they come.

    The digests of the single objects are added up, so that a listing of millions needs no memory. Written
    data has a new fingerprint even when its bytes are the old ones: who uploads again wants a new run.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._counts: dict[str, int] = {}

    def add(self, channel: str, objects: Iterable[StoredObject]) -> None:
        """Take in a channel's objects; markers of folders do not count."""
        self._counts.setdefault(channel, 0)
        for stored in objects:
            if is_folder(stored.key):
                continue
            line = json.dumps([channel, stored.key, stored.size, stored.etag, stored.modified])
            self._sum += int.from_bytes(hashlib.sha256(line.encode()).digest())
            self._counts[channel] += 1

    def empty_channel(self) -> str | None:
        """The first channel without data, if any."""
        return next((channel for channel, count in self._counts.items() if count == 0), None)

    def text(self) -> str:
        """The fingerprint, in hexadecimal digits."""
        return f"{self._sum % 2**256:064x}"[:FINGERPRINT_LENGTH]


def run_of_upload(job: str, fingerprint: str) -> Run:
    """The run that data starts: named after the data, so that every delivery of the event is this run."""
    return Run(f"{job}-{fingerprint}", job, "upload", fingerprint, {})


def run_of_request(request: Request, fingerprint: str, job: JobSettings) -> Run:
    """The run that a request starts: named after the request, so that the same data can be trained again."""
    # The API takes only strings. Written as the SageMaker SDK does it: JSON for the frameworks' containers.
    encode = json.dumps if job.encodes else str
    hyperparameters = {name: encode(value) for name, value in request.hyperparameters.items()}
    name = f"{request.job}-{request.trigger}-{request.id}"
    return Run(
        name,
        request.job,
        request.trigger,
        fingerprint,
        hyperparameters,
        request.experiment,
        request.approval,
    )


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def _shorten(value: object) -> str:
    return json.dumps(value, default=str)[:300]
