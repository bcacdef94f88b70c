"""The demo itself: what a user of AWS would do, one phase after the other, against an embedded AWS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config
from rich.console import Console

from atelier import embedded
from atelier.cli.follow import Finished, LogLine, StateEntered, TrainingStarted, follow
from atelier.demo import points
from atelier.demo.cdk import Cdk
from atelier.demo.journey import Journey, JourneyError
from atelier.demo.picture import draw
from atelier.demo.screen import Screen
from atelier.demo.summary import Summary, count_resources, show
from atelier.spec import TeamEnvironment, load_teams

ROOT = embedded.ROOT
FOLDER = ROOT / "build" / "demo"
QUESTIONS = [100.0, 200.0, -3000.0]
STEP = 50
POLL_SECONDS = 0.1


def run(console: Console, team: str, env: str, job: str) -> Summary:
    """Deploy, upload, train, approve, serve, predict, draw, remove; nothing is left running in the end.

    Raises:
        SpecError, EmbeddedError, CdkError, JourneyError: what went wrong, for a person to read.
    """
    spec, endpoint = _choose(team, env, job)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    screen = Screen(console)
    summary = Summary(team, env, job, endpoint)
    console.print(f"[bold]Atelier demo[/]: team {team}, environment {env}, on an embedded AWS\n")
    with _embedded_aws(screen) as running:
        variables = running.environment(spec.account, spec.region)
        cdk = Cdk(ROOT, FOLDER, variables, team, env)
        journey = Journey(spec, job, endpoint, _clients(running, spec))
        with _warm_environment(ROOT / "training_scripts" / str(spec.jobs[job].script)):
            _provision(screen, cdk, summary)
        _use(screen, journey, summary)
        summary.notification = _last_notification(running)
        console.print(f"  mail: {summary.notification}", style="dim", highlight=False, markup=False)
        summary.embedded_aws_megabytes = round(psutil.Process(running.pid).memory_info().rss / 1e6, 1)
        with screen.phase("cdk destroy") as phase:
            cdk.destroy()
            phase.note = _nothing_left(journey)
    summary.seconds = screen.seconds
    summary.write(FOLDER / "summary.json")
    console.print()
    show(console, summary, Path(os.path.relpath(FOLDER)))
    return summary


def _choose(team: str, env: str, job: str) -> tuple[TeamEnvironment, str]:
    [spec] = load_teams(ROOT / "teams", team=team, env=env)
    if job not in spec.jobs:
        raise JourneyError(f"team {team} has no job {job!r}: it has {', '.join(spec.jobs)}")
    served = [name for name, endpoint in spec.endpoints.items() if endpoint.job == job]
    if not served:
        raise JourneyError(f"no endpoint of team {team} serves job {job!r}")
    return spec, served[0]


@contextmanager
def _embedded_aws(screen: Screen) -> Iterator[embedded.Running]:
    with ExitStack() as stack:
        with screen.phase("embedded AWS") as phase:
            running = stack.enter_context(embedded.serve(FOLDER / "aws"))
            phase.note = running.endpoint
        yield running


@contextmanager
def _warm_environment(script: Path) -> Iterator[None]:
    """Build the job's Python environment beside the deployment; SageMaker's images have theirs built in."""
    command = [
        sys.executable,
        "-m",
        "localaws.sagemaker.environments",
        "--cache",
        str(embedded.STATE / "cache"),
    ]
    with (FOLDER / "environment.log").open("wb") as log:
        builder = subprocess.Popen(
            [*command, str(script / "requirements.txt")], stdin=subprocess.DEVNULL, stdout=log, stderr=log
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


def _use(screen: Screen, journey: Journey, summary: Summary) -> None:
    data = points.generate()
    with screen.phase("upload") as phase:
        began = journey.upload({name: data[name] for name in ("validation", "train")}, FOLDER / "data")
        phase.note = f"{len(data['train'])} + {len(data['validation'])} points to s3://{journey.bucket}"
    with screen.phase("training run") as phase:
        summary.run = journey.training_run(began).rpartition(":")[2]
        output = _watch(screen, journey, journey.training_run(began))
        summary.training_job, summary.metrics = output["trainingJob"], output["metrics"]
        phase.note = ", ".join(f"{name} {value:.1f}" for name, value in summary.metrics.items())
    with screen.phase("deployment") as phase:
        _watch(screen, journey, journey.deployment(began))
        phase.note = f"endpoint {journey.endpoint} in service"
    with screen.phase("predictions") as phase:
        summary.predictions["application/json"] = journey.predict_json(QUESTIONS)
        summary.predictions["text/csv"] = journey.predict_csv(QUESTIONS)
        xs = [float(x) for x in range(int(points.RANGE[0]), int(points.RANGE[1]) + 1, STEP)]
        predicted = list(zip(xs, journey.predict_json(xs), strict=True))
        draw(FOLDER / "prediction.png", data["train"], predicted, f"{journey.job}: prediction over points")
        answers = zip(QUESTIONS, summary.predictions["application/json"], strict=True)
        phase.note = ", ".join(f"{x:.0f} → {y:.0f}" for x, y in answers)


def _watch(screen: Screen, journey: Journey, execution: str) -> dict[str, Any]:
    """Show an execution as it happens and return its output; raises JourneyError with its cause."""
    for event in follow(journey.client, execution, poll_seconds=POLL_SECONDS):
        match event:
            case StateEntered(name, "Task"):
                screen.detail(name)
            case TrainingStarted(job, instance_type):
                screen.detail(f"training job {job} on {instance_type}")
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
