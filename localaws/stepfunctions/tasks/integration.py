"""A Task whose Resource is a service integration: `arn:aws:states:::<service>:<action>[.pattern]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.stepfunctions.errors import HEARTBEAT_TIMEOUT, TIMEOUT, StateError
from localaws.stepfunctions.jsontext import within_limit
from localaws.stepfunctions.tasks import functions
from localaws.stepfunctions.tasks.jobs import Waiting
from localaws.stepfunctions.tasks.sdk import Operation
from localaws.stepfunctions.tasks.shapes import problems_in
from localaws.stepfunctions.tasks.task import TaskRun
from localaws.world import World

_NOT_TRUNCATED = {"truncated": False}


@dataclass(frozen=True)
class IntegrationTask:
    """A call of an AWS operation, and what is waited for after it.

    `resource_type` and `resource` are what the history calls it: `sagemaker` and `createTrainingJob.sync`.
    """

    resource_type: str
    resource: str
    operation: Operation
    job: Waiting | None = None
    waits_for_token: bool = False

    @property
    def _optimised(self) -> bool:
        return not self.resource_type.startswith("aws-sdk:")

    def problems(self, arguments: Any) -> Iterator[tuple[str, str]]:
        """The arguments that the operation does not take, and those that it lacks."""
        return problems_in(self.operation.model.input_shape, arguments, "")

    def prepare(self, world: World, account: str, region: str) -> None:
        """Make the client."""
        world.client(self.operation.service, account, region)

    def run(self, run: TaskRun) -> Any:
        """Call the operation, wait for its job or callback, and write the events of it."""
        about = {"resourceType": self.resource_type, "resource": self.resource}
        scheduled = {
            **about,
            "region": run.region,
            "parameters": within_limit(run.arguments, "The task's arguments"),
            "timeoutInSeconds": None if run.timeout is None else int(run.timeout),
            "heartbeatInSeconds": None if run.heartbeat is None else int(run.heartbeat),
        }
        run.trail.add("TaskScheduled", scheduled)
        run.trail.add("TaskStarted", about)
        try:
            result = self._result(run, about)
            output = within_limit(result, "The task's result")
        except TimeoutError as error:
            run.trail.add("TaskTimedOut", {**about, "error": TIMEOUT})
            raise StateError(TIMEOUT) from error
        except StateError as error:
            event = "TaskTimedOut" if error.error == HEARTBEAT_TIMEOUT else "TaskFailed"
            run.trail.add(event, {**about, "error": error.error, "cause": error.cause})
            error.placed = True
            raise
        finally:
            if run.token is not None:
                run.tokens.withdraw(run.token)
        run.trail.add("TaskSucceeded", {**about, "output": output, "outputDetails": _NOT_TRUNCATED})
        return result

    def _result(self, run: TaskRun, about: Mapping[str, Any]) -> Any:
        request = self.operation.request(run.arguments)
        response = run.scope.call(lambda: self._send(run, request), run.left())
        result = self._described(response)
        if self.job is None and run.token is None:
            return result
        submitted = within_limit(result, "The service's answer")
        run.trail.add("TaskSubmitted", {**about, "output": submitted, "outputDetails": _NOT_TRUNCATED})
        if self.job is not None:
            return self.job.until_done(run, request, response)
        return run.tokens.callback(str(run.token)).wait(run.left(), run.heartbeat)

    def _send(self, run: TaskRun, request: Mapping[str, Any]) -> dict[str, Any]:
        client = run.client(self.operation.service)
        if self._optimised and self.operation.service == "lambda":
            return functions.invoke(self.operation, client, request)
        return self.operation.send(client, request)

    def _described(self, response: Mapping[str, Any]) -> dict[str, Any]:
        if not self._optimised:
            return self.operation.result(response)
        about = response.get("ResponseMetadata", {})
        headers = about.get("HTTPHeaders", {})
        described = {
            **self.operation.result({key: value for key, value in response.items() if key != "Payload"}),
            "SdkHttpMetadata": {
                "AllHttpHeaders": {name: [value] for name, value in headers.items()},
                "HttpHeaders": headers,
                "HttpStatusCode": about.get("HTTPStatusCode"),
            },
            "SdkResponseMetadata": {"RequestId": about.get("RequestId")},
        }
        if response.get("FailedEntryCount"):
            raise StateError(
                f"{self.operation.prefix}.FailedEntry", within_limit(described, "The service's answer")
            )
        return {**described, "Payload": response["Payload"]} if "Payload" in response else described
