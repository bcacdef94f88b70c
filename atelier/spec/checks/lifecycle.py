"""Checks that lifecycle scripts exist, may run where the file uses them, and are what SageMaker takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from atelier.spec.checks.finding import Context, Finding, Findings, twice
from atelier.spec.document import Steps
from atelier.spec.problems import choose

FOLDER = "lifecycle_scripts"
MAX_CONTENT = 16384
"""What SageMaker takes of a lifecycle configuration, in characters of base64."""

PLACES = ("jupyterlab", "code_editor", "notebook")
"""Where a script may say, in its first comment, that it runs."""

INSTALL_PACKAGES = "install_packages"
"""The script that installs the requirements file `studio.packages`."""


def check_scripts(
    context: Context, at: Steps, names: Sequence[str], place: str, packages: int = 0
) -> Findings:
    """Check the scripts that run one after the other at a place; `packages` are the bytes that they carry."""
    folder = context.project / FOLDER
    known = sorted(path.stem for path in folder.glob("*.sh"))
    yield from twice(at, names, "script")
    total = packages
    for index, name in enumerate(names):
        here = (*at, index)
        if name not in known:
            yield Finding(
                here,
                f"there is no {FOLDER}/{name}.sh",
                choose(name, known, nothing=f"add {FOLDER}/{name}.sh"),
            )
            continue
        content = (folder / f"{name}.sh").read_bytes()
        total += len(content)
        yield from check_content(here, f"{FOLDER}/{name}.sh", content)
        places = runs_in(content)
        if place not in places:
            runs = f"runs in {', '.join(places)} only" if places else "does not say where it runs"
            remedy = f"use it there, or add {place} to its first comment if it runs there"
            yield Finding(here, f"{FOLDER}/{name}.sh {runs}", remedy)
    if len(names) > 1 or packages:
        yield from _check_size(at, "the scripts together", total)


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


def _check_size(at: Steps, what: str, size: int) -> Findings:
    encoded = encoded_size(size)
    if encoded > MAX_CONTENT:
        reason = f"{what} would have {encoded:,} characters in base64; SageMaker takes {MAX_CONTENT:,}"
        remedy = f"shorten by {size - MAX_CONTENT // 4 * 3:,} bytes, or fetch the rest from the team's bucket"
        yield Finding(at, reason, remedy)


def encoded_size(size: int) -> int:
    """How many characters so many bytes have in base64."""
    return (size + 2) // 3 * 4


def runs_in(content: bytes) -> list[str]:
    """Where a script may be used: the places that its first comment names."""
    comments = re.findall(r"^#(?!!)(.*)$", content.decode("utf-8", "replace"), re.MULTILINE)
    words = re.sub(r"[ -]", "_", comments[0].lower()) if comments else ""
    return [place for place in PLACES if place in words]


def size(context: Context, file: str) -> int:
    """The bytes of a file of the project; 0 when there is none."""
    path: Path = context.project / file
    return path.stat().st_size if path.is_file() else 0
