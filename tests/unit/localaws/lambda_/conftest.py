"""An embedded AWS with nothing in it, and the few calls that every test of functions makes."""

from __future__ import annotations

import base64
import io
import json
import textwrap
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localaws.server import Server

ACCOUNT, REGION = "111122223333", "eu-west-1"


@dataclass(frozen=True)
class Answer:
    """What Invoke answered."""

    payload: Any
    error: str | None
    log: str
    status: int


@dataclass(frozen=True)
class Cloud:
    """The server under test, and a user of it."""

    server: Server

    def client(self, service: str) -> Any:
        """A client of the account that the tests act in."""
        return self.server.world.client(service, ACCOUNT, REGION)

    @staticmethod
    def zip(**files: str) -> bytes:
        """A zip of `name=source`; names have __ for the dot."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, source in files.items():
                archive.writestr(name.replace("__", "."), textwrap.dedent(source))
        return buffer.getvalue()

    def function(self, name: str, source: str, **settings: Any) -> str:
        """Create a Python function from the source of its one module; gives its ARN."""
        created = self.client("lambda").create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": f"arn:aws:iam::{ACCOUNT}:role/any",
                "Code": {"ZipFile": self.zip(index__py=source)},
                "Timeout": 20,
                **settings,
            }
        )
        return str(created["FunctionArn"])

    def invoke(self, name: str, event: Any = None, **options: Any) -> Answer:
        """Run the function and wait for it."""
        answer = self.client("lambda").invoke(
            FunctionName=name,
            Payload=json.dumps(event, ensure_ascii=False).encode(),
            LogType="Tail",
            **options,
        )
        payload = answer["Payload"].read()
        return Answer(
            json.loads(payload) if payload else None,
            answer.get("FunctionError"),
            base64.b64decode(answer.get("LogResult", "")).decode(),
            answer["StatusCode"],
        )

    def queue(self, name: str) -> tuple[str, str]:
        """Make a queue: its URL and ARN."""
        url = self.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def message(self, url: str, seconds: float = 15) -> dict[str, Any]:
        """The next message of a queue, with its attributes."""

        def receive() -> Any:
            options = {"MaxNumberOfMessages": 1, "MessageAttributeNames": ["All"]}
            found = self.client("sqs").receive_message(QueueUrl=url, **options).get("Messages")
            return found and found[0]

        message: dict[str, Any] = self.until(receive, seconds)
        self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message

    @staticmethod
    def until(look: Callable[[], Any], seconds: float = 15) -> Any:
        """What `look` finds, once it finds something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"nothing found within {seconds} s")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running server for one module."""
    folder: Path = tmp_path_factory.mktemp("cloud")
    server = Server(folder / "data", folder / "cache")
    server.start()
    yield Cloud(server)
    server.stop()
