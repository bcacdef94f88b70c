"""Set-up: what it says when it cannot go on, and that it takes up a half-finished one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
INPUTS = ("pyproject.toml", "uv.lock", "package.json", "package-lock.json", "tools/setup.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files that set-up reads, in a folder of their own."""
    for name in INPUTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _set_up(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(project), **variables}
    command = [sys.executable, "tools/setup.py"]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_no_network_is_one_line_with_a_remedy(project: Path) -> None:
    """Where no package index answers, set-up says so in one line and leaves no stamp."""
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": "/dev/null",
    }
    done = _set_up(project, **nowhere)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "check the network" in done.stderr
    assert not (project / ".venv" / ".set-up").exists()


def test_a_half_made_environment_is_made_again(project: Path) -> None:
    """A .venv without a working Python, as an interrupted set-up leaves it, does not stop the next."""
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").write_text("not a program")
    done = _set_up(project, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert "creating .venv" in done.stdout
    assert subprocess.run([project / ".venv/bin/python", "-c", "import pip"], check=False).returncode == 0
