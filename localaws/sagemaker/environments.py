"""The Python environments that jobs and endpoints run in: one for each set of requirements, kept in a cache.

    python -m localaws.sagemaker.environments REQUIREMENTS_FILE... [--cache FOLDER]

builds those of the given files beforehand. An environment lies at `<cache>/environments/<digest>`, where the
digest covers the requirements, the Python version and the platform. Console scripts name their interpreter by
absolute path, so an environment is built in place: it counts as built only once its marker file exists, and
what lies there without one is removed first. A lock lets two jobs that want the same one build it once.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

Say = Callable[[str], None]

_MARKER = "complete"
_NAME = re.compile(r"^\s*([A-Za-z0-9._-]+)", re.MULTILINE)
_POLL_SECONDS = 0.1
_UNREACHABLE = ("NewConnectionError", "name resolution", "ConnectTimeout", "ReadTimeout", "ProxyError")
_LOCAL = ("-e", "--editable", "./", "../", "/", "file:")


class BuildFailed(Exception):
    """An environment could not be built; the message is one line that says why and what to do."""


class Stopped(Exception):
    """The job that waited for the environment is being stopped."""


class Environments:
    """The environments under one cache folder."""

    def __init__(self, cache: Path) -> None:
        self._folder = cache / "environments"

    def holds(self, requirements: str) -> bool:
        """Whether the environment of `requirements` has been built."""
        return (self._folder / _digest(normalise(requirements)) / _MARKER).is_file()

    def python(self, requirements: str, say: Say, stop: threading.Event | None = None) -> Path:
        """The interpreter of the environment that holds `requirements`, built now where it is missing.

        Args:
            requirements: lines as in a requirements.txt; none of them for an environment without packages.
            say: takes each line of pip's output, for the job's log.
            stop: ends the wait and the build when set.

        Raises:
            BuildFailed: pip failed, or a line names a file that is not part of the requirements.
            Stopped: `stop` was set.
        """
        lines = normalise(requirements)
        environment = self._folder / _digest(lines)
        python = environment / "bin" / "python"
        stop = stop or threading.Event()
        if (environment / _MARKER).is_file():
            return python
        self._folder.mkdir(parents=True, exist_ok=True)
        with _lock(environment.with_suffix(".lock"), stop):
            if not (environment / _MARKER).is_file():
                shutil.rmtree(environment, ignore_errors=True)
                _build(environment, lines, say, stop)
        return python


def requirements_in(folder: Path) -> str | None:
    """The requirements.txt of a code folder with the files it includes (-r); None where there is none."""
    file = folder / "requirements.txt"
    return _inlined(file, folder.resolve()) if file.is_file() else None


def names_in(requirements: str) -> set[str]:
    """The packages that the lines of a requirements.txt name, spelled as PEP 503 compares them."""
    return {re.sub(r"[-_.]+", "-", name).lower() for name in _NAME.findall(requirements)}


def _inlined(file: Path, root: Path) -> str:
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        flag, _, name = line.strip().partition(" ")
        if flag not in ("-r", "--requirement"):
            lines.append(line)
            continue
        included = (file.parent / name.strip()).resolve()
        if not included.is_file() or not included.is_relative_to(root):
            raise BuildFailed(f"{file.name} includes {name.strip()!r}, which is not in the code archive")
        lines.append(_inlined(included, root))
    return "\n".join(lines)


def normalise(requirements: str) -> list[str]:
    """The lines that matter, without comments and outer spaces, sorted."""
    stripped = (line.split(" #")[0].strip() for line in requirements.splitlines())
    lines = sorted({line for line in stripped if line and not line.startswith("#")})
    for line in lines:
        if line.startswith(_LOCAL):
            raise BuildFailed(f"requirements.txt line {line!r} names a local path: name a package instead")
    return lines


def _digest(lines: list[str]) -> str:
    version = (
        f"{sys.implementation.cache_tag}-{platform.python_version()}-{sys.platform}-{platform.machine()}"
    )
    return hashlib.sha256("\n".join([version, *lines]).encode()).hexdigest()[:20]


@contextmanager
def _lock(path: Path, stop: threading.Event) -> Iterator[None]:
    """Hold the lock file; whoever waits for it can be stopped."""
    with path.open("w", encoding="ascii") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if stop.wait(_POLL_SECONDS):
                    raise Stopped from None
        yield


def _build(environment: Path, lines: list[str], say: Say, stop: threading.Event) -> None:
    create = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    _run(create, say, stop, what="python -m venv")
    _unpack_pip(environment)
    if lines:
        file = environment / "requirements.txt"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        install = [str(environment / "bin" / "python"), "-m", "pip", "install", "--no-input"]
        install += ["--disable-pip-version-check", "--progress-bar", "off", "--retries", "1", "-r", str(file)]
        say(f"Installing {len(lines)} requirements: {', '.join(lines)}")
        _run(install, say, stop, what="python -m pip install -r requirements.txt")
    (environment / _MARKER).touch()


def _unpack_pip(environment: Path) -> None:
    """Put pip into the environment: its wheel is unpacked, which ensurepip would take two seconds for."""
    spec = importlib.util.find_spec("ensurepip")
    folders = [Path(spec.origin).parent / "_bundled"] if spec and spec.origin else []
    wheels = [
        wheel for folder in [*folders, Path("/usr/share/python-wheels")] for wheel in folder.glob("pip-*.whl")
    ]
    if not wheels:
        raise BuildFailed(f"{sys.executable} comes without pip: install ensurepip (Debian: python3-venv)")
    (packages,) = (environment / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(packages)


def _run(command: list[str], say: Say, stop: threading.Event, *, what: str) -> None:
    """Run to the end, or kill it when `stop` is set."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    process = subprocess.Popen(
        command,
        env=clean,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    tail: deque[str] = deque(maxlen=50)
    reader = threading.Thread(target=_read, args=(process.stdout, say, tail), daemon=True)
    reader.start()
    while process.poll() is None:
        if stop.is_set():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise Stopped
        time.sleep(_POLL_SECONDS / 5)
    reader.join()
    if process.returncode != 0:
        raise BuildFailed(_reason(process.returncode, list(tail), what))


def _read(stream: IO[str], say: Say, tail: deque[str]) -> None:
    for line in stream:
        tail.append(line.rstrip())
        say(line.rstrip())


def _reason(code: int, lines: list[str], what: str) -> str:
    if any(sign in line for line in lines for sign in _UNREACHABLE):
        return (
            f"{what}: no package index could be reached: connect to the network, or point pip at an index "
            "that can be (pip config, PIP_INDEX_URL), and run again"
        )
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
    return f"{what} ended with code {code}: {' '.join(errors)}"


def main() -> int:
    """Build the environments of the requirements files that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m localaws.sagemaker.environments")
    parser.add_argument("files", nargs="+", type=Path, metavar="REQUIREMENTS_FILE")
    parser.add_argument("--cache", type=Path, default=Path(".localaws/cache"), help="the cache folder")
    options = parser.parse_args()
    environments = Environments(options.cache.resolve())
    try:
        for file in options.files:
            started = time.monotonic()
            environments.python(_inlined(file, file.parent.resolve()), lambda _: None)
            sys.stdout.write(f"{file}: environment ready ({time.monotonic() - started:.1f} s)\n")
    except (BuildFailed, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
