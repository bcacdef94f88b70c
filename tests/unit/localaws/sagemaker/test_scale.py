"""Training at scale: several hosts, torchrun, managed spot."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5}
PYTORCH = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.5.1-cpu"
TORCHRUN = {"sagemaker_torch_distributed_enabled": "true"}
IMAGE = {"TrainingImage": PYTORCH, "TrainingInputMode": "File"}
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 300, "MaxWaitTimeInSeconds": 600},
}
MEET = """
import os, socket
hosts, here = os.environ["SM_HOSTS"], os.environ["SM_CURRENT_HOST"]
port = int(os.environ["LOCALAWS_RENDEZVOUS_PORT"])
named = not os.environ.get("SAGEMAKER_BASE_DIR")
first = "algo-1" if named else "127.0.0.1"
if here == "algo-1":
    with socket.create_server((first, port)) as server:
        other, _ = server.accept()
        print(here, "heard", other.recv(99).decode(), "of", hosts)
else:
    for _ in range(200):
        try:
            with socket.create_connection((first, port)) as connection:
                connection.sendall(f"{here} as {socket.gethostname() if named else here}".encode())
            break
        except ConnectionRefusedError:
            __import__("time").sleep(0.05)
"""
# Stands for PyTorch's launcher: it says what it was called with, and runs the script.
LAUNCHER = """
import os, runpy, sys
script = sys.argv.index("train.py")
print("torchrun", *sorted(sys.argv[1:script]), flush=True)
sys.argv = sys.argv[script:]
runpy.run_path("train.py", run_name="__main__")
"""


def test_hosts_find_each_other_by_name(lab):
    """Two processes that have an /opt/ml, a name and a log each."""
    job = lab.train("meeting", MEET, ResourceConfig=TWO)
    log = lab.job_log("meeting")
    assert job["TrainingJobStatus"] == "Completed", log
    assert 'algo-1 heard algo-2 as algo-2 of ["algo-1","algo-2"]' in log
    streams = lab.logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="meeting/"
    )
    names = [stream["logStreamName"].split("/")[1].rpartition("-")[0] for stream in streams["logStreams"]]
    assert names == ["algo-1", "algo-2"]


def test_a_host_that_fails_ends_the_job(lab):
    """Its failure is the reason; the others do not go on."""
    script = """
import os, time
if os.environ["SM_CURRENT_HOST"] == "algo-2":
    raise ValueError("the second is broken")
time.sleep(600)
"""
    job = lab.train("half", script, ResourceConfig=TWO)
    assert job["TrainingJobStatus"] == "Failed"
    assert "the second is broken" in job["FailureReason"]


def test_torchrun_starts_the_script_on_every_host(lab):
    """With AWS's arguments for it; the script gets its own."""
    files = {
        "train.py": "import os, sys; print('args', sys.argv[1:], os.environ['GLOO_SOCKET_IFNAME'])",
        "requirements.txt": "",
        "torch/distributed/run.py": LAUNCHER,
    }
    code = lab.archive("code/with-launcher.tar.gz", files)
    values = {**TORCHRUN, "epochs": "3", "sagemaker_submit_directory": json.dumps(code)}
    job = lab.train("ring", "", hyperparameters=values, ResourceConfig=TWO, AlgorithmSpecification=IMAGE)
    log = lab.job_log("ring")
    assert job["TrainingJobStatus"] == "Completed", log
    called = [line for line in log if line.startswith("torchrun ")]
    assert {line.split()[3] for line in called} == {"--nnodes=2"}
    assert {line.split()[4] for line in called} == {"--node_rank=0", "--node_rank=1"}
    assert log.count("args ['--epochs', '3'] lo") == 2


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("sagemaker_distributed_dataparallel_enabled", "sagemaker_mpi_enabled"),
        ("sagemaker_pytorch_ddp_enabled", "sagemaker_torch_distributed_enabled"),
        ("mp_parameters", "sagemaker_mpi_enabled"),
        ("sagemaker_parameter_server_enabled", "it is for mxnet, tensorflow"),
    ],
)
def test_other_launchers_are_refused_by_name(lab, name, remedy):
    """Rather than train on one host what was meant for many; the message says what there is."""
    with pytest.raises(ClientError, match=f"NotEmulated.*{name}.*{remedy}"):
        lab.start(
            "other", "", hyperparameters={name: "true"}, ResourceConfig=TWO, AlgorithmSpecification=IMAGE
        )


