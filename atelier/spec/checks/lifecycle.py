"""Checks lifecycle scripts: they exist, have what they need where they are used, and suit SageMaker."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from atelier.spec.checks.finding import Context, Finding, Findings, twice
from atelier.spec.document import Steps
from atelier.spec.problems import choose
from atelier.spec.studio import Studio

FOLDER = "lifecycle_scripts"
MAX_CONTENT = 16384
"""What SageMaker takes of a lifecycle configuration, in characters of base64."""

Place: TypeAlias = Literal["studio", "notebook"]

ONLY_IN_NOTEBOOKS = re.compile(r"^only_in_notebooks$", re.MULTILINE)
"""What a script says that can run nowhere else."""

PACKAGES = "ATELIER_PACKAGES"

NEEDS: dict[str, tuple[Callable[[Studio], object], str]] = {
    PACKAGES: (lambda studio: studio.packages, "add  packages: <requirements file>  to studio"),
    "ATELIER_REPOSITORIES": (
        lambda studio: studio.repositories,
        "add  repositories: [https://…]  to studio",
    ),
    "ATELIER_IDENTITIES": (
        lambda studio: any(user.git_name for user in studio.users.values()),
        "add  git_name  and  git_email  to studio.users",
    ),
}
"""The settings without which a script that reads them does nothing: what gives them, and how to add it."""


def check_scripts(context: Context, at: Steps, names: Sequence[str], place: Place) -> Findings:
    """Check the scripts that run one after the other when an app or a notebook instance starts."""
    yield from twice(at, names, "script")
    known = sorted(path.stem for path in (context.project / FOLDER).glob("*.sh"))
    total = 0
    for index, name in enumerate(names):
        here = (*at, index)
        if name not in known:
            remedy = choose(name, known, nothing=f"add {FOLDER}/{name}.sh")
            yield Finding(here, f"there is no {FOLDER}/{name}.sh", remedy)
            continue
        content = (context.project / FOLDER / f"{name}.sh").read_bytes()
        total += len(content) + carried(context, content)
        yield from check_content(here, f"{FOLDER}/{name}.sh", content)
        yield from _check_use(context.file.studio, here, content.decode("utf-8", "replace"), place)
    if len(names) > 1:
        yield from _check_size(at, "the scripts together", total)


def carried(context: Context, content: bytes) -> int:
    """The bytes of the packages, which a script that installs them takes along."""
    studio = context.file.studio
    if studio is None or studio.packages is None or PACKAGES.encode() not in content:
        return 0
    path = context.project / studio.packages
    return path.stat().st_size if path.is_file() else 0


def reads(context: Context, names: Sequence[str], setting: str) -> bool:
    """Whether one of these scripts reads a setting."""
    paths = (context.project / FOLDER / f"{name}.sh" for name in names)
    return any(setting.encode() in path.read_bytes() for path in paths if path.is_file())


def check_file(context: Context, at: Steps, file: str) -> Findings:
    """Check a file that a script takes along, such as a list of packages."""
    path = context.project / file
    if path.is_file():
        yield from check_content(at, file, path.read_bytes())
    else:
        yield Finding(at, "there is no such file", f"write {file}, one requirement a line")


def check_content(at: Steps, file: str, content: bytes) -> Findings:
    """What runs on Linux has Linux's line endings, and what travels in a configuration is short."""
    if b"\r" in content:
        line = content[: content.index(b"\r")].count(b"\n") + 1
        remedy = f"save it with LF, for example:  sed -i 's/\\r$//' {file}"
        yield Finding(at, f"{file} has Windows line endings (CRLF), first in line {line}", remedy)
    yield from _check_size(at, file, len(content))


def _check_use(studio: Studio | None, at: Steps, script: str, place: Place) -> Findings:
    if place == "studio" and ONLY_IN_NOTEBOOKS.search(script):
        remedy = "move it to the lifecycle of a notebook, or remove it"
        yield Finding(at, "this script can run in notebook instances only", remedy)
    for setting, (gives, remedy) in NEEDS.items():
        if setting in script and not (studio and gives(studio)):
            yield Finding(at, "nothing is there for this script to work on", remedy)


def _check_size(at: Steps, what: str, size: int) -> Findings:
    encoded = (size + 2) // 3 * 4
    if encoded > MAX_CONTENT:
        reason = f"{what} would have {encoded:,} characters in base64; SageMaker takes {MAX_CONTENT:,}"
        excess = size - MAX_CONTENT // 4 * 3
        remedy = f"shorten by {excess:,} bytes, or fetch the rest from the team's bucket"
        yield Finding(at, reason, remedy)
