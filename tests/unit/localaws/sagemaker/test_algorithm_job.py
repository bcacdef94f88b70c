"""How a built-in algorithm ends, without one."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

import pytest

from localaws.sagemaker.container.algorithms.job import Job, UserError


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job of a container's folders that leaves the handling of signals alone."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    (tmp_path / "input/config").mkdir(parents=True)
    (tmp_path / "output").mkdir()
    for name in ("hyperparameters", "inputdataconfig"):
        (tmp_path / "input/config" / f"{name}.json").write_text("{}")
    return Job(tmp_path)


def full() -> Exception:
    """A library's own error, of a full disk."""
    error = RuntimeError("cannot save the model")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("the file\nis wrong"), "ClientError: the file is wrong"),
        (ValueError("a\n\n  b"), "AlgorithmError: ValueError: a b"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "PlatformError: no space left on device: give the job a larger volume_gb",
        ),
        (full(), "PlatformError: no space left on device: give the job a larger volume_gb"),
        (
            RuntimeError("write failed: No space left on device"),
            "PlatformError: no space left on device: give the job a larger volume_gb",
        ),
        (MemoryError(), "ClientError: Please use an instance type with more memory"),
    ],
)
def test_the_failure_file_is_one_line_of_the_errors_family(job, tmp_path, error, line):
    """Whatever is raised, and by whatever it was caused."""

    def train(_: Job) -> None:
        raise error

    assert job.run(train) == 1
    assert (tmp_path / "output/failure").read_text() == line


def test_a_long_reason_is_cut(job, tmp_path):
    """To what SageMaker shows."""

    def train(_: Job) -> None:
        raise UserError("x" * 5000)

    assert job.run(train) == 1
    assert len((tmp_path / "output/failure").read_text()) == 1000


def test_a_full_disk_may_leave_no_room_for_the_reason(job, tmp_path):
    """The log says it; the exit code is the same."""
    (tmp_path / "output").rmdir()

    def train(_: Job) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert job.run(train) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
@pytest.mark.parametrize("error", [None, RuntimeError("FileStream.Write incomplete")])
def test_a_model_that_a_full_disk_cut_off_is_none(job, tmp_path, error):
    """Whether the library that wrote it says so or not."""

    def train(job: Job) -> None:
        with job.model() as folder:
            (folder / "model.bin").write_bytes(b"half")
            (folder / ".room").symlink_to("/dev/full")
            if error:
                raise error

    assert job.run(train) == 1
    assert "no space left on device" in (tmp_path / "output/failure").read_text()
    assert not (tmp_path / "model").exists()