@pytest.mark.heavy
def test_pytorch_reduces_over_two_hosts(lab):
    """Gloo over the hosts' names."""
    script = """
import torch
import torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([dist.get_rank() + 1.0])
dist.all_reduce(total)
print("rank", dist.get_rank(), "of", dist.get_world_size(), "total", total.item())
"""
    code = lab.archive(
        "code/with-torch.tar.gz", {"train.py": script, "requirements.txt": "torch==2.13.0\nnumpy\n"}
    )
    values = {**TORCHRUN, "sagemaker_submit_directory": json.dumps(code)}
    job = lab.train("torch", "", hyperparameters=values, ResourceConfig=TWO, AlgorithmSpecification=IMAGE)
    log = lab.job_log("torch")
    assert job["TrainingJobStatus"] == "Completed", log
    assert {line for line in log if line.startswith("rank ")} == {
        "rank 0 of 2 total 3.0",
        "rank 1 of 2 total 3.0",
    }


RESUMING = """
import pathlib, os, signal, sys, time
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
state = base / "checkpoints" / "state"
if state.exists():
    print("resumed with", state.read_text(), os.listdir(base / "model"))
    sys.exit()
def end(*_):
    state.write_text("epoch 4")
    (base / "model" / "half").write_text("")
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
print("epoch 3", flush=True)
time.sleep(600)
"""


def interrupt(lab, name):
    """Take the capacity of a running job back."""
    job = lab.sagemaker.describe_training_job(TrainingJobName=name)
    tags = [{"Key": "localaws:interrupt", "Value": "now"}]
    lab.sagemaker.add_tags(ResourceArn=job["TrainingJobArn"], Tags=tags)
    return job["TrainingJobArn"]


def test_a_spot_job_goes_on_from_its_checkpoints_after_an_interruption(lab):
    """SIGTERM, checkpoints kept, a fresh /opt/ml, the same job; it is billed less than it trained."""
    checkpoints = {"S3Uri": f"s3://{lab.bucket}/checkpoints"}
    lab.start("spot", RESUMING, CheckpointConfig=checkpoints, **SPOT)
    lab.until(lambda: lab.running_log("spot"), lambda log: "epoch 3" in log)
    arn = interrupt(lab, "spot")
    assert lab.sagemaker.list_tags(ResourceArn=arn)["Tags"] == []
    job = lab.job("spot")
    log = lab.job_log("spot")
    assert job["TrainingJobStatus"] == "Completed", log
    assert "resumed with epoch 4 []" in log
    steps = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    attempt = ["Starting", "Downloading", "Training"]
    assert steps == [*attempt, "Interrupted", *attempt, "Uploading", "Completed"]
    assert job["EnableManagedSpotTraining"]
    assert job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]


def test_a_spot_job_waits_no_longer_than_it_may(lab):
    """Interruptions included; what it has is kept."""
    waits = {"EnableManagedSpotTraining": True}
    waits["StoppingCondition"] = {"MaxRuntimeInSeconds": 3, "MaxWaitTimeInSeconds": 3}
    lab.start("patient", "import time; print('on', flush=True); time.sleep(600)", **waits)
    lab.until(lambda: lab.running_log("patient"), lambda log: "on" in log)
    interrupt(lab, "patient")
    job = lab.job("patient")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")


def test_only_a_running_spot_job_is_interrupted(lab):
    """Any other says so."""
    lab.train("on-demand", "")
    with pytest.raises(ClientError, match="no running job of managed spot training"):
        interrupt(lab, "on-demand")
