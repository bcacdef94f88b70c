"""How scripts become the one text that SageMaker runs, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from atelier.spec import lifecycle
from atelier.spec.lifecycle import CONTENT_LIMIT, SCRIPTS, digest, encode, render

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
IN_STUDIO = ["install_packages", "clone_repositories", "git_identity", "mount_team_prefix"]
IN_NOTEBOOKS = ["docker_data_directory", "auto_stop"]
SETTINGS = {
    "ATELIER_IDENTITIES": "ana|ana@example.com|Ana",
    "ATELIER_IDLE_MINUTES": "90",
    "ATELIER_PACKAGES": "polars",
    "ATELIER_REPOSITORIES": "https://example.com/one.git",
    "ATELIER_TEAM_PREFIX": "s3://data/team/",
}


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A folder of scripts in place of the shipped ones; the prelude stays."""
    monkeypatch.setattr(lifecycle, "SCRIPTS", tmp_path)
    return tmp_path


def test_shellcheck_finds_nothing(tmp_path):
    """In no script, nor in all of them joined."""
    joined = tmp_path / "joined.sh"
    joined.write_text(render(IN_STUDIO + IN_NOTEBOOKS, SETTINGS))
    files = [*SCRIPTS.glob("**/*.sh"), joined]
    # A function that only another program calls is one that shellcheck sees no call of.
    done = subprocess.run(
        [SHELLCHECK, "--exclude=SC2329", *files], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0)
    assert len(files) > len(IN_STUDIO + IN_NOTEBOOKS)


def test_every_shipped_script_is_tried_here():
    """A new script is added to the lists above, and to the tests that run it."""
    assert {path.stem for path in SCRIPTS.glob("*.sh")} == {*IN_STUDIO, *IN_NOTEBOOKS}


def test_a_hundred_people_fit():
    """A domain with all of Studio's scripts knows the names of 100 people."""
    people = "\n".join(
        f"person-{n:03}|person.number{n:03}@example.com|Person Number {n:03}" for n in range(100)
    )
    assert len(encode(render(IN_STUDIO, SETTINGS | {"ATELIER_IDENTITIES": people}))) <= CONTENT_LIMIT


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"echo a\r\n", r"has CRLF line ends.*sed -i"),
        (
            b"# " + b"x" * CONTENT_LIMIT + b"\n",
            r"SageMaker takes 16,384: .* the largest part is own with 16,387",
        ),
        (b'echo "$ATELIER_PACKAGES"\n', r"lifecycle script own needs studio\.packages"),
    ],
)
def test_what_sagemaker_would_refuse_is_refused_before(scripts, content, message):
    """CRLF, a script that is too long, and one whose setting the team file does not give."""
    (scripts / "own.sh").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        render(["own"], {})


def test_a_script_that_does_not_exist_is_told_with_those_that_do():
    """The names are those of the files."""
    with pytest.raises(ValueError, match=r"no lifecycle_scripts/instal\.sh; there are: auto_stop, clone_"):
        render(["instal"], {})


def test_another_content_has_another_digest():
    """And the same content the same, whenever and wherever."""
    assert digest("a", "b") == digest("a", "b") == "59b271ae"
    assert len({digest("a", "b"), digest("ab"), digest("a", "c")}) == 3
