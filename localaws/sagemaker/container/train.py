"""Run a training script under the contract of SageMaker's framework containers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import IO

from . import bounds, lifeline
from .contract import Job, Machine
from .prologue import begin

_TAIL_LINES = 200
_EXCEPTION = re.compile(r"[\w.]*(Error|Exception|Exit|Interrupt)\b")
_OUT_OF_MEMORY = -signal.SIGKILL
_PORT = "LOCALAWS_RENDEZVOUS_PORT"


def main(folder: Path) -> int:
    """Run the job whose contract lies in `folder`; 0, or 1 with a reason in `output/failure`."""
    base, private = begin(folder)
    # The signal is for the script, which gets it too, as a member of the group; this process reports the end.
    signal.signal(signal.SIGTERM, lambda *_: None)
    _say(
        "/opt/ml is this job's own folder (private mount namespace)"
        if private
        else f"this system allows no private /opt/ml: the job's folder is {base}; use the SM_* variables"
    )
    job = Job.read(base, os.environ.get("SAGEMAKER_TRAINING_MODULE", ""))
    machine = Machine(cpus=bounds.processors(), gpus=_gpus())
    command = _command(job, machine, named=private)
    # Distributed libraries find their network by this name.
    interfaces = dict.fromkeys(("NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME"), job.interface)
    variables = {**interfaces, **os.environ, **job.variables(machine)}
    _say(f"Invoking script with the following command: {' '.join(command)}")
    code, errors = _run(command, Path(job.code), variables)
    if code == 0:
        _say("Reporting training SUCCESS")
        return 0
    report = _report(code, errors, command)
    # As AWS's toolkit: what the script itself wrote is not overwritten.
    with suppress(FileExistsError), (base / "output" / "failure").open("x", encoding="utf-8") as file:
        file.write(report)
    _say("Reporting training FAILURE")
    _say(report)
    return 1


def _command(job: Job, machine: Machine, *, named: bool) -> list[str]:
    """The script, under torchrun where that is asked for; `named` says whether hosts' names resolve."""
    if not job.torchrun:
        interpreter = ["/bin/sh"] if job.program.endswith(".sh") else [sys.executable]
        return [*interpreter, job.program, *job.arguments()]
    options = {
        "nnodes": len(job.hosts),
        "nproc_per_node": max(1, machine.gpus),
        "master_addr": job.hosts[0] if named else "127.0.0.1",
        # AWS's is 7777; here another job may listen there.
        "master_port": os.environ[_PORT],
        "node_rank": job.hosts.index(job.host),
    }
    launcher = [sys.executable, "-m", "torch.distributed.run"]
    launcher += [f"--{name}={value}" for name, value in options.items()]
    return [*launcher, job.program, *job.arguments()]


def _run(command: list[str], code: Path, variables: dict[str, str]) -> tuple[int, list[str]]:
    """The exit code, and the last lines of standard error, which goes to the log as it comes."""
    process = subprocess.Popen(command, cwd=code, env=variables, stderr=subprocess.PIPE)
    tail: deque[bytes] = deque(maxlen=_TAIL_LINES)
    reader = threading.Thread(target=_pass_on, args=(process.stderr, tail), daemon=True)
    reader.start()
    result = process.wait()
    # Whatever the script left running ends with it, as in a container, and lets go of the stream.
    lifeline.end_children()
    reader.join(timeout=1)
    return result, b"".join(tail).decode("utf-8", "replace").splitlines()


def _pass_on(stream: IO[bytes], tail: deque[bytes]) -> None:
    for line in stream:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        tail.append(line)


def _report(code: int, errors: list[str], command: list[str]) -> str:
    """What AWS's toolkit writes, from the last exception in the log on."""
    starts = [index for index, line in enumerate(errors) if _EXCEPTION.match(line)]
    message = "\n".join(errors[starts[-1] :] if starts else errors[-5:])
    extra = (
        '\nExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"' if code == _OUT_OF_MEMORY else ""
    )
    lines = f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{message}"{extra}'
    return f'{lines}\nCommand "{" ".join(command)}"'


def _gpus() -> int:
    if shutil.which("nvidia-smi") is None:
        return 0
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def _say(text: str) -> None:
    print(f"sagemaker-training: {text}", flush=True)  # noqa: T201 -- standard output is the job's log
