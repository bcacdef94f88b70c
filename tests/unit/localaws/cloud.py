"""A server under test and a user of it: what the tests of several services ask of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.server import Server

ACCOUNT, REGION = "111122223333", "eu-west-1"


@dataclass(frozen=True)
class Cloud:
    """The server under test, and a user of it."""

    server: Server

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Any]:
        """One with nothing in it, whose data lie in `folder`."""
        server = Server(folder / "data", folder / "cache")
        server.start()
        yield cls(server)
        server.stop()

    def client(self, service: str) -> Any:
        """A client of the account that the tests act in."""
        return self.server.world.client(service, ACCOUNT, REGION)

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """Make a queue: its URL and ARN."""
        url = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def message(self, url: str, seconds: float = 15) -> dict[str, Any]:
        """The next message of a queue, with its attributes."""
        message: dict[str, Any] = self.until(lambda: self.receive(url), seconds)
        return message

    def receive(self, url: str) -> Any:
        """The next message of a queue if one is there, taken out of it; else None."""
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
