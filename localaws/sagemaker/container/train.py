"""Run a training script under the contract of SageMaker's framework containers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from . import bounds, lifeline, mpi, parameter_server
from .contract import MPI, PARAMETER_SERVER, TORCHRUN, Job, Machine
from .prologue import begin
from .script import Child, Launch, LaunchFailed, say

_EXCEPTION = re.compile(r"[\w.]*(Error|Exception|Exit|Interrupt)\b")
_OUT_OF_MEMORY = -signal.SIGKILL
_PORT = "LOCALAWS_RENDEZVOUS_PORT"


def main(folder: Path) -> int:
    """Run the job whose contract lies in `folder`; 0, or 1 with a reason in `output/failure`."""
    base, private = begin(folder)
    # The signal is for the script, which gets it too, as a member of the group; this process reports the end.
    signal.signal(signal.SIGTERM, lambda *_: None)
    say(
        "/opt/ml is this job's own folder (private mount namespace)"
        if private
        else f"this system allows no private /opt/ml: the job's folder is {base}; use the SM_* variables"
    )
    job = Job.read(base, os.environ.get("SAGEMAKER_TRAINING_MODULE", ""))
    machine = Machine(cpus=bounds.processors(), gpus=_gpus())
    # Distributed libraries find their network by this name.
    interfaces = dict.fromkeys(("NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME"), job.interface)
    variables = {**interfaces, **os.environ, **job.variables(machine)}
    try:
        child = _LAUNCHERS[job.launcher](Launch(job, machine, folder, private, variables))
    except LaunchFailed as error:
        return _fail(base, str(error))
    code = 0 if child is None else child.wait()
    # Whatever the script left running ends with it, as in a container, and lets go of its output.
    lifeline.end_children()
    if child is None or code == 0:
        say("Reporting training SUCCESS")
        return 0
    return _fail(base, _report(code, child.errors(), child.command))


def _fail(base: Path, report: str) -> int:
    # As AWS's toolkit: what the script itself wrote is not overwritten.
    with suppress(FileExistsError), (base / "output" / "failure").open("x", encoding="utf-8") as file:
        file.write(report)
    say("Reporting training FAILURE")
    say(report)
    return 1


def _alone(launch: Launch) -> Child:
    """Start the script, on each host by itself."""
    return _invoke(launch, launch.command)


def _torchrun(launch: Launch) -> Child:
    """Start the script by PyTorch's launcher."""
    job = launch.job
    options = {
        "nnodes": len(job.hosts),
        "nproc_per_node": max(1, launch.machine.gpus),
        "master_addr": launch.address(job.hosts[0]),
        # AWS's is 7777; here another job may listen there.
        "master_port": os.environ[_PORT],
        "node_rank": job.hosts.index(job.host),
    }
    launcher = [sys.executable, "-m", "torch.distributed.run"]
    launcher += [f"--{name}={value}" for name, value in options.items()]
    return _invoke(launch, [*launcher, *launch.program])


def _invoke(launch: Launch, command: list[str]) -> Child:
    say(f"Invoking script with the following command: {' '.join(command)}")
    return launch.start(command)


_LAUNCHERS = {
    None: _alone,
    TORCHRUN: _torchrun,
    MPI: mpi.run,
    PARAMETER_SERVER: parameter_server.run,
}
"""How the script is started: each gives the process whose end is the host's, None where it is not its own."""


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
