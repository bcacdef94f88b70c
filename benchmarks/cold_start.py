"""`start_training`, cold: from import to first AWS call, against a bare handler with the same client."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

from benchmarks.measure import Figure, ratio
from lambdas.start_training.settings import JobSettings, StartTrainingSettings

ROOT = Path(__file__).resolve().parent.parent
EVENT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "data"}, "object": {"key": "curve/train/points.csv", "size": 1}},
}
OURS = f"""
import time; began = time.monotonic_ns()
from lambdas.start_training.handler import handler
class Context: aws_request_id = "1"; function_name = "start"
print(began, flush=True); handler({EVENT!r}, Context())
"""
BARE = """
import time; began = time.monotonic_ns()
import boto3
client = boto3.client("s3")
print(began, flush=True); client.list_objects_v2(Bucket="data")
"""


def figures() -> list[Figure]:
    """The ratio of the two."""
    with _FirstCall() as listener:
        return [
            ratio(
                "start_training, cold ÷ a bare boto3 handler",
                1.3,
                lambda: listener.seconds_until_called(OURS),
                lambda: listener.seconds_until_called(BARE),
            )
        ]


class _FirstCall:
    """An HTTP server that notes when it is first called, and never answers."""

    def __enter__(self) -> Self:
        called = self._called = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                outer._at = time.monotonic_ns()
                called.set()
                self.close_connection = True

        self._at = 0
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def seconds_until_called(self, program: str) -> float:
        """Run a Python program that prints its starting time, until its first call."""
        self._called.clear()
        curve = JobSettings({"train": "curve/train/"}, listens=("train",))
        machines = "arn:aws:states:eu-west-1:111122223333:stateMachine:vision-dev-train-"
        settings = StartTrainingSettings(bucket="data", machines=machines, jobs={"curve": curve})
        variables = {
            **os.environ,
            **settings.to_environment(),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_port}",
            "AWS_ACCESS_KEY_ID": "111122223333",
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        began = int(process.stdout.readline()) if process.stdout else 0
        if not self._called.wait(30):
            raise RuntimeError(f"no call was made: {process.communicate()[1].decode()}")
        process.kill()
        process.wait()
        return (self._at - began) / 1e9
