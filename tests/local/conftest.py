"""An embedded AWS for the tests of the whole path, and the CDK command pointed at it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from atelier import embedded
from atelier.demo.cdk import Cdk
from atelier.demo.journey import Journey
from atelier.spec import load_teams

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "111122223333", "eu-west-1"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Running]:
    """An embedded AWS in a folder of its own; job environments are cached in the project's."""
    with embedded.serve(tmp_path_factory.mktemp("aws"), ROOT / embedded.STATE / "cache") as running:
        yield running


@pytest.fixture(scope="session")
def client(running: embedded.Running) -> Callable[[str], Any]:
    """Gives boto3 clients of the embedded AWS."""
    session = boto3.session.Session(ACCOUNT, "embedded", region_name=REGION)
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return lambda service: session.client(service, endpoint_url=running.endpoint, config=config)


@pytest.fixture(scope="session")
def cdk(running: embedded.Running, tmp_path_factory: pytest.TempPathFactory) -> Cdk:
    """The stock CDK command for the example team, with the account bootstrapped."""
    command = Cdk(
        root=ROOT,
        logs=tmp_path_factory.mktemp("cdk"),
        variables=running.environment(ACCOUNT, REGION),
        team="vision",
        env="dev",
    )
    command.finish("bootstrap", command.bootstrap(ACCOUNT, REGION))
    return command


@pytest.fixture(scope="session")
def journey(cdk: Cdk, client: Callable[[str], Any]) -> Journey:
    """The example team's environment, deployed."""
    [spec] = load_teams(ROOT / "teams", team="vision", env="dev")
    cdk.finish("synth", cdk.synth())
    cdk.deploy()
    return Journey(spec, job="curve", endpoint="curve", client=client)


@pytest.fixture
def life(cdk: Cdk, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a CDK command on the small app of `apps/life.py` at one of its versions."""

    def run(*arguments: str, version: str) -> subprocess.CompletedProcess[str]:
        app = f"{sys.executable} {Path(__file__).parent / 'apps' / 'life.py'}"
        output = tmp_path / f"cdk.out.{version}"
        options = ["--app", app, "-c", f"version={version}", "--output", str(output), "--no-notices", "--ci"]
        return cdk.run(*arguments, *options)

    return run
