"""A scratch folder in place of /, and programs on PATH that record how they are called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from atelier.spec.lifecycle import render

SETTINGS = {
    "ATELIER_IDENTITIES": "ana|ana@example.com|Ana O'Neill\nben|ben@example.com|",
    "ATELIER_IDLE_MINUTES": "90",
    "ATELIER_PACKAGES": "polars==1.35.0\nfasttext>=0.9",
    "ATELIER_TEAM_PREFIX": "s3://vision-dev-data/team/",
}

RECORD = """#!/bin/sh
printf '%s\\n' "$(basename "$0") $*" >>"$CALLS"
{answer}
"""

# What they answer; the last two run what they are given, as the real ones do.
ANSWERS = {
    "aws": 'if [ "$2" = describe-space ]; then printf "%s\\n" "$SPACE"; fi',
    "id": 'echo "$FAKE_UID"',
    "pip": "",
    "systemctl": "",
    "runuser": 'shift 3; exec "$@"',
    "timeout": 'shift; exec "$@"',
}


@dataclass
class Machine:
    """A machine of SageMaker's: its files lie below `root`."""

    root: Path
    calls_file: Path
    environment: dict[str, str]

    def run(self, *scripts: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run lifecycle scripts as SageMaker does; what they began in the background may still run."""
        text = render(scripts, SETTINGS | settings)
        return subprocess.run(
            ["bash"],
            input=text,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # without a terminal, as on SageMaker
        )

    def calls(self, program: str, *, count: int = 0) -> list[str]:
        """How `program` was called so far, once it was called `count` times."""
        deadline = time.monotonic() + 10
        while True:
            lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
            found = [line for line in lines if line.split()[0] == program]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    def eventually(self, path: str) -> Path:
        """The file, once it is there."""
        deadline = time.monotonic() + 10
        while not (self.root / path).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (self.root / path).exists(), path
        return self.root / path


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Machine]:
    """Makes a machine: `machine("notebook")`, or `machine("studio", SpaceName="lab")` with its metadata."""

    def make(kind: str, *, space: str = "Private\tana", **metadata: str) -> Machine:
        root, programs = tmp_path / "root", tmp_path / "bin"
        home = "home/ec2-user/SageMaker" if kind == "notebook" else "home/sagemaker-user"
        (root / home).mkdir(parents=True)
        (root / "opt/ml/metadata").mkdir(parents=True)
        (root / "opt/ml/metadata/resource-metadata.json").write_text(json.dumps(metadata))
        programs.mkdir()
        for name, answer in ANSWERS.items():
            (programs / name).write_text(RECORD.format(answer=answer))
            (programs / name).chmod(0o755)
        (programs / "python3").symlink_to(sys.executable)
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(root / "root"),
            "LIFECYCLE_ROOT": str(root),
            "CALLS": str(tmp_path / "calls"),
            "FAKE_UID": "0" if kind == "notebook" else "1000",
            "SPACE": space,
        }
        return Machine(root, tmp_path / "calls", environment)

    return make
