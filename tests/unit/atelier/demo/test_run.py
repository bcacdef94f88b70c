"""The demo: one at a time in a clone; it approves as a person would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from atelier.demo import run as demo
from atelier.demo.journey import Journey, JourneyError
from atelier.demo.screen import Screen
from atelier.demo.selection import select
from atelier.demo.summary import Summary

ROOT = Path(__file__).parents[4]


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of the demo's folder, as a demo does."""
    monkeypatch.setattr(demo, "FOLDER", tmp_path / "demo")
    program = (
        "import time; from pathlib import Path; from atelier.demo.lock import alone\n"
        "with alone(Path('demo.lock')):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_a_second_demo_leaves_the_first_alone(running: subprocess.Popen[str], tmp_path: Path) -> None:
    """It is refused with the process that runs, before anything is deleted."""
    log = tmp_path / "demo/cdk-deploy.log"
    log.parent.mkdir()
    log.write_text("of the first")
    with pytest.raises(JourneyError, match=f"a demo runs already in this clone, process {running.pid}:"):
        demo.run(Console(quiet=True), "no-such-job", None, "dev")
    assert log.read_text() == "of the first"


def test_a_killed_demo_does_not_block_the_next(running: subprocess.Popen[str]) -> None:
    """Its lock goes with it: the next demo begins, here only to find that there is no such job."""
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    with pytest.raises(JourneyError, match="no-such-job"):
        demo.run(Console(quiet=True), "no-such-job", None, "dev")


@dataclass
class Registry:
    """A SageMaker that remembers what it was told of model packages."""

    told: list[dict[str, str]] = field(default_factory=list)

    def update_model_package(self, **arguments: str) -> None:
        self.told.append(arguments)


@pytest.mark.parametrize(("env", "approvals"), [("dev", []), ("prod", ["Approved"])])
def test_the_demo_approves_where_a_person_would(env: str, approvals: list[str], tmp_path: Path) -> None:
    """Where approval is manual the demo gives it, or nothing would ever be deployed."""
    selected = select(ROOT, tmp_path / "teams", "curve", "vision", env)
    registry, summary = Registry(), Summary("vision", env, "curve", "curve", model_package="arn:x/y/1")
    journey = Journey(selected.spec, "curve", "curve", lambda _: registry)
    demo.approve(Screen(Console(quiet=True)), journey, summary)
    assert registry.told == [
        {"ModelPackageArn": "arn:x/y/1", "ModelApprovalStatus": approval} for approval in approvals
    ]


@dataclass
class Stacks:
    """A CloudFormation with one protected stack."""

    told: list[dict[str, Any]] = field(default_factory=list)

    def describe_stacks(self) -> dict[str, Any]:
        protected = {"vision-prod-data": True, "CDKToolkit": False}
        return {
            "Stacks": [
                {"StackName": name, "EnableTerminationProtection": on} for name, on in protected.items()
            ]
        }

    def update_termination_protection(self, **arguments: Any) -> None:
        self.told.append(arguments)


def test_the_demo_lifts_the_protection_before_it_destroys(tmp_path: Path) -> None:
    """Of the stacks that have it, or CloudFormation would refuse to delete what production protects."""
    selected = select(ROOT, tmp_path / "teams", "curve", "vision", "prod")
    stacks = Stacks()
    assert Journey(selected.spec, "curve", "curve", lambda _: stacks).unprotect() == 1
    assert stacks.told == [{"StackName": "vision-prod-data", "EnableTerminationProtection": False}]
