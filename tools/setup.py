"""Set up everything the project needs, from nothing but Python 3.11+: `make` runs this before anything else.

`.venv` gets the Python packages of uv.lock (and Node 24 where the machine has none from 22 on),
`node_modules` the CDK command of package-lock.json. A stamp is written last, so a half-finished set-up is
taken up again, and an up-to-date one costs a few milliseconds. Standard library only: it runs before any
package is there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMP = VENV / ".set-up"
UV = "uv==0.13.8"
OLDEST_NODE = 22
INPUTS = ("pyproject.toml", "uv.lock", "package.json", "package-lock.json", "tools/setup.py")


class SetUpError(Exception):
    """Set-up cannot go on; the message says in one line what to do."""


def main() -> None:
    """Bring the environment up to date, or say in one line why not."""
    wanted = _wanted()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted and _node_version() >= OLDEST_NODE:
        return
    try:
        STAMP.unlink(missing_ok=True)
        _make_venv()
        _install_packages()
        _install_cdk()
    except SetUpError as error:
        sys.exit(f"set-up: {error}")
    except KeyboardInterrupt:
        sys.exit("set-up: interrupted; the next one goes on from here")
    STAMP.write_text(wanted, encoding="utf-8")


def _wanted() -> str:
    """What the environment must be made from: the lock files' content, and the Python it runs on."""
    digest = hashlib.sha256(sys.version.encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _make_venv() -> None:
    if _works(BIN / "python", "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"):
        return
    print("set-up: creating .venv", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    _run(
        [sys.executable, "-m", "venv", str(VENV)],
        "Python's venv module does not work: install it (Debian, Ubuntu: apt install python3-venv)",
    )


def _install_packages() -> None:
    print("set-up: installing the Python packages of uv.lock", flush=True)
    network = (
        "the Python packages could not be fetched: check the network and pip's settings, then run it again"
    )
    # pip fetches uv since it knows the machine's own index settings; uv then installs exactly what is locked.
    _run([str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV], network)
    groups = [] if _node_version(path=os.environ.get("PATH", "")) >= OLDEST_NODE else ["--group", "node"]
    _run([str(BIN / "uv"), "sync", "--frozen", "--quiet", "--inexact", "--link-mode=copy", *groups], network)


def _install_cdk() -> None:
    if _node_version() < OLDEST_NODE:
        raise SetUpError(
            f"no Node {OLDEST_NODE} or newer, and its Python package did not install: install Node"
        )
    print("set-up: installing the CDK command of package-lock.json", flush=True)
    _run(
        [shutil.which("npm", path=_path()) or "npm", "ci", "--silent", "--no-audit", "--no-fund"],
        "the CDK command could not be fetched: check the network and npm's settings, then run it again",
    )


def _node_version(path: str | None = None) -> int:
    """The major version of the `node` that has an `npm` beside it on `path`; 0 where there is none."""
    path = _path() if path is None else path
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return 0
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.", said)
    return int(match[1]) if match else 0


def _path() -> str:
    return f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"


def _works(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(command: list[str], remedy: str) -> None:
    """Run one step in the project's folder; its own output is shown only when it fails."""
    environment = {**os.environ, "PATH": _path(), "VIRTUAL_ENV": str(VENV)}
    environment.pop("UV_PROJECT_ENVIRONMENT", None)
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise SetUpError(f"{command[0]} does not start ({error.strerror}): {remedy}") from error
    if done.returncode != 0:
        log = ROOT / ".venv" / "set-up.log"
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}", encoding="utf-8")
        raise SetUpError(f"{remedy} (details: {log.relative_to(ROOT)})")


if __name__ == "__main__":
    main()
