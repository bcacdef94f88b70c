"""What goes wrong in a command, in words that say what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
)

from atelier import embedded
from atelier.spec import SpecError

THROTTLED = {
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
}
SIGNED_OUT = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "UnrecognizedClientException",
}
FORBIDDEN = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


class CliError(Exception):
    """A command cannot do what was asked; the message says why and what to do."""


def explained(error: Exception) -> str | None:
    """A message for people, or None for an error that is a bug of ours."""
    if isinstance(error, CliError | SpecError):
        return str(error)
    if isinstance(error, ClientError):
        return _of_aws(error)
    for kinds, explain in _OF_BOTOCORE:
        if isinstance(error, kinds):
            return explain(error)
    return None


def code(error: ClientError) -> str:
    """The code of an error that AWS answered, such as ThrottlingException."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: ClientError) -> str:
    """The text of an error that AWS answered."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_embedded() -> bool:
    """Whether what answers is the embedded AWS: on this machine there is no other."""
    return urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in {"127.0.0.1", "localhost"}


def point_at_embedded() -> str:
    """How to reach the embedded AWS that `atelier up` serves; empty if none does, or AWS is elsewhere."""
    running = embedded.find(embedded.STATE / "data")
    if running is None or os.environ.get("AWS_ENDPOINT_URL"):
        return ""
    return (
        f"\nAn embedded AWS answers on {running.endpoint}: to use it, paste the export lines that "
        "`atelier up` printed into this shell."
    )


def _of_aws(error: ClientError) -> str:
    operation = error.operation_name
    if code(error) in THROTTLED:
        return f"AWS is throttling {operation}: try again in a minute"
    if code(error) in SIGNED_OUT:
        return f"AWS does not accept the credentials ({message(error)}): sign in again"
    if code(error) in FORBIDDEN:
        return f"these credentials may not call {operation}: {message(error)}"
    return f"AWS refused {operation}: {code(error)}: {message(error)}"


def _no_credentials(_: Exception) -> str:
    return (
        "no AWS credentials: sign in (aws sso login, aws configure), or set AWS_PROFILE, or start an "
        f"embedded AWS with `atelier up`{point_at_embedded()}"
    )


def _no_answer(error: Exception) -> str:
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return f"nothing answers on {endpoint} (AWS_ENDPOINT_URL): start it with `atelier up`, or unset it"
    return f"AWS does not answer: {error}"


_OF_BOTOCORE: tuple[tuple[tuple[type[Exception], ...], Callable[[Exception], str]], ...] = (
    ((NoCredentialsError, PartialCredentialsError, CredentialRetrievalError), _no_credentials),
    ((ProfileNotFound,), lambda error: f"{error}: set AWS_PROFILE to one of ~/.aws/config"),
    ((SSOError,), lambda error: f"{error}: run aws sso login"),
    ((EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError), _no_answer),
    ((BotoCoreError,), str),
)
