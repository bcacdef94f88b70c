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

    def invoke(self, name: str, variant: str, content_type: str, body: str) -> tuple[int, str]:
        """The status and body of the answer of a variant; of any, where that is empty."""
        ...


class SageMakerEndpoint:
    """The real one."""

    def invoke(self, name: str, variant: str, content_type: str, body: str) -> tuple[int, str]:
        """Ask; an answer that the model's container gave as an error is an answer too."""
        try:
            answer = client("sagemaker-runtime").invoke_endpoint(
                EndpointName=name,
                ContentType=content_type,
                Body=body.encode(),
                **({"TargetVariant": variant} if variant else {}),
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

    With `variants` each of them is asked by its name; the answer is the first one's.

    Raises:
        SmokeTestFailed: the answer's status is not 200, or it is empty.
    """
    answers = [_ask(endpoint, event, variant) for variant in event.get("variants", [""])]
    return answers[0]


def _ask(endpoint: Endpoint, event: Mapping[str, Any], variant: str) -> dict[str, Any]:
    name = event["endpoint"]
    status, answer = endpoint.invoke(name, variant, event["contentType"], event["body"])
    log.info("answered", endpoint=name, variant=variant, status=status, answer=answer[:SHOWN])
    who = f"variant {variant} of endpoint {name}" if variant else f"endpoint {name}"
    if status != 200:  # noqa: PLR2004 -- HTTP's OK
        raise SmokeTestFailed(f"{who} answered {status} to its sample: {answer[:SHOWN]}")
    if not answer.strip():
        raise SmokeTestFailed(f"{who} answered its sample with an empty body")
    return {"status": status, "answer": answer[:SHOWN]}
