"""Images of one's own: their files run under the bare contract of the container."""

from __future__ import annotations

import json
import os

import pytest
from botocore.exceptions import ClientError

TRAIN = """#!/usr/bin/env python3
import json, os, pathlib, socket, sys
ml = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
values = json.loads((ml / "input/config/hyperparameters.json").read_text())
resources = json.loads((ml / "input/config/resourceconfig.json").read_text())
data = sorted(path.name for path in (ml / "input/data/train").iterdir())
print("here", os.getcwd().rpartition("/")[2], *data, resources["current_host"], "helper.py" in os.listdir())
if ml == pathlib.Path("/opt/ml"):
    print("host", socket.gethostname(), socket.gethostbyname("algo-1").startswith("127."))
print("nice", os.nice(0), "threads", os.environ["OMP_NUM_THREADS"])
if hasattr(os, "sched_getaffinity"):
    print("processors", len(os.sched_getaffinity(0)))
if values["fail"] == "yes":
    (ml / "output/failure").write_text("no luck\\nat all")
    sys.exit(3)
(ml / "model/weights").write_text(values["weights"])
"""
SERVE = """#!/usr/bin/env python3
import http.server, os, pathlib
ml = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
weights = (ml / "model/weights").read_text()
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())
    def do_GET(self):
        self.answer("")
    def do_POST(self):
        self.answer(weights + self.rfile.read(int(self.headers["Content-Length"])).decode())
where = os.environ["SAGEMAKER_BIND_TO_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.HTTPServer(where, Handler).serve_forever()
"""


def test_an_own_image_trains_and_serves(lab):
    """Strings as hyperparameters, its folder as working directory and PATH, /opt/ml, a port to serve on."""
    lab.put("train/a.csv", "1")
    image = lab.own_image("iris", train=TRAIN, serve=SERVE, **{"helper.py": ""})
    job = lab.built_in("own", image, {"weights": "7", "fail": "no"}, [lab.channel("train")])
    log = lab.job_log("own")
    assert job["TrainingJobStatus"] == "Completed", log
    assert "here iris a.csv algo-1 True" in log
    assert f"nice {os.nice(0) + 10} threads 1" in log
    assert not hasattr(os, "sched_getaffinity") or "processors 1" in log
    if not any("no private /opt/ml" in line for line in log):
        assert "host algo-1 True" in log
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert lab.opened(data) == {"weights": "7"}
    assert lab.serve("own", image, data)["EndpointStatus"] == "InService"
    assert lab.invoke("own", "?")["Body"].read() == b"7?"
    lab.sagemaker.delete_endpoint(EndpointName="own")


def test_what_an_own_image_writes_to_the_failure_file_is_the_reason(lab):
    """With the program's exit code."""
    lab.put("train/a.csv", "1")
    image = lab.own_image("unlucky", train=TRAIN)
    job = lab.built_in("luckless", image, {"weights": "7", "fail": "yes"}, [lab.channel("train")])
    assert job["FailureReason"] == "AlgorithmError: no luck\nat all, exit code: 3"


@pytest.mark.parametrize(
    ("program", "code", "why"),
    [("#!/nowhere/python\n", 127, "interpreter"), (None, 126, "chmod")],
)
def test_a_program_that_cannot_be_run_is_told_in_the_log(lab, program, code, why):
    """As a container engine would refuse to start it."""
    lab.put("train/a.csv", "1")
    name = f"broken-{code}"
    image = lab.own_image(name, train=program or "")
    if program is None:
        (lab.server.world.options.containers / name / "train").chmod(0o644)
    job = lab.built_in(name, image, {}, [lab.channel("train")])
    assert job["FailureReason"].endswith(f"exit code: {code}")
    assert any("'train' cannot be run" in line and why in line for line in lab.job_log(name))


def test_a_job_that_takes_too_much_memory_is_ended_as_on_aws(lab):
    """All its processes together count; the reason is AWS's."""
    lab.put("train/a.csv", "1")
    hungry = """#!/usr/bin/env python3
import time
food = []
while True:
    food.append(bytearray(b"x") * (100 << 20))
    time.sleep(0.05)
"""
    image = lab.own_image("hungry", train=hungry)
    job = lab.built_in("hungry", image, {}, [lab.channel("train")])
    assert job["FailureReason"] == (
        "ClientError: Please use an instance type with more memory, or reduce the size of training data "
        "processed on an instance., exit code: 137"
    )


def test_two_jobs_with_clashing_versions_run_side_by_side(lab):
    """Each in an environment of its own requirements, at the same time."""
    version = "import importlib.metadata as m, time; time.sleep(1); print('six', m.version('six'))"
    for number in ("1.16.0", "1.17.0"):
        code = lab.archive(
            f"code/{number}.tar.gz", {"train.py": version, "requirements.txt": f"six=={number}"}
        )
        request = lab.request(f"six-{number.replace('.', '-')}", "")
        request["HyperParameters"]["sagemaker_submit_directory"] = json.dumps(code)
        lab.sagemaker.create_training_job(**request)
    jobs = {number: lab.job(f"six-{number.replace('.', '-')}") for number in ("1.16.0", "1.17.0")}
    for number, job in jobs.items():
        assert job["TrainingJobStatus"] == "Completed", job
        assert f"six {number}" in lab.job_log(job["TrainingJobName"])


def test_an_image_without_the_program_is_refused_at_once(lab):
    """By name, with the folder that was looked in."""
    image = lab.own_image("empty")
    with pytest.raises(ClientError, match="holds no file train"):
        lab.built_in("empty", image, {}, [lab.channel("train")])
