"""The container iris: its train and the reading of rows, with no container."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

IRIS = Path(__file__).resolve().parents[3] / "containers" / "iris"


class Job:
    """A folder laid out as /opt/ml, and `train` run on it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        for name in ("input/config", "input/data", "model", "output"):
            (base / name).mkdir(parents=True)
        subprocess.run([sys.executable, IRIS / "example.py", base / "input" / "data"], check=True)
        self.modes = {"train": "File", "validation": "File"}

    def train(self, **hyperparameters: str) -> subprocess.CompletedProcess[str]:
        """Run it with these hyperparameters."""
        channels = {name: {"TrainingInputMode": mode} for name, mode in self.modes.items()}
        contents: dict[str, Any] = {"hyperparameters": hyperparameters, "inputdataconfig": channels}
        for name, content in contents.items():
            (self.base / "input/config" / f"{name}.json").write_text(json.dumps(content))
        return subprocess.run(
            [sys.executable, IRIS / "train"],
            env={**os.environ, "SAGEMAKER_BASE_DIR": str(self.base)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def failure(self) -> str:
        return (self.base / "output/failure").read_text()

    @property
    def rows(self) -> Path:
        return self.base / "input/data/train/iris.csv"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job with the example's data."""
    return Job(tmp_path / "ml")


def test_it_tells_the_species_apart(job: Job) -> None:
    """The example's flowers are learned, and the model's file holds no pickle."""
    done = job.train()
    assert done.returncode == 0, done.stderr
    accuracy = float(done.stdout.split("validation:accuracy=")[1].split()[0])
    assert accuracy >= 0.9
    with np.load(job.base / "model" / "iris.npz", allow_pickle=False) as model:
        assert json.loads(str(model["species"])) == ["setosa", "versicolor", "virginica"]


def test_the_same_seed_gives_the_same_log(job: Job) -> None:
    """Two runs with one seed report the same; another number of epochs reports something else."""
    first, second, shorter = job.train(seed="3"), job.train(seed="3"), job.train(seed="3", epochs="1")
    assert first.stdout == second.stdout != shorter.stdout


def test_a_pipe_is_read_as_it_comes(job: Job) -> None:
    """In Pipe mode the rows of a channel come through a FIFO beside its folder."""
    content = job.rows.read_bytes()
    job.rows.unlink()
    job.modes["train"] = "Pipe"
    pipe = job.base / "input/data/train_0"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    done = job.train()
    writer.join(timeout=10)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("setosa,1,2,3", "train/iris.csv line 1: 4 columns, expected 5 (species,sepal_length,"),
        ("setosa,1,2,3,wide", "train/iris.csv line 1, column petal_width: 'wide' is not a number"),
        ("setosa,1,2,nan,4", "line 1, column petal_length: 'nan' is not a finite number"),
        ("", "train/iris.csv holds no rows: expected the columns species,sepal_length,"),
        (",1,2,3,4", "train/iris.csv line 1, column species is empty"),
        ("setosa,1,2,3,4\n\nsetosa,1,2,3,wide", "train/iris.csv line 3, column petal_width"),
        ("setosa,1,2,3,4", "every row of the channel 'train' has the species 'setosa'"),
    ],
)
def test_a_wrong_row_is_named(job: Job, line: str, says: str) -> None:
    """The failure file names file, line and column; the exit code is the user's; no model is there."""
    job.rows.write_text(f"{line}\n")
    assert job.train().returncode == 10
    assert says in job.failure
    assert "\n" not in job.failure
    assert not list((job.base / "model").iterdir())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"epochs": "0"}, "hyperparameter epochs: 0 is not in 1 to 100000"),
        ({"epochs": "many"}, "hyperparameter epochs: 'many' is not of type integer"),
        ({"epochs": "8.5"}, "hyperparameter epochs: '8.5' is not of type integer"),
        ({"epochs": "inf"}, "hyperparameter epochs: 'inf' is not of type integer"),
        ({"epochs": "nan"}, "hyperparameter epochs: 'nan' is not of type integer"),
        ({"library": "caffe"}, "hyperparameter library: 'caffe' is none of numpy, tensorflow"),
        ({"unit": "3"}, "hyperparameter 'unit' is unknown: there are library, units"),
    ],
)
def test_a_wrong_hyperparameter_is_named(job: Job, given: dict[str, str], says: str) -> None:
    """Each is told with its name, its value and what it may be."""
    assert job.train(**given).returncode == 10
    assert says in job.failure


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        case
        for name, facts in json.loads((IRIS / "hyperparameters.json").read_text(encoding="utf-8")).items()
        if "minimum" in facts
        for case in (
            (name, facts["minimum"] - 1, f"is not in {facts['minimum']} to {facts['maximum']}"),
            (name, facts["maximum"] + 1, f"is not in {facts['minimum']} to {facts['maximum']}"),
            (name, "many", f"is not of type {facts['type']}"),
        )
    ],
)
def test_every_hyperparameter_out_of_range_is_named(job: Job, name: str, value: object, says: str) -> None:
    """With its bounds."""
    assert job.train(**{name: str(value)}).returncode == 10
    assert re.fullmatch(rf"UserError: hyperparameter {name}: .*{says}", job.failure)


@pytest.mark.parametrize("units", ["8", "8.0", '"8"', "8e0"])
def test_a_whole_number_may_be_written_as_tools_write_it(job: Job, units: str) -> None:
    """As the scripts' own reading of hyperparameters takes it."""
    done = job.train(units=units, epochs="1")
    assert done.returncode == 0, job.failure
    with np.load(job.base / "model" / "iris.npz", allow_pickle=False) as model:
        assert 8 in {length for name in model.files for length in model[name].shape}


FULL = """
import os, tempfile
made = tempfile.mkdtemp
def mkdtemp(*arguments, **named):
    folder = made(*arguments, **named)
    os.symlink("/dev/full", os.path.join(folder, "iris.npz"))
    return folder
tempfile.mkdtemp = mkdtemp
"""


def test_a_full_disk_is_the_platforms_fault(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half written stays; the place of the model's file is a device that is always full."""
    (tmp_path / "sitecustomize.py").write_text(FULL, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert job.train().returncode == 30
    assert job.failure == "PlatformError: no space is left on the disk: give the job a larger volume_gb"
    assert not list((job.base / "model").iterdir())


def test_a_file_that_is_no_text_is_named(job: Job) -> None:
    """Rather than learned from with letters that nobody wrote."""
    job.rows.write_bytes(b"sets\xff,1,2,3,4\n")
    assert job.train().returncode == 10
    assert job.failure == "UserError: train/iris.csv is not UTF-8 text"


def test_a_missing_channel_is_named(job: Job) -> None:
    """The remedy stands in the team file."""
    del job.modes["validation"]
    assert job.train().returncode == 10
    assert "channel 'validation' is missing" in job.failure
