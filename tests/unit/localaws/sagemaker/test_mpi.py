"""Training by MPI: mpirun over the hosts of a job, with Open MPI itself."""

from __future__ import annotations

import itertools
import json
import re
import time
from pathlib import Path

import pytest

from localaws.sagemaker.images import Program
from localaws.sagemaker.launchers import equip

IMAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.5.1-cpu"
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5}
MPI = {"sagemaker_mpi_enabled": "true", "sagemaker_mpi_num_of_processes_per_host": "2"}
METRICS = [{"Name": "total", "Regex": "total=([0-9.]+)"}]
_numbers = itertools.count(1)

REDUCE = """
import os, socket, sys
from mpi4py import MPI
world = MPI.COMM_WORLD
total = world.allreduce(world.rank + 1)
seen = [os.environ[name] for name in ("OMPI_COMM_WORLD_LOCAL_RANK", "SM_CURRENT_HOST", "COLOUR", "SIZE")]
print("rank", world.rank, "on", socket.gethostname(), *seen, sys.argv[1:], flush=True)
if world.rank == 0:
    print(f"total={total}", flush=True)
path = os.path.join(os.environ["SM_MODEL_DIR"], f"rank-{world.rank}")
open(path, "w").write(str(total))
"""


@pytest.fixture
def mpi(lab):
    """Start a script by MPI on two hosts with two processes each; the job's name."""

    def start(script, **values):
        name = f"mpi-{next(_numbers)}-{lab.bucket}"
        spec = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": METRICS}
        lab.start(
            name,
            script,
            hyperparameters={**MPI, **{key: json.dumps(value) for key, value in values.items()}},
            ResourceConfig=TWO,
            AlgorithmSpecification=spec,
            Environment={"COLOUR": "blue"},
        )
        return name

    return start


def processes(job):
    """The processes of this machine that run for a job, by its name."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TRAINING_JOB_NAME={job}\0".encode() in file.read_bytes():
                found.append(file.parent.name)
        except OSError:
            continue
    return found


def test_ranks_of_all_hosts_reduce_together(lab, mpi):
    """Each rank runs in its own host's container; the first one's metric counts; AWS's tags."""
    custom = "-x SIZE=big --NCCL_DEBUG WARN"
    name = mpi(REDUCE, epochs=3, sagemaker_mpi_custom_mpi_options=custom)
    job, log = lab.job(name), lab.job_log(name)
    assert job["TrainingJobStatus"] == "Completed", log
    assert [metric["Value"] for metric in job["FinalMetricDataList"]] == [10.0]
    ranks = sorted(line for line in log if "rank " in line and "<stdout>" in line)
    named = "/opt/ml is this job's own" in "".join(log)
    for number, line in enumerate(ranks):
        host = f"algo-{number // 2 + 1}"
        # AWS's toolkit gives all ranks the first host's variables: only its name tells where a rank is.
        expected = (
            rf"\[1,mpirank:{number},{host}\]<stdout>:rank {number} on (\S+) {number % 2} algo-1 blue big"
        )
        assert (found := re.match(expected, line)), line
        assert not named or found[1] == host
        assert line.endswith("['--epochs', '3']")
    assert len(ranks) == 4
    assert set(lab.opened(job["ModelArtifacts"]["S3ModelArtifacts"])) == {f"rank-{rank}" for rank in range(4)}


def test_a_rank_that_fails_ends_all_with_its_reason(lab, mpi):
    """On another host too: the others, which wait for it in vain, do not go on."""
    script = """
from mpi4py import MPI
if MPI.COMM_WORLD.rank == 3:
    raise ValueError("rank 3 has had enough")
MPI.COMM_WORLD.barrier()
"""
    name = mpi(script)
    job = lab.job(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert "ValueError: rank 3 has had enough" in job["FailureReason"], lab.job_log(name)
    assert not processes(name)


def test_stopping_ends_the_ranks_of_all_hosts(lab, mpi):
    """Nothing is left of mpirun, its daemons and the ranks; they do not wait to be killed."""
    script = """
import os, sys, time
print("here", os.environ["OMPI_COMM_WORLD_RANK"], flush=True)
time.sleep(600)
"""
    name = mpi(script)
    lab.until(lambda: lab.running_log(name), lambda log: sum("<stdout>:here" in line for line in log) == 4)
    assert len(processes(name)) >= 8  # of each host the launcher, Open MPI and two ranks
    started = time.monotonic()
    lab.sagemaker.stop_training_job(TrainingJobName=name)
    assert lab.job(name)["TrainingJobStatus"] == "Stopped"
    assert time.monotonic() - started < 60
    assert not processes(name)


def test_versions_that_a_job_names_stay():
    """Only what its requirements.txt lacks is added."""
    program = equip(Program("train", "numpy\nMPI4py==4.1.1\n"), MPI)
    assert "MPI4py==4.1.1" in program.requirements
    assert "mpi4py==" not in program.requirements
    assert "openmpi==" in program.requirements
    assert equip(Program("train", "numpy"), {}).requirements == "numpy"
