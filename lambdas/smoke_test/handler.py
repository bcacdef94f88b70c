"""Asks a newly deployed endpoint its sample question; the deployment stands only when it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lambdas.shared.clients import client
from lambdas.shared.logs import Log

SHOWN = 1000  # characters of an answer that are kept

log = Log("smoke_test")


class SmokeTestFailed(Exception):
    """The endpoint answered with an error, or with nothing."""


class Endpoint(Protocol):
    """What the function needs of SageMaker."""

    def invoke(self, name: str, content_type: str, body: str) -> tuple[int, str]:
        """The status and body of the endpoint's answer."""
        ...


class SageMakerEndpoint:
    """The real one."""

    def invoke(self, name: str, content_type: str, body: str) -> tuple[int, str]:
        """Ask; an answer that the model's container gave as an error is an answer too."""
        try:
            answer = client("sagemaker-runtime").invoke_endpoint(
                EndpointName=name, ContentType=content_type, Body=body.encode()
            )
        except ClientError as error:
            status = error.response.get("OriginalStatusCode")
            if status is None:
                raise
            return status, str(error.response.get("OriginalMessage", error))
        return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Body"].read().decode(errors="replace")


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point, called by the deployment's state machine."""
    return respond(event, SageMakerEndpoint())


def respond(event: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Send the sample of `event` (`endpoint`, `contentType`, `body`) and return `status` and `answer`.

    Raises:
        SmokeTestFailed: the answer's status is not 200, or it is empty.
    """
    name = event["endpoint"]
    status, answer = endpoint.invoke(name, event["contentType"], event["body"])
    log.info("answered", endpoint=name, status=status, answer=answer[:SHOWN])
    if status != 200:  # noqa: PLR2004 -- HTTP's OK
        raise SmokeTestFailed(f"endpoint {name} answered {status} to its sample: {answer[:SHOWN]}")
    if not answer.strip():
        raise SmokeTestFailed(f"endpoint {name} answered its sample with an empty body")
    return {"status": status, "answer": answer[:SHOWN]}
