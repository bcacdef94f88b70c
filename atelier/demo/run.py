"""The demo itself: what a user of AWS would do, one phase after the other, against an embedded AWS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config
from rich.console import Console

from atelier import embedded
from atelier.cli.follow import Finished, JobStarted, LogLine, StateEntered, follow
from atelier.demo.cdk import Cdk
from atelier.demo.example import Example, code_of, started_by, write_example
from atelier.demo.journey import Journey, JourneyError
from atelier.demo.lock import alone
from atelier.demo.picture import draw
from atelier.demo.screen import Screen, clipped
from atelier.demo.selection import select
from atelier.demo.summary import Summary, count_resources, show
from atelier.spec import TeamEnvironment

ROOT = embedded.ROOT
FOLDER = ROOT / "build" / "demo"
RANGE = (-5000, 5001)
STEP = 50
PICTURE = "prediction.png"
SCORE = "score.py"
BATCH_LINES = 3
ANSWER_LENGTH = 100
POLL_SECONDS = 0.1


def run(console: Console, job: str, team: str | None, env: str) -> Summary:
    """Deploy, upload, train, approve, serve, predict, remove; nothing is left running in the end.

    Raises:
        SpecError, EmbeddedError, CdkError, JourneyError: what went wrong, for a person to read; also that
            another demo runs.
    """
    with alone(FOLDER.with_suffix(".lock")):
        return _run(console, job, team, env)


def _run(console: Console, job: str, team: str | None, env: str) -> Summary:
    left = embedded.find(FOLDER / "aws")
    if left is not None:  # of a demo that was killed: it ends by itself, but not at once
        embedded.stop(left)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    selected = select(ROOT, FOLDER / "teams", job, team, env)
    spec = selected.spec
    described = spec.jobs[selected.job]
    code = code_of(ROOT, described)
    example = write_example(code, FOLDER / "data")
    screen = Screen(console)
    summary = Summary(spec.team, env, selected.job, selected.endpoint or "")
    console.print(
        f"[bold]Atelier demo[/]: job {selected.job} of team {spec.team} in {env}, on an embedded AWS\n"
    )
    with _embedded_aws(screen) as running:
        variables = running.environment(spec.account, spec.region)
        cdk = Cdk(ROOT, FOLDER, variables, spec.team, env, selected.teams)
        journey = Journey(spec, selected.job, selected.endpoint, _clients(running, spec))
        with _warm_environment(code / "requirements.txt" if code else None):
            _provision(screen, cdk, summary)
        began = _train(screen, journey, example, summary)
        if selected.endpoint is not None:
            approve(screen, journey, summary)
            _serve(screen, journey, example, summary, began)
        if summary.transform:
            _look_at_batch(screen, journey, code, summary)
        summary.notification = _last_notification(running)
        console.print(f"  mail: {summary.notification}", style="dim", highlight=False, markup=False)
        summary.embedded_aws_megabytes = round(psutil.Process(running.pid).memory_info().rss / 1e6, 1)
        with screen.phase("cdk destroy") as phase:
            unprotected = journey.unprotect()
            cdk.destroy()
            phase.note = _nothing_left(journey)
            if unprotected:
                phase.note += f"; {unprotected} stacks were protected until now, as an administrator lifts it"
    summary.seconds = screen.seconds
    summary.write(FOLDER / "summary.json")
    console.print()
    show(console, summary, Path(os.path.relpath(FOLDER)))
    return summary


@contextmanager
def _embedded_aws(screen: Screen) -> Iterator[embedded.Running]:
    with ExitStack() as stack:
        with screen.phase("embedded AWS") as phase:
            running = stack.enter_context(embedded.serve(FOLDER / "aws"))
            phase.note = running.endpoint
        yield running


@contextmanager
def _warm_environment(requirements: Path | None) -> Iterator[None]:
    """Build the job's Python environment beside the deployment; SageMaker's images have theirs built in."""
    if requirements is None or not requirements.is_file():
        yield
        return
    command = [
        sys.executable,
        "-m",
        "localaws.sagemaker.environments",
        "--cache",
        str(embedded.STATE / "cache"),
    ]
    with (FOLDER / "environment.log").open("wb") as log:
        builder = subprocess.Popen(
            [*command, str(requirements)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield
        builder.wait()
    finally:
        if builder.poll() is None:
            builder.terminate()


def _provision(screen: Screen, cdk: Cdk, summary: Summary) -> None:
    with screen.phase("cdk bootstrap") as phase:
        # Templates need no AWS, so they are made meanwhile.
        synth = cdk.synth()
        account, region = cdk.variables["AWS_ACCESS_KEY_ID"], cdk.variables["AWS_REGION"]
        cdk.finish("bootstrap", cdk.bootstrap(account, region))
        cdk.finish("synth", synth)
        phase.note = f"aws://{account}/{region}"
    with screen.phase("cdk deploy") as phase:
        summary.outputs = cdk.deploy()
        templates = cdk.manifest()
        summary.resources = count_resources(templates)
        phase.note = f"{len(templates)} stacks, {sum(summary.resources.values())} resources"


def _train(screen: Screen, journey: Journey, example: Example, summary: Summary) -> datetime:
    """Upload the example, whose arrival starts the run, and watch that to its end; returns when it began."""
    job = journey.spec.jobs[journey.job]
    with screen.phase("upload") as phase:
        files = example.uploads(job)
        began = journey.upload_files(files)
        size = sum(path.stat().st_size for _, found in files for path in found)
        count = sum(len(found) for _, found in files)
        phase.note = f"{count} files, {size / 1e3:,.0f} kB, to s3://{journey.bucket}"
    with screen.phase("training run") as phase:
        if not started_by(job):
            journey.start()
        execution = journey.training_run(began)
        summary.run = execution.rpartition(":")[2]
        output = _watch(screen, journey, execution)
        summary.training_job, summary.metrics = output["trainingJob"], output["metrics"]
        summary.model_package = output["modelPackage"]
        summary.transform = output.get("transform", "")
        found = [f"{name} {value:.4g}" for name, value in summary.metrics.items()]
        phase.note = ", ".join([*found, *(f"{k} = {v}" for k, v in output.get("tuned", {}).items())])
    return began


def approve(screen: Screen, journey: Journey, summary: Summary) -> None:
    """Approve the model where the environment asks a person to."""
    if journey.spec.approval == "manual":
        with screen.phase("approval") as phase:
            journey.approve(summary.model_package)
            phase.note = f"{summary.model_package.partition('/')[2]}, as a person gives it"


def _serve(screen: Screen, journey: Journey, example: Example, summary: Summary, began: datetime) -> None:
    """Watch the deployment, which the model's approval starts, and ask the endpoint."""
    with screen.phase("deployment") as phase:
        _watch(screen, journey, journey.deployment(began))
        phase.note = f"endpoint {journey.endpoint} in service"
    with screen.phase("predictions") as phase:
        for request in example.requests:
            answer = journey.ask(request.content_type, request.body).strip()
            summary.answers.append({**asdict(request), "answer": answer})
            screen.detail(f"{request.about}: {clipped(answer, ANSWER_LENGTH)}", "cyan")
        points = example.points()
        if points is not None:
            xs = [float(x) for x in range(*RANGE, STEP)]
            predicted = list(zip(xs, journey.predict_json(xs), strict=True))
            draw(FOLDER / PICTURE, points, predicted, f"{journey.job}: prediction over points")
            summary.picture = PICTURE
        phase.note = f"{len(example.requests)} requests answered"


