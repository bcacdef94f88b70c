"""The stock CDK command, run as a user runs it, with its output kept in log files."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAIL_LINES = 30


class CdkError(Exception):
    """The CDK command failed; the message holds the end of what it said."""


@dataclass(frozen=True)
class Cdk:
    """The command of `node_modules`, for one team's environment, against one AWS."""

    root: Path
    """The project's folder, which holds cdk.json."""
    logs: Path
    variables: Mapping[str, str]
    """What points the command at an AWS: credentials, region, endpoint."""
    team: str
    env: str
    teams: Path | None = None
    """The folder of team files; teams/ of the project, if None."""

    def bootstrap(self, account: str, region: str) -> subprocess.Popen[bytes]:
        """Begin to prepare an account and region for the CDK; see `finish`."""
        # The command synthesizes for it too, by default where anybody's other command does.
        output = str(self.logs / "cdk-bootstrap.out")
        return self._start("bootstrap", "bootstrap", f"aws://{account}/{region}", "--output", output)

    def synth(self) -> subprocess.Popen[bytes]:
        """Begin to write the templates to `assembly`; see `finish`."""
        selection = ["-c", f"team={self.team}", "-c", f"env={self.env}"]
        if self.teams is not None:
            selection += ["-c", f"teams={self.teams}"]
        return self._start("synth", "synth", "--quiet", "--output", str(self.assembly), *selection)

    def deploy(self) -> dict[str, dict[str, str]]:
        """Deploy what `synth` wrote; return each stack's outputs, apart from those between the stacks."""
        outputs = self.logs / "outputs.json"
        options = ["--require-approval", "never", "--concurrency", "4", "--outputs-file", str(outputs)]
        self.finish("deploy", self._start("deploy", "deploy", *self._assembled(), *options))
        said: dict[str, dict[str, str]] = json.loads(outputs.read_text())
        return {
            stack: told
            for stack, values in said.items()
            if (told := {name: value for name, value in values.items() if not name.startswith("Exports")})
        }

    def destroy(self) -> None:
        """Remove what `deploy` made."""
        self.finish("destroy", self._start("destroy", "destroy", *self._assembled(), "--force"))

    @property
    def assembly(self) -> Path:
        """The folder of the synthesized templates (the cloud assembly)."""
        return self.logs / "cdk.out"

    def manifest(self) -> dict[str, Any]:
        """The stacks' templates by stack name."""
        return {
            path.name.removesuffix(".template.json"): json.loads(path.read_text())
            for path in self.assembly.glob("**/*.template.json")
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run any CDK command line to its end and return what it said."""
        return subprocess.run(
            [self._program, *arguments],
            cwd=self.root,
            env=self._environment(),
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def finish(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Wait for a command begun; raises CdkError with the end of its log when it fails."""
        if process.wait() != 0:
            tail = self._log(name).read_text(errors="replace").splitlines()[-TAIL_LINES:]
            raise CdkError(f"cdk {name} failed (log: {self._log(name)}):\n" + "\n".join(tail))

    def _assembled(self) -> list[str]:
        return ["--app", str(self.assembly), f"{self.team}-{self.env}/*"]

    def _log(self, name: str) -> Path:
        return self.logs / f"cdk-{name}.log"

    @property
    def _program(self) -> str:
        return str(self.root / "node_modules/.bin/cdk")

    def _environment(self) -> dict[str, str]:
        path = f"{self.root / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, **self.variables, "PATH": path}
        # A profile or session of the user's would win over the credentials given here.
        for variable in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
            environment.pop(variable, None)
        return environment

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log(name).open("wb") as log:
            return subprocess.Popen(
                [self._program, *arguments, "--no-notices", "--no-color", "--ci"],
                cwd=self.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
