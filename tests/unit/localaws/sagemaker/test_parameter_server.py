"""Training with parameter servers: TensorFlow's and MXNet's processes beside the script, on every host."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

REGISTRY = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
TENSORFLOW = f"{REGISTRY}/tensorflow-training:2.19.0-cpu"
MXNET = f"{REGISTRY}/mxnet-training:1.9.0-cpu"
SERVERS = {"sagemaker_parameter_server_enabled": "true"}

# Stands for TensorFlow: a server that says who it is to whoever asks.
STAND_IN = """
import socket, types
class Server:
    def __init__(self, cluster, job_name, task_index, config):
        host, _, port = cluster[job_name][task_index].rpartition(":")
        self.listener = socket.create_server((host, int(port)))
        self.answer = f"{job_name} {task_index} {config}".encode()
    def join(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                connection.sendall(self.answer)
train = types.SimpleNamespace(ClusterSpec=dict)
distribute = types.SimpleNamespace(Server=Server)
compat = types.SimpleNamespace(v1=types.SimpleNamespace(ConfigProto=lambda device_count: device_count))
"""
# The master asks all servers once the others have ended, and says when it is done.
MASTER = """
import json, os, pathlib, socket, time
config = json.loads(os.environ["TF_CONFIG"])
cluster, task = config["cluster"], config["task"]
print("TF_CONFIG", json.dumps(config), flush=True)
def reach(address):
    host, _, port = address.rpartition(":")
    for _ in range(300):
        try:
            return socket.create_connection((host, int(port)))
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(address)
if task["type"] == "worker":
    with reach(cluster["master"][0]) as master:
        master.sendall(str(task["index"]).encode())
else:
    host, _, port = cluster["master"][0].rpartition(":")
    with socket.create_server((host, int(port))) as master:
        for _ in cluster["worker"]:
            other, _ = master.accept()
            print("worker", other.recv(99).decode(), "is done", flush=True)
        time.sleep(1.5)
        for address in cluster["ps"]:
            with reach(address) as server:
                print(server.recv(99).decode(), flush=True)
"""


@pytest.fixture
def parameters(lab):
    """Train a script with parameter servers; `packages` are modules that lie beside it."""

    def train(name, image, script, packages, hosts=3, **more):
        files = {"train.py": script, "requirements.txt": "", **packages}
        code = lab.archive(f"code/ps-{name}.tar.gz", files)
        job = lab.train(
            name,
            "",
            hyperparameters={**SERVERS, "sagemaker_submit_directory": json.dumps(code)},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 5},
            AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
            **more,
        )
        return job, lab.job_log(name)

    return train


def running(job):
    """The processes of this machine that run for a job, by its name."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TRAINING_JOB_NAME={job}\0".encode() in file.read_bytes():
                found.append(file.parent.name)
        except OSError:
            continue
    return found


def test_every_host_serves_parameters_until_the_master_is_done(parameters):
    """TF_CONFIG as AWS's container writes it; the servers of workers that ended first still answer."""
    job, log = parameters("served", TENSORFLOW, MASTER, {"tensorflow.py": STAND_IN})
    assert job["TrainingJobStatus"] == "Completed", log
    configs = [json.loads(line.removeprefix("TF_CONFIG ")) for line in log if line.startswith("TF_CONFIG ")]
    tasks = sorted((config["task"]["type"], config["task"]["index"]) for config in configs)
    assert tasks == [("master", 0), ("worker", 0), ("worker", 1)]
    cluster = configs[0]["cluster"]
    assert all(config["cluster"] == cluster and config["environment"] == "cloud" for config in configs)
    assert {kind: len(addresses) for kind, addresses in cluster.items()} == {
        "master": 1,
        "ps": 3,
        "worker": 2,
    }
    ports = [address.rpartition(":")[2] for addresses in cluster.values() for address in addresses]
    assert len(set(ports)) == 6
    answers = [line for line in log if line.startswith("ps ")]
    assert answers == [f"ps {index} {{'GPU': 0}}" for index in range(3)]
    assert not running("served")


def test_a_server_that_cannot_start_fails_the_job(parameters):
    """Rather than let the script wait for it: what is missing is named."""
    job, log = parameters("missing", TENSORFLOW, "import time; time.sleep(600)", {}, hosts=2)
    assert job["TrainingJobStatus"] == "Failed", log
    assert "No module named 'tensorflow'" in job["FailureReason"]
    assert not running("missing")


def test_one_host_needs_no_parameter_server(parameters):
    """The script runs as it is, as in AWS's container."""
    script = "import os; print('config', os.environ.get('TF_CONFIG'))"
    job, log = parameters("single", TENSORFLOW, script, {}, hosts=1)
    assert job["TrainingJobStatus"] == "Completed", log
    assert "config None" in log


def test_mxnets_roles_meet_at_the_scheduler(parameters):
    """A scheduler on the first host, a server and a worker on each; what they are told is MXNet's own."""
    stand_in = """
import os
names = ("ROLE", "NUM_WORKER", "NUM_SERVER", "PS_ROOT_URI", "PS_ROOT_PORT", "NODE_HOST")
line = " ".join(["DMLC", *(os.environ[f"DMLC_{name}"] for name in names)])
os.write(1, f"{line}\\n".encode())  # at once: other processes write to the same log
open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], os.environ["DMLC_ROLE"]), "w").close()
"""
    # Ends once all of its host have said what they were told.
    script = """
import os, time, mxnet
roles = {"algo-1": {"scheduler", "server", "worker"}, "algo-2": {"server", "worker"}}
while set(os.listdir(os.environ["SM_OUTPUT_DATA_DIR"])) != roles[os.environ["SM_CURRENT_HOST"]]:
    time.sleep(0.1)
"""
    job, log = parameters("dmlc", MXNET, script, {"mxnet.py": stand_in}, hosts=2)
    assert job["TrainingJobStatus"] == "Completed", log
    told = sorted(line.split()[1:] for line in log if line.startswith("DMLC "))
    assert [role for role, *_ in told] == ["scheduler", "server", "server", "worker", "worker"]
    assert {tuple(rest[:2]) for _, *rest in told} == {("2", "2")}
    assert len({tuple(rest[2:4]) for _, *rest in told}) == 1
    (scheduler,) = (rest for role, *rest in told if role == "scheduler")
    assert scheduler[2] == scheduler[4]


SLOPE = """
import json, os, socket, time
import tensorflow as tf
config = json.loads(os.environ["TF_CONFIG"])
# AWS's container calls the chief by its older name.
cluster = {{"master": "chief"}.get(kind, kind): addresses for kind, addresses in config["cluster"].items()}
task = {"master": "chief"}.get(config["task"]["type"], config["task"]["type"])
resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
    tf.train.ClusterSpec(cluster), task_type=task, task_id=config["task"]["index"], rpc_layer="grpc"
)
def chief_is_up():
    host, _, port = cluster["chief"][0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
if task == "worker":
    server = tf.distribute.Server(resolver.cluster_spec(), job_name=task, task_index=resolver.task_id)
    while not chief_is_up():
        time.sleep(0.2)
    while chief_is_up():
        time.sleep(0.5)
    raise SystemExit
strategy = tf.distribute.ParameterServerStrategy(resolver)
coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
with strategy.scope():
    slope = tf.Variable(0.0)
    offset = tf.Variable(0.0)
print("slope on", slope.device, "offset on", offset.device, flush=True)
@tf.function
def step():
    x = tf.random.uniform([64])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((slope * x + offset - (3.0 * x + 1.0)) ** 2)
    for variable, gradient in zip((slope, offset), tape.gradient(loss, (slope, offset))):
        variable.assign_sub(0.5 * gradient)
for _ in range(300):
    coordinator.schedule(step)
coordinator.join()
print(f"slope={slope.numpy():.2f} offset={offset.numpy():.2f}", flush=True)
os._exit(0)
"""


@pytest.mark.heavy
def test_tensorflow_trains_over_real_parameter_servers(lab, parameters, monkeypatch):
    """ParameterServerStrategy: the variables lie on the servers that the container started, one on each."""
    # Four processes with TensorFlow need more than the other tests' jobs may have.
    monkeypatch.setattr(lab.server.world, "options", replace(lab.server.world.options, job_memory=4 << 30))
    packages = {"requirements.txt": "tensorflow-cpu==2.21.0\n"}
    job, log = parameters("slope", TENSORFLOW, SLOPE, packages, hosts=2)
    assert job["TrainingJobStatus"] == "Completed", (job["FailureReason"], log)
    (placed,) = (line for line in log if line.startswith("slope on"))
    assert {"/job:ps/replica:0/task:0", "/job:ps/replica:0/task:1"} == {
        word.rpartition("/device")[0] for word in placed.split() if word.startswith("/job")
    }
    assert any(line.startswith("slope=3.0") and line.endswith("offset=1.00") for line in log), log
    assert not running("slope")
