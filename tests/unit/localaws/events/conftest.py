"""An embedded AWS with nothing in it, and the few calls that every test of events makes."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from localaws.server import Server

ACCOUNT, REGION = "111122223333", "eu-west-1"

# Puts each event it gets into the queue that its environment names.
RELAY = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""


@dataclass(frozen=True)
class Cloud:
    """The server under test, and a user of it."""

    server: Server

    def client(self, service: str) -> Any:
        """A client of the account that the tests act in."""
        return self.server.world.client(service, ACCOUNT, REGION)

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """Make a queue: its URL and ARN."""
        url = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def relay(self, name: str, queue_url: str) -> str:
        """Create a function that passes its events on to a queue; gives its ARN."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("index.py", RELAY)
        created = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="index.handler",
            Role=f"arn:aws:iam::{ACCOUNT}:role/any",
            Code={"ZipFile": buffer.getvalue()},
            Environment={"Variables": {"QUEUE": queue_url}},
            Timeout=20,
        )
        return str(created["FunctionArn"])

    def rule(self, name: str, pattern: Any, *targets: dict[str, Any], bus: str = "default") -> str:
        """Make a rule with targets; gives its ARN."""
        events = self.client("events")
        made = events.put_rule(Name=name, EventPattern=json.dumps(pattern), EventBusName=bus)
        numbered = [{"Id": str(number), **target} for number, target in enumerate(targets)]
        events.put_targets(Rule=name, Targets=numbered, EventBusName=bus)
        return str(made["RuleArn"])

    def put(self, source: str, detail: Any, **more: Any) -> str:
        """Put one event of one's own; gives its id."""
        entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps(detail), **more}
        (answer,) = self.client("events").put_events(Entries=[entry])["Entries"]
        return str(answer["EventId"])

    def message(self, url: str, seconds: float = 15) -> dict[str, Any]:
        """The next message of a queue, with its attributes."""
        message: dict[str, Any] = self.until(lambda: self._receive(url), seconds)
        return message

    def body(self, url: str) -> Any:
        """The JSON in the next message of a queue."""
        return json.loads(self.message(url)["Body"])

    def silent(self, url: str, seconds: float = 0.4) -> bool:
        """Whether nothing more comes."""
        time.sleep(seconds)
        return self._receive(url) is None

    def _receive(self, url: str) -> Any:
        sqs = self.client("sqs")
        options = {"MaxNumberOfMessages": 1, "MessageAttributeNames": ["All"], "AttributeNames": ["All"]}
        found = sqs.receive_message(QueueUrl=url, **options).get("Messages")
        if not found:
            return None
        sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
        return found[0]

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
    folder = tmp_path_factory.mktemp("cloud")
    server = Server(folder / "data", folder / "cache")
    server.start()
    yield Cloud(server)
    server.stop()