def _look_at_batch(screen: Screen, journey: Journey, code: Path | None, summary: Summary) -> None:
    """Fetch what the batch transform wrote; the job's own score.py, if any, says how good it is."""
    with screen.phase("batch") as phase:
        files = journey.download(summary.transform, FOLDER / "transformed")
        lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
        for line in lines[:BATCH_LINES]:
            screen.detail(clipped(line, ANSWER_LENGTH), "cyan")
        phase.note = f"{len(lines)} predictions in {', '.join(path.name for path in files)}"
        if code is not None and (code / SCORE).is_file():
            source = next(iter(journey.spec.jobs[journey.job].sources))
            scored = subprocess.run(
                [sys.executable, SCORE, *map(str, files), str(FOLDER / "data" / source)],
                cwd=code,
                check=False,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
            )
            if scored.returncode:
                raise JourneyError(f"{code / SCORE} failed:\n{scored.stdout}{scored.stderr}")
            phase.note += f": {scored.stdout.strip()}"


def _watch(screen: Screen, journey: Journey, execution: str) -> dict[str, Any]:
    """Show an execution as it happens and return its output; raises JourneyError with its cause."""
    for event in follow(journey.client, execution, poll_seconds=POLL_SECONDS):
        match event:
            case StateEntered(name, "Task"):
                screen.detail(name)
            case JobStarted(kind, name, instance_type):
                screen.detail(f"{kind} job {name} on {instance_type}")
            case LogLine(_, text):
                screen.detail(f"│ {text}", "cyan")
            case Finished("SUCCEEDED", output):
                return output
            case Finished(status, _, error, cause):
                raise JourneyError(f"{execution.rpartition(':')[2]} {status.lower()}: {error}: {cause}")
    raise JourneyError(f"{execution} did not end")


def _clients(running: embedded.Running, spec: TeamEnvironment) -> Any:
    session = boto3.session.Session(spec.account, "embedded", region_name=spec.region)
    config = Config(s3={"addressing_style": "path"})
    return cache(lambda service: session.client(service, endpoint_url=running.endpoint, config=config))


def _last_notification(running: embedded.Running) -> str:
    mails = sorted((running.data / "mail").glob("*.jsonl"), key=os.path.getmtime)
    return str(json.loads(mails[-1].read_text().splitlines()[-1])["subject"]) if mails else ""


def _nothing_left(journey: Journey) -> str:
    """Look whether the environment's stacks and endpoint are gone; raises JourneyError with what is left."""
    stacks = journey.client("cloudformation").describe_stacks()["Stacks"]
    left = [stack["StackName"] for stack in stacks if stack["StackName"] != "CDKToolkit"]
    left += [entry["EndpointName"] for entry in journey.client("sagemaker").list_endpoints()["Endpoints"]]
    left += [entry["FunctionName"] for entry in journey.client("lambda").list_functions()["Functions"]]
    if left:
        raise JourneyError(f"cdk destroy left {', '.join(left)}")
    return "no stack, function or endpoint is left"
