"""Scripts of lifecycle_scripts/, joined to the one script that SageMaker runs when an app or notebook starts.

The result is: the settings, as exported variables; the prelude; then each script in parentheses, so that one
that fails ends alone (see `finish` in the prelude). A script gets those settings that its text mentions.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "lifecycle_scripts"
SHARED = SCRIPTS / "shared"
"""What is no script by itself: the prelude, and programs that scripts put somewhere."""

CONTENT_LIMIT = 16_384
"""The characters that SageMaker takes, after base64."""

SETTINGS = {
    "ATELIER_IDENTITIES": "studio.users with git_name or git_email",
    "ATELIER_IDLE_MINUTES": "a notebook instance",
    "ATELIER_PACKAGES": "studio.packages",
    "ATELIER_REPOSITORIES": "studio.repositories",
    "ATELIER_TEAM_PREFIX": "a data bucket",
}
"""What a script cannot do without, each with what in the team file gives it."""

_INCLUDE = re.compile(r"^# include: (\S+)\n", re.MULTILINE)
_VARIABLE = re.compile(r"\bATELIER_[A-Z_]+\b")


def render(scripts: Sequence[str], settings: Mapping[str, str]) -> str:
    """The script that runs `scripts`, named as their files without .sh, one after the other.

    Raises:
        ValueError: there is no such script, its lines end in CRLF, it needs a setting that is not given, or
            the whole is longer than SageMaker takes.
    """
    bodies = {name: _body(name) for name in scripts}
    rendered = "\n".join(
        [
            "#!/bin/bash",
            f"# Made by Atelier from lifecycle_scripts/: {', '.join(scripts)}.",
            "set -euo pipefail",
            "shopt -s inherit_errexit",
            *_exports(bodies, settings),
            "",
            _read(SHARED / "prelude.sh"),
            *(f"(\n{body.rstrip()}\n) &\nfinish {name}\n" for name, body in bodies.items()),
        ]
    )
    size = len(encode(rendered))
    if size > CONTENT_LIMIT:
        parts = {**{name: len(body) for name, body in bodies.items()}, **_sizes(bodies, settings)}
        largest = max(parts, key=lambda part: parts[part])
        raise ValueError(
            f"the lifecycle script of {', '.join(scripts)} has {size} characters in base64 and SageMaker"
            f" takes {CONTENT_LIMIT}: the largest part is {largest} with {parts[largest]}; shorten it, or"
            " have it fetched from the team's bucket"
        )
    return rendered


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


def _body(name: str) -> str:
    path = SCRIPTS / f"{name}.sh"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in SCRIPTS.glob("*.sh")))
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
