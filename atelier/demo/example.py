"""The example that each job brings: data to upload and requests to send, written by its example.py."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from atelier.demo.journey import JourneyError
from atelier.demo.points import Point
from atelier.spec.hyperparameters import CONTAINERS, SCRIPTS
from atelier.spec.jobs import Job, Upload

PROGRAM = "example.py"
POINTS = "train/points.csv"
"""What an example writes whose model draws a line: y and x of each point."""


@dataclass(frozen=True)
class Request:
    """A request to an endpoint, and what it asks."""

    content_type: str
    body: str
    about: str


@dataclass(frozen=True)
class Example:
    """What an example wrote."""

    folder: Path
    requests: list[Request]

    def files(self, source: str, last: str | None = None) -> list[Path]:
        """The files of a channel or input, the one called `last` at the end."""
        found = (path for path in (self.folder / source).rglob("*") if path.is_file())
        return sorted(found, key=lambda path: (path.name == last, path))

    def uploads(self, job: Job) -> list[tuple[str, list[Path]]]:
        """The files of each of the job's channels or inputs, in an order that ends with what starts the run.

        Raises:
            JourneyError: one of them would be empty.
        """
        last = started_by(job)
        order = sorted(job.sources, key=lambda source: (source in last, source == "train"))
        files = [(source, self.files(source, last.get(source))) for source in order]
        empty = [source for source, found in files if not found]
        if empty:
            raise JourneyError(f"the example wrote nothing to {', '.join(empty)}")
        return files

    def points(self) -> list[Point] | None:
        """The points to draw, if the example has any."""
        path = self.folder / POINTS
        if not path.is_file():
            return None
        rows = (line.split(",") for line in path.read_text(encoding="utf-8").splitlines())
        return [(float(x), float(y)) for y, x in rows]


def started_by(job: Job) -> dict[str, str | None]:
    """Whose upload starts the job: channels or inputs, with the file that is waited for, if it is named."""
    uploads = [trigger for trigger in job.triggers if isinstance(trigger, Upload)]
    return {source: trigger.marker for trigger in uploads for source in trigger.upload}


def code_of(project: Path, job: Job) -> Path | None:
    """The folder of a job's program, if it has one."""
    if job.image is not None:
        return project / CONTAINERS / job.image.name
    return project / SCRIPTS / job.folder if job.folder else None


def write_example(code: Path | None, folder: Path) -> Example:
    """Let the job's example.py write to `folder`.

    Raises:
        JourneyError: there is none, or it failed; the message says how.
    """
    if code is None:
        raise JourneyError(
            "a pretrained model has no example: the embedded AWS needs its files, at the addresses that the"
            " job's `jumpstart` names, in a bucket of that name"
        )
    program = code / PROGRAM
    if not program.is_file():
        raise JourneyError(f"{program} does not exist: it writes the data and requests of the demo")
    done = subprocess.run(
        [sys.executable, PROGRAM, str(folder)],
        cwd=code,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise JourneyError(f"{program} failed:\n{done.stdout}{done.stderr}")
    requests = folder / "requests.json"
    asked = json.loads(requests.read_text(encoding="utf-8")) if requests.is_file() else []
    return Example(
        folder,
        [Request(one["content_type"], one["body"], one.get("about", one["content_type"])) for one in asked],
    )
