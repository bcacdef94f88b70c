"""An embedded AWS with nothing in it, and the few calls that every test of events makes."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.localaws import cloud
from tests.unit.localaws.cloud import ACCOUNT

# Puts each event it gets into the queue that its environment names.
RELAY = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""


class Cloud(cloud.Cloud):
    """With what the tests of events ask besides."""

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

    def body(self, url: str) -> Any:
        """The JSON in the next message of a queue."""
        return json.loads(self.message(url)["Body"])

    def silent(self, url: str, seconds: float = 0.4) -> bool:
        """Whether nothing more comes."""
        time.sleep(seconds)
        return self.receive(url) is None


@pytest.fixture(scope="module", name="cloud")
def _cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running server for one module."""
    with Cloud.running(tmp_path_factory.mktemp("cloud")) as running:
        yield running
