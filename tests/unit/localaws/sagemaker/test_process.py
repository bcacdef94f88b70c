"""A container's process: it ends with its server."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from localaws.sagemaker.process import Container, base_environment

SCRIPT = """
import subprocess, time
print("child", subprocess.Popen(["sleep", "60"], start_new_session=True).pid, flush=True)
time.sleep(60)
"""


def test_the_end_of_the_server_is_the_end_of_its_containers(tmp_path):
    """When the pipe to the server closes, as it does when that is killed, script and children end."""
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True)
    for folder in ("code", "output", "model"):
        (tmp_path / folder).mkdir()
    (tmp_path / "code" / "train.py").write_text(SCRIPT)
    group = {"instance_group_name": "g", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    resources = {
        "current_host": "algo-1",
        "hosts": ["algo-1"],
        "current_instance_type": "ml.m5.large",
        "current_group_name": "g",
        "instance_groups": [group],
        "network_interface_name": "lo",
    }
    (config / "resourceconfig.json").write_text(json.dumps(resources))
    (config / "inputdataconfig.json").write_text("{}")
    (config / "hyperparameters.json").write_text('{"sagemaker_program": "train.py"}')
    lines, seen = [], threading.Event()

    def read(line):
        lines.append(line)
        if line.startswith("child"):
            seen.set()

    container = Container(Path(sys.executable), "train", tmp_path, base_environment(), read)
    assert seen.wait(20), lines
    container._process.stdin.close()
    assert container.wait(20) is not None
    pid = int(lines[-1].split()[1])
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
