"""What a run of each job costs over the script's own process, from the execution's start to its end.

    python -m benchmarks.overhead [JOB...]

The jobs of small environments are measured in any case, the others where their environments lie in the
cache, with one run each.
A script's time is that of its processes: of the preparation, with the packages that it installs for itself,
of the training, and of what predicts for a batch, without what starts them.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from atelier.demo.example import code_of, write_example
from atelier.demo.journey import Journey
from atelier.spec import TeamEnvironment, document, load_teams, team_files
from atelier.spec.images import training_image as framework_image
from atelier.spec.job_images import training_image
from benchmarks.deployed import ACCOUNT, CACHE, REGION, ROOT, Deployed, deployed
from benchmarks.measure import ROUNDS, Figure
from localaws.sagemaker.environments import Environments
from localaws.sagemaker.images import Images

LIGHT = ("curve", "iris", "topics-blazingtext")
"""A script, a container of one's own, and a built-in algorithm with a preparation."""
TEAM = "every"
BOUND_SECONDS = 2.0
LOOK_SECONDS = 0.02
LAUNCHERS = {"train", "execute", "builtin"}
"""The entries of the embedded AWS's containers that end; of the last, the algorithm is the process itself."""


def figures(asked: Container[str] = ()) -> Iterator[Figure]:
    """The overhead of each job's runs, or of those that are asked for."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        team = _team(place / "teams", asked)
        with deployed(place, TEAM, place / "teams") as every:
            for job in team.jobs:
                yield _overhead(every, job, place / job)


def _team(folder: Path, asked: Container[str]) -> TeamEnvironment:
    """A team with the jobs to be measured; nothing serves, so that nothing runs beside them."""
    folder.mkdir()
    contents = [document.read(path).plain() for path in team_files(ROOT / "teams")]
    jobs = {name: job for content in contents for name, job in content["jobs"].items()}
    images: dict[str, Any] = {name: {} for content in contents for name in content.get("images") or {}}
    every = _written(folder, jobs, images)
    measured = {
        name: job
        for name, job in jobs.items()
        if (name in asked if asked else name in LIGHT or _is_ready(every, name))
    }
    return _written(folder, measured, images)


def _written(folder: Path, jobs: dict[str, Any], images: dict[str, Any]) -> TeamEnvironment:
    content = {
        "team": TEAM,
        "owners": ["owners@example.com"],
        "environments": {"dev": {"account": ACCOUNT, "region": REGION}},
        "images": images,
        "jobs": jobs,
    }
    (folder / f"{TEAM}.yaml").write_text(json.dumps(content), encoding="utf-8")
    [team] = load_teams(folder, team=TEAM, env="dev", root=ROOT)
    return team


def _is_ready(team: TeamEnvironment, name: str) -> bool:
    """Whether one training is what a run of the job is, with environments that are built."""
    job = team.jobs[name]
    if not job.trains or job.tuning is not None or job.jumpstart is not None:
        return False
    kind, code = job.instances[0], code_of(ROOT, job) or ROOT
    images, environments = Images(ROOT / "containers"), Environments(CACHE)
    address = training_image(team, job, kind)
    trains = images.resolve(address, script=job.script is not None).training(code, kind)
    needed = [trains.requirements]
    if job.prepare is not None:
        address = framework_image(job.prepare.framework, team.region, job.prepare.instance)
        needed.append(images.resolve(address, script=True).processing([], kind).requirements)
    return all(map(environments.holds, needed))


def _overhead(every: Deployed, name: str, folder: Path) -> Figure:
    journey = Journey(every.spec, name, None, every.client)
    job = every.spec.jobs[name]
    began = journey.upload_files(write_example(code_of(ROOT, job), folder).uploads(job))
    _took(journey, journey.training_run(began))  # which builds what is missing
    rounds = []
    for _ in range(ROUNDS if name in LIGHT else 1):
        began = datetime.now(UTC)
        with _watched(every.pid) as scripts:
            journey.start()
            run = _took(journey, journey.training_run(began))
        rounds.append((run - sum(scripts.values()), run))
    over, run = (statistics.median(part) for part in zip(*rounds, strict=True))
    what = f"a run of {name}, over its {'scripts' if job.prepare else 'script'}"
    return Figure(what, over, BOUND_SECONDS, "s", f"{run:.2f} s in all")


def _took(journey: Journey, execution: str) -> float:
    """Wait for the end of an execution; the seconds from its start."""
    while True:
        run = journey.client("stepfunctions").describe_execution(executionArn=execution)
        if run["status"] == "SUCCEEDED":
            return float((run["stopDate"] - run["startDate"]).total_seconds())
        if run["status"] != "RUNNING":
            raise RuntimeError(f"{execution} {run['status']}: {run.get('cause', '')}")
        time.sleep(0.1)


@contextmanager
def _watched(server: int) -> Iterator[dict[int, float]]:
    """The seconds that each process of a script has lived; what lived between two looks is not seen."""
    seconds: dict[int, float] = {}
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(psutil.Process(server), seconds, over))
    watch.start()
    try:
        yield seconds
    finally:
        over.set()
        watch.join()


def _watch(server: psutil.Process, seconds: dict[int, float], over: threading.Event) -> None:
    first: dict[int, float] = {}
    while not over.wait(LOOK_SECONDS):
        for container in server.children():
            with suppress(psutil.NoSuchProcess):
                for script in _scripts(container):
                    now = time.monotonic()
                    seconds[script.pid] = now - first.setdefault(script.pid, now)


def _scripts(container: psutil.Process) -> list[psutil.Process]:
    """The processes that are a container's script: its only child, or itself where it is the algorithm."""
    command = container.cmdline()
    entry = next((word for word in command[1:] if not word.startswith("-") and "/" not in word), "")
    if entry not in LAUNCHERS:
        return []
    if entry == "builtin":
        return [container]
    # A launcher that has just been forked is no script yet.
    return [child for child in container.children() if child.cmdline() != command]


if __name__ == "__main__":
    for figure in figures(sys.argv[1:]):
        print(f"{figure.what}: {figure.measured:.2f} s ({figure.detail})", flush=True)
