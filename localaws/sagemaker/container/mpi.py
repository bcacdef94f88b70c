"""Run a script by `mpirun` over the hosts of a job, as AWS's training toolkit does.

The first host's mpirun starts its daemon on each other host, as ever, by a remote shell; `shell.py` is that
shell, so that every rank runs in its own host's container. The other hosts wait until the first is done.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from . import shell
from .contract import Job
from .script import Child, Launch, LaunchFailed, say

_POLL_SECONDS = 0.1
_RANK = re.compile(rb"^\[1,(\d+)\]<(stdout|stderr)>: ?")
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# Open MPI's own words for AWS's options, on a machine of one's own: ranks share processors, as the hosts do.
_OPTIONS = (
    ("--allow-run-as-root",),
    ("--display", "map"),
    ("--tag-output",),
    ("--prtemca", "plm_ssh_no_tree_spawn", "1"),
    ("--prtemca", "plm_ssh_agent", shell.NAME),
    ("--bind-to", "none"),
    ("--map-by", "slot:OVERSUBSCRIBE"),
    ("--mca", "pml", "ob1"),
    ("--mca", "btl", "self,sm,tcp"),
    # Reading another process's memory is what containers forbid.
    ("--mca", "smsc", "^cma"),
)


def run(launch: Launch) -> Child | None:
    """On the first host the process of mpirun, which has ended; None on another, once all is done."""
    job = launch.job
    _check_network(job)
    place = shell.open_door(launch.folder, launch.variables)
    if job.host != job.hosts[0]:
        say("Starting MPI run as worker node. Waiting for MPI process to finish.")
        while not (place / shell.FINISHED).exists():
            time.sleep(_POLL_SECONDS)
        say("MPI process finished.")
        return None
    for host in job.hosts[1:]:
        while not shell.reachable(launch.folder, host):
            time.sleep(_POLL_SECONDS)
        say(f"Worker {host} available for communication")
    own = shell.keep_files(launch.variables, place)
    command = _command(launch)
    say(f"Invoking script with the following command: {' '.join(command)}")
    own["PATH"] = f"{place}:{own['PATH']}"
    child = launch.start(command, own, lambda line: _name_rank(line, _processes(launch)))
    child.wait()
    for host in job.hosts[1:]:
        (shell.place_of(launch.folder, host) / shell.FINISHED).touch()
    return child


def _check_network(job: Job) -> None:
    routes = Path("/proc/net/route")
    if len(job.hosts) == 1 or not routes.is_file():
        return
    if all(line.split()[0] == "lo" for line in routes.read_text(encoding="ascii").splitlines()[1:]):
        raise LaunchFailed(
            "Open MPI's daemons of several hosts need a network interface other than lo, and this machine "
            "has none that is up: connect it to a network, add an interface (ip link add mpi0 type dummy, "
            "with an address), or ask for one instance"
        )


def _processes(launch: Launch) -> int:
    """How many processes a host has: one a GPU where the job does not say."""
    asked = launch.job.hyperparameters.get("sagemaker_mpi_num_of_processes_per_host")
    return int(asked or max(1, launch.machine.gpus))


def _command(launch: Launch) -> list[str]:
    job, each = launch.job, _processes(launch)
    total = job.hyperparameters.get("sagemaker_mpi_num_processes") or each * len(job.hosts)
    known, custom = _custom_options(job)
    script = launch.command
    if script[0] == sys.executable:
        # What lets one rank's exception end all of them.
        script[1:1] = ["-m", "mpi4py"]
    return [
        "mpirun",
        *("--host", ",".join(f"{host}:{each}" for host in job.hosts)),
        *("-np", str(total)),
        *(word for option in _OPTIONS for word in option),
        *("--mca", "btl_tcp_if_include", job.interface),
        *("-x", "NCCL_MIN_NRINGS=4", "-x", f"NCCL_DEBUG={known.NCCL_DEBUG}"),
        # The remote shell's folder is not for the script.
        *("-x", f"PATH={launch.variables['PATH']}"),
        *custom,
        *(word for name in _passed(launch) for word in ("-x", name)),
        *script,
    ]


def _custom_options(job: Job) -> tuple[argparse.Namespace, list[str]]:
    """The job's own options for mpirun: those that the toolkit knows, and the rest as they stand."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--NCCL_DEBUG", default="INFO")
    given = job.hyperparameters.get("sagemaker_mpi_custom_mpi_options") or ""
    return parser.parse_known_args(shlex.split(str(given)))


def _passed(launch: Launch) -> Iterator[str]:
    """The variables that all ranks get from the first host, its SM_CURRENT_HOST too, as on AWS."""
    names = ("LD_LIBRARY_PATH", "NCCL_SOCKET_IFNAME", *_CREDENTIALS)
    yield from (name for name in names if name in launch.variables)
    yield from launch.job.variables(launch.machine)


def _name_rank(line: bytes, each: int) -> bytes:
    """The line as AWS's toolkit tags it, `[1,mpirank:3,algo-2]<stdout>:`, for CloudWatch's searches."""
    return _RANK.sub(
        lambda tag: b"[1,mpirank:%b,algo-%d]<%b>:" % (tag[1], int(tag[1]) // each + 1, tag[2]), line
    )
