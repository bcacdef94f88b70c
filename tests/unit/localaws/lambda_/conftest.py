"""An embedded AWS with nothing in it, and the few calls that every test of functions makes."""

from __future__ import annotations

import base64
import io
import json
import textwrap
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.localaws import cloud
from tests.unit.localaws.cloud import ACCOUNT


@dataclass(frozen=True)
class Answer:
    """What Invoke answered."""

    payload: Any
    error: str | None
    log: str
    status: int


class Cloud(cloud.Cloud):
    """With what the tests of functions ask besides."""

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


@pytest.fixture(scope="module", name="cloud")
def _cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running server for one module."""
    with Cloud.running(tmp_path_factory.mktemp("cloud")) as running:
        yield running
