"""Checks lifecycle scripts: they exist, have what they need where they are used, and suit SageMaker."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from atelier.spec import lifecycle, names
from atelier.spec.checks.finding import Context, Finding, Findings, twice
from atelier.spec.document import Steps
from atelier.spec.problems import choose
from atelier.spec.studio import Notebook, Studio

FOLDER = lifecycle.SCRIPTS.name

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


def check_apps(context: Context, at: Steps, scripts: Sequence[str]) -> Findings:
    """Check the scripts that run one after the other when an app of Studio starts."""
    yield from _check_scripts(context, at, scripts, "studio")
    if scripts:
        yield from _check_size(context, at, lambda settings: (scripts, settings))


def check_notebook(context: Context, at: Steps, notebook: Notebook) -> Findings:
    """Check the scripts that run one after the other when a notebook instance starts."""
    yield from _check_scripts(context, at, notebook.lifecycle, "notebook")
    yield from _check_size(context, at, lambda settings: lifecycle.of_notebook(notebook, settings))


def _check_scripts(context: Context, at: Steps, scripts: Sequence[str], place: Place) -> Findings:
    yield from twice(at, scripts, "script")
    known = sorted(path.stem for path in (context.project / FOLDER).glob("*.sh"))
    for index, name in enumerate(scripts):
        here = (*at, index)
        if name not in known:
            remedy = choose(name, known, nothing=f"add {FOLDER}/{name}.sh")
            yield Finding(here, f"there is no {FOLDER}/{name}.sh", remedy)
            continue
        content = (context.project / FOLDER / f"{name}.sh").read_bytes()
        yield from check_content(here, f"{FOLDER}/{name}.sh", content)
        yield from _check_use(context.file.studio, here, content.decode("utf-8", "replace"), place)


_Chosen: TypeAlias = tuple[Sequence[str], Mapping[str, str]]


def _check_size(context: Context, at: Steps, choose: Callable[[Mapping[str, str]], _Chosen]) -> Findings:
    """Make the script that SageMaker would get, of what `choose` takes: it may be too long."""
    declared = context.declared
    bucket = names.bucket(context.file.team, context.environment, "data", declared.account, declared.region)
    try:
        scripts, settings = choose(lifecycle.settings(bucket, context.file.studio, context.project))
        lifecycle.render(scripts, settings, context.project / FOLDER)
    except lifecycle.TooLong as error:
        yield Finding(at, error.reason, error.remedy)
    except (ValueError, OSError):
        return  # a script or file that is not there or not right, which is said where it is named


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
    """What runs on Linux has Linux's line endings and encoding."""
    if b"\r" in content:
        line = content[: content.index(b"\r")].count(b"\n") + 1
        remedy = f"save it with LF, for example:  sed -i 's/\\r$//' {file}"
        yield Finding(at, f"{file} has Windows line endings (CRLF), first in line {line}", remedy)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        yield Finding(at, f"{file} is not UTF-8, first in line {line}", "save it as UTF-8")


def _check_use(studio: Studio | None, at: Steps, script: str, place: Place) -> Findings:
    if place == "studio" and ONLY_IN_NOTEBOOKS.search(script):
        remedy = "move it to the lifecycle of a notebook, or remove it"
        yield Finding(at, "this script can run in notebook instances only", remedy)
    for setting, (gives, remedy) in NEEDS.items():
        if setting in script and not (studio and gives(studio)):
            yield Finding(at, "nothing is there for this script to work on", remedy)
