"""A team's environment under the CDK command: its file changed, the difference read, deployed, removed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from atelier.demo.cdk import Cdk

RESOURCE = re.compile(r"\[([-+~])\] (\S+::\S+) (\S+) \S+(?: (.*))?")
REPLACED = {"replace", "may be replaced"}


class Difference(NamedTuple):
    """What `cdk diff` says of one resource."""

    sign: str
    """`+` made, `-` removed, `~` changed in place, `±` replaced, for certain or perhaps."""
    path: str
    """Its construct, such as `data/Key`."""
    type: str

    @property
    def stack(self) -> str:
        """The stack, such as `data`."""
        return self.path.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.sign} {self.path}"


@dataclass
class TeamEnvironment:
    """One environment of a team, from a copy of the team's file that a test changes."""

    cdk: Cdk
    file: Path

    @classmethod
    def of(cls, cdk: Cdk, original: Path) -> TeamEnvironment:
        """A copy of a team's file in a folder of its own."""
        folder = cdk.logs / "teams"
        folder.mkdir()
        return cls(cdk, Path(shutil.copy(original, folder)))

    @property
    def stage(self) -> str:
        """What all its stacks begin with."""
        return f"{self.cdk.team}-{self.cdk.env}"

    def edit(self, patch: Mapping[str, Any]) -> None:
        """Change the file: a JSON Merge Patch, as overrides are; comments stay."""
        yaml = YAML()
        yaml.preserve_quotes = True
        content = yaml.load(self.file)
        _merge(content, patch)
        yaml.dump(content, self.file)

    def synth(self) -> subprocess.CompletedProcess[str]:
        """Write the templates that the file means now."""
        return self._cdk("synth", "--quiet", *self._source())

    def diff(self) -> list[Difference]:
        """What would change if the file were deployed as it is now."""
        said = self._cdk("diff", f"{self.stage}/*", *self._source(), "--context-lines", "0")
        assert said.returncode == 0, said.stderr
        stacks = (said.stdout + said.stderr).split("\nStack ")[1:]
        return [difference for stack in stacks for difference in _differences(stack)]

    def deploy(self, *stacks: str, alone: bool = False) -> None:
        """Deploy what was last synthesized: all stacks, or some, `alone` or with what they need."""
        which = [f"{self.stage}/{stack}" for stack in stacks or "*"]
        options = ["--require-approval", "never", "--concurrency", "4", *(["--exclusively"] if alone else [])]
        done = self._cdk("deploy", *which, "--app", str(self.cdk.assembly), *options)
        assert done.returncode == 0, done.stdout + done.stderr

    def destroy(self) -> subprocess.CompletedProcess[str]:
        """Remove all of it."""
        return self._cdk("destroy", f"{self.stage}/*", "--app", str(self.cdk.assembly), "--force")

    def _source(self) -> list[str]:
        selected = {"teams": self.file.parent, "team": self.cdk.team, "env": self.cdk.env}
        context = [part for name, value in selected.items() for part in ("-c", f"{name}={value}")]
        return [*context, "--output", str(self.cdk.assembly)]

    def _cdk(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.cdk.run(*arguments, "--no-notices", "--no-color", "--ci")


def _differences(stack: str) -> Iterator[Difference]:
    for line in stack.splitlines():
        if found := RESOURCE.fullmatch(line):
            sign, type_, path, impact = found.groups()
            yield Difference("±" if impact in REPLACED else sign, path, type_)


def _merge(content: Any, patch: Mapping[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            content.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(content.get(key), Mapping):
            _merge(content[key], value)
        else:
            content[key] = value
