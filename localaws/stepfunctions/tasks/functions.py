"""Lambda functions, by their own ARN or through `lambda:invoke`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from localaws.stepfunctions.errors import TIMEOUT, StateError
from localaws.stepfunctions.jsontext import within_limit
from localaws.stepfunctions.tasks.sdk import Operation
from localaws.stepfunctions.tasks.shapes import json_or_text
from localaws.stepfunctions.tasks.task import TaskRun
from localaws.world import World


def invoke(operation: Operation, client: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """The response of Invoke with its payload as JSON; a function's own error becomes a `StateError`."""
    response = operation.send(client, request)
    text = response["Payload"].read().decode() if "Payload" in response else ""
    if response.get("FunctionError"):
        payload = json_or_text(text)
        name = payload.get("errorType") if isinstance(payload, dict) else None
        raise StateError(name or "Lambda.Unknown", text)
    return {**response, "Payload": json_or_text(text) if text else None}


class FunctionTask:
    """A Task whose Resource is the ARN of a Lambda function: its result is what the function returns."""

    waits_for_token = False

    def __init__(self, arn: str, operation: Operation) -> None:
        self._arn = arn
        self._operation = operation

    def problems(self, arguments: Any) -> Iterator[tuple[str, str]]:  # noqa: ARG002 -- a function takes any JSON
        """Nothing: a function takes any JSON."""
        return iter(())

    def prepare(self, world: World, account: str, region: str) -> None:
        """Make the client."""
        world.client("lambda", account, region)

    def run(self, run: TaskRun) -> Any:
        """Invoke it with the arguments as payload."""
        text = within_limit(run.arguments, "The function's payload")
        scheduled = {
            "resource": self._arn,
            "input": text,
            "inputDetails": {"truncated": False},
            "timeoutInSeconds": None if run.timeout is None else int(run.timeout),
        }
        run.trail.add("LambdaFunctionScheduled", scheduled)
        run.trail.add("LambdaFunctionStarted")
        request = {"FunctionName": self._arn, "Payload": text.encode()}
        try:
            response = run.scope.call(
                lambda: invoke(self._operation, run.client("lambda"), request), run.left()
            )
        except TimeoutError as error:
            run.trail.add("LambdaFunctionTimedOut", {"error": TIMEOUT})
            raise StateError(TIMEOUT) from error
        except StateError as error:
            run.trail.add("LambdaFunctionFailed", {"error": error.error, "cause": error.cause})
            error.placed = True
            raise
        result = response["Payload"]
        output = within_limit(result, "The function's result")
        run.trail.add("LambdaFunctionSucceeded", {"output": output, "outputDetails": {"truncated": False}})
        return result
