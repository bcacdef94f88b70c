"""The cache of Python environments."""

from __future__ import annotations

import subprocess
import threading
import time
import zipfile

import pytest

from localaws.sagemaker.environments import BuildFailed, Environments, Stopped, normalise, requirements_in


def nothing(_line):
    """Take a line of the log and forget it."""


@pytest.fixture
def index(tmp_path):
    """A requirements text that installs a tiny package, `lawful`, from a folder instead of an index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "lawful-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("lawful.py", "ANSWER = 42\n")
        wheel.writestr("lawful-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lawful\nVersion: 1.0\n")
        wheel.writestr(
            "lawful-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("lawful-1.0.dist-info/RECORD", "")
    return f"--no-index\n--find-links {folder}\nlawful==1.0\n"


def run(python, code):
    """The output of a line of Python in an environment."""
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_packages_are_installed_once_and_found_again(tmp_path, index):
    """The second request for equal requirements, however written, builds nothing."""
    environments = Environments(tmp_path / "cache")
    python = environments.python(index, nothing)
    assert run(python, "import lawful; print(lawful.ANSWER)") == "42"
    said = []
    again = environments.python(f"# a comment\n\n  {index}", said.append)
    assert (again, said) == (python, [])


def test_no_requirements_give_an_empty_environment_quickly(tmp_path):
    """An environment without packages needs no pip: it is there in well under a second."""
    started = time.monotonic()
    python = Environments(tmp_path).python("", nothing)
    assert time.monotonic() - started < 2
    assert run(python, "import sys; print(sys.prefix != sys.base_prefix)") == "True"


def test_different_requirements_do_not_share(tmp_path, index):
    """What one job installs, another does not see."""
    environments = Environments(tmp_path / "cache")
    environments.python(index, nothing)
    empty = environments.python("", nothing)
    with pytest.raises(subprocess.CalledProcessError):
        run(empty, "import lawful")


def test_a_half_built_environment_is_never_used(tmp_path):
    """Whatever an interrupted build left behind is removed and built anew."""
    environments = Environments(tmp_path)
    python = environments.python("", nothing)
    (python.parents[1] / "complete").unlink()
    (python.parents[1] / "debris").touch()
    assert environments.python("", nothing) == python
    assert not (python.parents[1] / "debris").exists()
    assert run(python, "print(1)") == "1"


def test_jobs_that_want_the_same_environment_build_it_once(tmp_path, index):
    """Four at a time wait for one build; pip runs once."""
    environments = Environments(tmp_path / "cache")
    said = []
    threads = [threading.Thread(target=environments.python, args=(index, said.append)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(line.startswith("Installing 3 requirements") for line in said) == 1


def test_a_missing_package_fails_with_pips_reason_in_one_line(tmp_path):
    """The job's failure reason names the package."""
    with pytest.raises(BuildFailed, match=r"ended with code 1: ERROR: .*no-such-package") as failure:
        Environments(tmp_path).python("--no-index\nno-such-package==1\n", nothing)
    assert "\n" not in str(failure.value)


def test_no_network_is_said_in_one_line_with_a_remedy(tmp_path):
    """An index that does not answer is told from a package that does not exist."""
    with pytest.raises(BuildFailed, match="no package index could be reached: connect to the network"):
        Environments(tmp_path).python("--index-url http://127.0.0.1:9/simple\nlawful==9.9\n", nothing)


def test_a_job_being_stopped_does_not_wait_for_its_environment(tmp_path, index):
    """Stop ends the build; nothing half-built counts."""
    stop = threading.Event()
    stop.set()
    environments = Environments(tmp_path / "cache")
    with pytest.raises(Stopped):
        environments.python(index, nothing, stop)
    assert run(environments.python(index, nothing), "import lawful") == ""


def test_included_files_count_and_local_paths_are_refused(tmp_path):
    """-r is followed inside the code folder only; a path on this machine is no requirement."""
    (tmp_path / "requirements.txt").write_text("-r more.txt\nnumpy==2.4.6\n")
    (tmp_path / "more.txt").write_text("joblib==1.5.3\n")
    assert normalise(requirements_in(tmp_path)) == ["joblib==1.5.3", "numpy==2.4.6"]
    (tmp_path / "requirements.txt").write_text("-r ../outside.txt\n")
    with pytest.raises(BuildFailed, match=r"outside\.txt"):
        requirements_in(tmp_path)
    with pytest.raises(BuildFailed, match="local path"):
        normalise("-e .\n")
