"""Run a script with parameter servers beside it, as AWS's TensorFlow and MXNet containers do."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from .script import Child, Launch, say

PORTS = "LOCALAWS_TASK_PORTS"
"""The environment variable with two free ports for each host: its worker's, and its parameter server's."""

_POLL_SECONDS = 0.1
_LOOK_SECONDS = 1.0
_TENSORFLOW = """
import json, sys
import tensorflow as tf
cluster, index = tf.train.ClusterSpec(json.loads(sys.argv[1])), int(sys.argv[2])
without_gpu = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
tf.distribute.Server(cluster, job_name="ps", task_index=index, config=without_gpu).join()
"""
_THREADS = 4
_MXNET = "import mxnet"  # which serves, by its variables, until all workers are done


def run(launch: Launch) -> Child:
    """The script, which has ended, or a server that failed before it did."""
    return _mxnet(launch) if "mxnet" in launch.job.framework_module else _tensorflow(launch)


def _tensorflow(launch: Launch) -> Child:
    hosts, host = launch.job.hosts, launch.job.host
    if len(hosts) == 1:
        return launch.start(launch.command)
    cluster = _cluster(launch)
    number = hosts.index(host)
    task = {"type": "worker", "index": number - 1} if number else {"type": "master", "index": 0}
    config = {"cluster": cluster, "environment": "cloud", "task": task}
    say("Launching parameter server process")
    # A task that waits for another holds a thread meanwhile: with as many as a job has processors, which may
    # be one, the tasks would wait for each other for ever.
    threads = {"TF_NUM_INTEROP_THREADS": str(max(_THREADS, launch.machine.cpus))}
    server = launch.start([sys.executable, "-c", _TENSORFLOW, json.dumps(cluster), str(number)], threads)
    return _accompany(
        launch,
        [server],
        {**threads, "TF_CONFIG": json.dumps(config)},
        # The others' parameters are needed for as long as the master trains.
        lambda: _outlast(cluster["master"][0]) if number else None,
    )


def _cluster(launch: Launch) -> dict[str, list[str]]:
    """The tasks of TF_CONFIG and their addresses; AWS's ports are 2222, and 2223 for the servers.

    TensorFlow listens on every address of the machine, so that each task needs a port of its own here.
    """
    hosts = launch.job.hosts
    ports = os.environ[PORTS].split(",")
    tasks = [f"{launch.address(host)}:{port}" for host, port in zip(hosts, ports[::2], strict=True)]
    servers = [f"{launch.address(host)}:{port}" for host, port in zip(hosts, ports[1::2], strict=True)]
    return {"master": tasks[:1], "ps": servers, "worker": tasks[1:]}


def _mxnet(launch: Launch) -> Child:
    hosts, host = launch.job.hosts, launch.job.host
    variables = {
        "DMLC_NUM_WORKER": str(len(hosts)),
        "DMLC_NUM_SERVER": str(len(hosts)),
        "DMLC_PS_ROOT_URI": socket.gethostbyname(launch.address(hosts[0])),
        # AWS's is 8000 or the hyperparameter _ps_port; here another job may listen there.
        "DMLC_PS_ROOT_PORT": os.environ[PORTS].split(",")[0],
        "DMLC_NODE_HOST": socket.gethostbyname(launch.address(host)),
        "PS_VERBOSE": str(launch.job.hyperparameters.get("_ps_verbose", 0)),
    }
    roles = ["scheduler", "server"] if host == hosts[0] else ["server"]
    servers = [
        launch.start([sys.executable, "-c", _MXNET], {**variables, "DMLC_ROLE": role}) for role in roles
    ]
    return _accompany(launch, servers, {**variables, "DMLC_ROLE": "worker"})


def _accompany(
    launch: Launch,
    servers: list[Child],
    variables: dict[str, str],
    then: Callable[[], Any] = lambda: None,
) -> Child:
    """Run the script; `then` is done after it has ended well, while the servers still run."""
    say(f"Launching worker process: {' '.join(launch.command)}")
    script = launch.start(launch.command, variables)
    while script.poll() is None:
        failed = next((server for server in servers if server.poll()), None)
        if failed is not None:
            say("A server that the script depends on has failed")
            return failed
        time.sleep(_POLL_SECONDS)
    if script.poll() == 0:
        then()
    return script


def _outlast(master: str) -> None:
    """Return once nobody listens at the master's address any more."""
    host, _, port = master.rpartition(":")
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=_LOOK_SECONDS).close()
        except OSError:
            say(f"master {master} is down, stopping parameter server")
            return
        time.sleep(_LOOK_SECONDS)
