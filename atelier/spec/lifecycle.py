"""Scripts of lifecycle_scripts/, joined to the one script that SageMaker runs when an app or notebook starts.

The result is: the settings, as exported variables; the prelude, without its comments, which would only count;
then each script in parentheses, so that one that fails ends alone (see `finish` in the prelude). A script has
those of the settings that its text mentions.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from atelier.spec.studio import Notebook, Studio

SCRIPTS = Path(__file__).parents[2] / "lifecycle_scripts"
SHARED = SCRIPTS / "shared"
"""What is no script by itself: the prelude, and programs that scripts put somewhere."""

CONTENT_LIMIT = 16_384
"""The characters that SageMaker takes, after base64."""

TEAM_PREFIX = "team/"
"""The folder of the data bucket that mount_team_prefix copies."""
AUTO_STOP = "auto_stop"
"""The script that every notebook instance runs."""

SETTINGS = {
    "ATELIER_IDENTITIES": "studio.users with git_name or git_email",
    "ATELIER_IDLE_MINUTES": "a notebook instance",
    "ATELIER_PACKAGES": "studio.packages",
    "ATELIER_REPOSITORIES": "studio.repositories",
    "ATELIER_TEAM_PREFIX": "a data bucket",
}
"""What a script cannot do without, each with what in the team file gives it."""

_INCLUDE = re.compile(r"^# include: (\S+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^ *#.*\n", re.MULTILINE)
_VARIABLE = re.compile(r"\bATELIER_[A-Z_]+\b")


class TooLong(ValueError):
    """Scripts that SageMaker would not take, together with what they carry along."""

    def __init__(self, size: int, largest: str, largest_size: int) -> None:
        self.reason = f"makes a script of {size:,} characters in base64; SageMaker takes {CONTENT_LIMIT:,}"
        excess = -(-(size - CONTENT_LIMIT) // 4) * 3
        self.remedy = (
            f"shorten by {excess:,} bytes, or have the rest fetched from the team's bucket;"
            f" the largest part is {largest} with {largest_size:,} bytes"
        )
        super().__init__(f"{self.reason}: {self.remedy}")


def render(scripts: Sequence[str], settings: Mapping[str, str], folder: Path | None = None) -> str:
    """The script that runs `scripts`, named as their files without .sh, one after the other.

    The files are in `folder`, or among those that are shipped.

    Raises:
        TooLong: the whole is longer than SageMaker takes.
        ValueError: there is no such script, its lines end in CRLF, or it needs a setting that is not given.
    """
    bodies = {name: _body(folder or SCRIPTS, name) for name in scripts}
    rendered = "\n".join(
        [
            "#!/bin/bash",
            f"# Made by Atelier from lifecycle_scripts/: {', '.join(scripts)}.",
            "set -euo pipefail",
            "shopt -s inherit_errexit",
            *_exports(bodies, settings),
            "",
            _COMMENT.sub("", _read(SHARED / "prelude.sh")),
            *(f"(\n{body.rstrip()}\n) </dev/null &\nfinish {name}\n" for name, body in bodies.items()),
        ]
    )
    size = len(encode(rendered))
    if size > CONTENT_LIMIT:
        parts = {**{name: len(body) for name, body in bodies.items()}, **_sizes(bodies, settings)}
        largest = max(parts, key=lambda part: parts[part])
        raise TooLong(size, largest, parts[largest])
    return rendered


def settings(bucket: str, studio: Studio | None, project: Path) -> dict[str, str]:
    """What the team file gives the scripts, by variable; what it leaves out is not there.

    `bucket` is the environment's data bucket, and files are looked up in the folder `project`.
    """
    found = {"ATELIER_TEAM_PREFIX": f"s3://{bucket}/{TEAM_PREFIX}"}
    if studio is not None:
        people = [
            f"{name}|{user.git_email or ''}|{user.git_name or ''}"
            for name, user in studio.users.items()
            if user.git_email or user.git_name
        ]
        found |= {
            "ATELIER_IDENTITIES": "\n".join(people),
            "ATELIER_PACKAGES": _read(project / studio.packages).strip() if studio.packages else "",
            "ATELIER_REPOSITORIES": "\n".join(studio.repositories),
        }
    return {variable: value for variable, value in found.items() if value}


def of_notebook(notebook: Notebook, settings: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The scripts of a notebook instance, of which the last is auto_stop, and what they are given."""
    scripts = [*(one for one in notebook.lifecycle if one != AUTO_STOP), AUTO_STOP]
    own = {"ATELIER_IDLE_MINUTES": str(notebook.idle_minutes), "ATELIER_OWNER": notebook.owner or ""}
    return scripts, {**settings, **own}


def encode(rendered: str) -> str:
    """The script as SageMaker takes it."""
    return base64.b64encode(rendered.encode()).decode()


def digest(*parts: str) -> str:
    """Eight characters that change when any part does."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


def _exports(bodies: Mapping[str, str], settings: Mapping[str, str]) -> Iterator[str]:
    wanted: dict[str, str] = {}
    for name, body in bodies.items():
        for variable in _VARIABLE.findall(body):
            wanted.setdefault(variable, name)
    for variable in sorted(wanted):
        if variable in settings:
            yield f"export {variable}={shlex.quote(settings[variable])}"
        elif variable in SETTINGS:
            raise ValueError(f"lifecycle script {wanted[variable]} needs {SETTINGS[variable]}")


def _sizes(bodies: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, int]:
    used = {variable for body in bodies.values() for variable in _VARIABLE.findall(body)}
    return {variable: len(value) for variable, value in settings.items() if variable in used}


def _body(folder: Path, name: str) -> str:
    path = folder / f"{name}.sh"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.sh")))
        raise ValueError(f"there is no lifecycle_scripts/{name}.sh; there are: {known}")
    return _INCLUDE.sub(lambda match: _read(SHARED / match[1]), _read(path))


@cache
def _read(path: Path) -> str:
    # As bytes: reading text would turn the CRLF that is to be found into LF.
    content = path.read_bytes().decode()
    if "\r" in content:
        raise ValueError(
            f"{path.parent.name}/{path.name} has CRLF line ends, with which bash fails on SageMaker:"
            f" save it with LF, as in  sed -i 's/\\r$//' {path.parent.name}/{path.name}"
        )
    return content
