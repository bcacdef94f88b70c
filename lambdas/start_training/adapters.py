"""The data bucket and the state machines, as `start_training` sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from lambdas.shared.clients import client
from lambdas.shared.executions import start_once
from lambdas.start_training.logic import Run, StoredObject
from lambdas.start_training.settings import StartTrainingSettings


class Workplace(Protocol):
    """What the function needs of AWS."""

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Every object below `prefix` in the data bucket."""
        ...

    def start(self, run: Run) -> bool:
        """Start the run's execution; False when it was started before."""
        ...

    def execution(self, run: Run) -> str:
        """The ARN of the run's execution."""
        ...


class AwsWorkplace:
    """The real one."""

    def __init__(self, settings: StartTrainingSettings) -> None:
        self._settings = settings

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Every object below `prefix`, page by page."""
        pages = client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._settings.bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                modified = item["LastModified"].isoformat()
                yield StoredObject(item["Key"], item["Size"], item["ETag"], modified)

    def start(self, run: Run) -> bool:
        """Start the execution under the run's name."""
        return start_once(f"{self._settings.machines}{run.job}", run.name, run.execution_input())

    def execution(self, run: Run) -> str:
        """The ARN that Step Functions gives an execution of this name."""
        machine = f"{self._settings.machines}{run.job}"
        return f"{machine.replace(':stateMachine:', ':execution:')}:{run.name}"
