"""A container's process: where its folder is, and that it ends with its server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from localaws.sagemaker.process import Container, base_environment

SCRIPT = """
import subprocess, time
print("child", subprocess.Popen(["sleep", "60"], start_new_session=True).pid, flush=True)
time.sleep(60)
"""
GROUP = {"instance_group_name": "g", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
RESOURCES = {
    "current_host": "algo-1",
    "hosts": ["algo-1"],
    "current_instance_type": "ml.m5.large",
    "current_group_name": "g",
    "instance_groups": [GROUP],
    "network_interface_name": "lo",
}
# What a system that forbids mounting would do to the launcher.
RELOCATED = """
import sys
from pathlib import Path
from localaws.sagemaker.container import opt_ml, train
opt_ml.enter = lambda folder: False
sys.exit(train.main(Path(sys.argv[1])))
"""


@pytest.fixture
def job(tmp_path):
    """The folder of a job whose script is still to be written, to `code/train.py`."""
    for folder in ("code", "output/data", "model", "input/config"):
        (tmp_path / folder).mkdir(parents=True)
    for name, content in (
        ("resourceconfig", RESOURCES),
        ("inputdataconfig", {}),
        ("hyperparameters", {"sagemaker_program": "train.py"}),
    ):
        (tmp_path / "input" / "config" / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_without_a_mount_the_variables_lead_into_the_jobs_folder(job):
    """Where the system forbids a private /opt/ml, a script that uses SM_* runs all the same."""
    script = "import os; open(os.path.join(os.environ['SM_MODEL_DIR'], 'm'), 'w').write('x')"
    (job / "code" / "train.py").write_text(script)
    command = [sys.executable, "-c", RELOCATED, job]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as launcher:
        log = launcher.stdout.read()  # its input stays open: the end of that would be its own
    assert launcher.returncode == 0, log
    assert (job / "model" / "m").read_text() == "x"
    assert f"the job's folder is {job}" in log


def test_the_end_of_the_server_is_the_end_of_its_containers(job):
    """When the pipe to the server closes, as it does when that is killed, script and children end."""
    (job / "code" / "train.py").write_text(SCRIPT)
    lines, seen = [], threading.Event()

    def read(line):
        lines.append(line)
        if line.startswith("child"):
            seen.set()

    container = Container(Path(sys.executable), "train", job, base_environment(), read)
    assert seen.wait(20), lines
    container._process.stdin.close()
    assert container.wait(20) is not None
    [said] = [line for line in lines if line.startswith("child")]
    pid = int(said.split()[1])
    deadline = time.monotonic() + 60  # what a busy machine takes
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
