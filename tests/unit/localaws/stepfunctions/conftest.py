"""A small embedded AWS: Step Functions, and fakes of what its tasks call; time passes at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from localaws.gateway import Gateway
from localaws.server import _RequestHandler
from localaws.service import AwsError, Service, operation
from localaws.stepfunctions import StepFunctions
from localaws.stepfunctions.scope import Scope
from localaws.world import World

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"


class FakeSageMaker(Service):
    """Training jobs that end as their name says, after as many descriptions as it says."""

    name = "sagemaker"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.reset()

    def reset(self) -> None:
        self.looks: dict[str, int] = {}
        self.stopped: list[str] = []

    @operation("CreateTrainingJob")
    def create_training_job(self, _call, params):
        name = params["TrainingJobName"]
        if name in self.looks:
            raise AwsError("ResourceInUse", f"{name} exists")
        if name.startswith("invalid"):
            raise AwsError("ValidationException", "no such role")
        self.looks[name] = 0
        return {"TrainingJobArn": self._arn(name)}

    @operation("DescribeTrainingJob")
    def describe_training_job(self, _call, params):
        name = params["TrainingJobName"]
        self.looks[name] += 1
        wanted = "Stopped" if name in self.stopped else name.split("-")[0].capitalize()
        status = wanted if self.looks[name] > 1 else "InProgress"
        return {
            "TrainingJobName": name,
            "TrainingJobArn": self._arn(name),
            "TrainingJobStatus": "InProgress" if status == "Forever" else status,
            "CreationTime": datetime(2026, 1, 31, 12, tzinfo=UTC),
            "FinalMetricDataList": [{"MetricName": "rmse", "Value": 1.5}],
            **({"FailureReason": "column 3"} if status == "Failed" else {}),
        }

    @operation("StopTrainingJob")
    def stop_training_job(self, _call, params):
        self.stopped.append(params["TrainingJobName"])

    @staticmethod
    def _arn(name):
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}"


class FakeLambda(Service):
    """Functions named `echo`, `fail`, `slow`, and `flaky`, which fails twice."""

    name = "lambda"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.reset()

    def reset(self) -> None:
        self.calls: list[Any] = []
        self.release = threading.Event()

    @operation("Invoke")
    def invoke(self, _call, params):
        function = params["FunctionName"].rsplit(":", 1)[-1]
        payload = json.loads(params.get("Payload") or b"{}")
        self.calls.append(payload)
        if function == "slow":
            self.release.wait(20)
        if function == "fail" or (function == "flaky" and len(self.calls) <= 2):
            error = {"errorType": "BadColumn", "errorMessage": "column 3 is text"}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": json.dumps(error).encode()}
        return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": json.dumps(payload).encode()}


class Aws:
    """What a test talks to."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pauses: list[float] = []
        self.sagemaker, self.functions = FakeSageMaker(world), FakeLambda(world)
        self.service = StepFunctions(world, self.pause)
        self.states = world.client("stepfunctions", ACCOUNT, REGION)

    def pause(self, scope: Scope, seconds: float) -> None:
        """Note how long a Wait state or a retry would take; a minute or more really waits."""
        self.pauses.append(seconds)
        scope.wait(seconds if seconds >= 60 else 0)

    def client(self, service: str) -> Any:
        return self.world.client(service, ACCOUNT, REGION)

    def create(self, definition: dict[str, Any], name: str = "machine", **more: Any) -> str:
        created = self.states.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=ROLE, **more
        )
        return created["stateMachineArn"]

    def start(self, definition: dict[str, Any], data: Any = None, name: str = "machine") -> str:
        arn = self.create(definition, name)
        started = self.states.start_execution(
            stateMachineArn=arn, input=json.dumps({} if data is None else data)
        )
        return started["executionArn"]

    def ended(self, execution: str, seconds: float = 10) -> dict[str, Any]:
        """The execution's description once it has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.005)
        raise AssertionError(f"{execution} still runs: {self.events(execution)}")

    def run(self, definition: dict[str, Any], data: Any = None, name: str = "machine") -> dict[str, Any]:
        return self.ended(self.start(definition, data, name))

    def output(self, definition: dict[str, Any], data: Any = None) -> Any:
        """The output of an execution, which must succeed."""
        found = self.run(definition, data)
        assert found["status"] == "SUCCEEDED", found
        return json.loads(found["output"])

    def events(self, execution: str) -> list[dict[str, Any]]:
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def types(self, execution: str) -> list[str]:
        return [event["type"] for event in self.events(execution)]

    def until(self, execution: str, event_type: str) -> None:
        """Wait until the execution's history has an event of that type."""
        end = time.monotonic() + 10
        while event_type not in self.types(execution):
            assert time.monotonic() < end, self.types(execution)
            time.sleep(0.005)


@contextmanager
def serving(folder: Path) -> Iterator[Aws]:
    """An embedded AWS that answers while the context lasts."""
    world = World(folder / "data", folder / "cache")
    server = make_server("127.0.0.1", 0, None, threaded=True, request_handler=_RequestHandler)
    world.endpoint = f"http://127.0.0.1:{server.server_port}"
    aws = Aws(world)
    server.app = Gateway([aws.sagemaker, aws.functions, aws.service])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield aws
    aws.functions.release.set()
    world.close()
    aws.service.stop()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def shared_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """One for all tests: its clients take longer to make than most tests to run."""
    with serving(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture
def aws(shared_aws: Aws) -> Iterator[Aws]:
    """An embedded AWS without state machines."""
    shared_aws.pauses.clear()
    shared_aws.sagemaker.reset()
    shared_aws.functions.reset()
    yield shared_aws
    shared_aws.functions.release.set()
    for execution in shared_aws.service._store.running():
        shared_aws.service._executor.stop(execution, None, None)
    shared_aws.service._store.machines.clear()


@pytest.fixture
def aws_to_stop(tmp_path: Path) -> Iterator[Aws]:
    """One that the test itself may stop."""
    with serving(tmp_path) as aws:
        yield aws
