"""An embedded AWS that holds what the commands talk to, and the command line in a project's folder."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from atelier.cli.commands import app
from atelier.spec import names
from lambdas.start_training.settings import JobSettings, StartTrainingSettings
from localaws.server import Server

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROOT = Path(__file__).parents[4]
BUCKET = names.bucket("tiny", "dev", "data", ACCOUNT, REGION)

TEAM = """\
team: tiny
owners: [you@example.com]
environments:
  dev: {account: "111122223333", region: eu-west-1}
jobs:
  curve: {script: curve, framework: sklearn}
  bare: {script: curve, framework: sklearn}
endpoints:
  curve: {job: curve, sample: {body: "[[1]]"}}
  mute: {job: curve}
"""

# What the real machine's input, output and failure look like, without a training job.
MACHINE = {
    "QueryLanguage": "JSONata",
    "StartAt": "Prepare",
    "States": {
        "Prepare": {
            "Type": "Pass",
            "Assign": {"asked": "{% $merge([{}, $states.input.hyperparameters]) %}"},
            "Next": "Is the gate passed?",
        },
        "Is the gate passed?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $exists($asked.spoil) %}", "Next": "Failed with a reason"}],
            "Default": "Done",
        },
        "Failed with a reason": {
            "Type": "Fail",
            "Error": "Atelier.GateNotPassed",
            "Cause": "rmse is 200, the gate asks for at most 190\nlast line of the log",
        },
        "Done": {
            "Type": "Succeed",
            "Output": {
                "run": "{% $states.context.Execution.Name %}",
                "job": "curve",
                "trainingJob": "tiny-dev-curve-1",
                "metrics": {"rmse": 150.5},
                "modelPackage": "arn:aws:sagemaker:eu-west-1:111122223333:model-package/tiny-dev-curve/1",
                "status": "approved",
            },
        },
    },
}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An embedded AWS with a bucket, the machine of job `curve` and the function that starts it."""
    server = Server(tmp_path_factory.mktemp("aws"), tmp_path_factory.mktemp("cache"))
    server.start()
    try:
        _deploy(lambda service: server.world.client(service, ACCOUNT, REGION))
        yield server
    finally:
        server.stop()


def _deploy(client: Callable[[str], Any]) -> None:
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for channel in ("train", "validation"):
        client("s3").put_object(Bucket=BUCKET, Key=f"curve/{channel}/data.csv", Body=b"1,2\n")
    for job in ("curve", "bare"):
        client("stepfunctions").create_state_machine(
            name=f"tiny-dev-train-{job}",
            definition=json.dumps(MACHINE),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/any",
        )
    settings = StartTrainingSettings(
        bucket=BUCKET,
        machines=f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:tiny-dev-train-",
        jobs={
            job: JobSettings(
                {channel: f"{job}/{channel}/" for channel in ("train", "validation")}, ("train",)
            )
            for job in ("curve", "bare")
        },
    )
    client("lambda").create_function(
        FunctionName="tiny-dev-start-training",
        Runtime="python3.13",
        Handler="lambdas.start_training.handler.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/any",
        Code={"ZipFile": _lambdas()},
        Timeout=20,
        Environment={"Variables": settings.to_environment()},
    )


def _lambdas() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in (ROOT / "lambdas").rglob("*.py"):
            archive.write(path, path.relative_to(ROOT))
    return packed.getvalue()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a project with one team and its script, and no AWS in the environment."""
    for path in ("teams/tiny.yaml", "training_scripts/curve/train.py", "training_scripts/curve/inference.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "teams/tiny.yaml").write_text(TEAM)
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return tmp_path


@pytest.fixture
def atelier(project: Path) -> Callable[..., Result]:
    """Runs the command line in the project's folder."""
    runner = CliRunner()

    def run(*arguments: str, **options: Any) -> Result:
        return runner.invoke(app, list(arguments), catch_exceptions=False, **options)

    return run


@pytest.fixture
def deployed(server: Server, project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Points the shell at the embedded AWS; gives clients of it."""
    for name, value in server.world.environment(ACCOUNT, REGION).items():
        monkeypatch.setenv(name, value)
    return lambda service: server.world.client(service, ACCOUNT, REGION)
