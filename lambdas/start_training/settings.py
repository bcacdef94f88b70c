"""What the training stack tells `start_training`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdas.shared.compact import pack, unpack


@dataclass(frozen=True)
class JobSettings:
    """A job's channels (name to key prefix) and those of them to which an upload starts a run.

    `encodes` says that its container reads hyperparameters as JSON, as those of the frameworks do. Of a
    channel in `markers`, only an object of the name given there starts a run.
    """

    channels: Mapping[str, str]
    listens: tuple[str, ...]
    encodes: bool = True
    markers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StartTrainingSettings:
    """The data bucket, the ARN that every job's state machine begins with, and the jobs by name."""

    bucket: str
    machines: str
    jobs: Mapping[str, JobSettings]

    def to_environment(self) -> dict[str, str]:
        """The environment variables that carry these settings."""
        jobs = {
            name: [dict(job.channels), list(job.listens), job.encodes, dict(job.markers)]
            for name, job in self.jobs.items()
        }
        return {"ATELIER_BUCKET": self.bucket, "ATELIER_MACHINES": self.machines, "ATELIER_JOBS": pack(jobs)}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> StartTrainingSettings:
        """The settings that `to_environment` wrote; a missing variable is a KeyError with its name."""
        jobs = unpack(environment["ATELIER_JOBS"])
        return cls(
            bucket=environment["ATELIER_BUCKET"],
            machines=environment["ATELIER_MACHINES"],
            jobs={
                name: JobSettings(channels, tuple(listens), encodes, markers)
                for name, (channels, listens, encodes, markers) in jobs.items()
            },
        )
