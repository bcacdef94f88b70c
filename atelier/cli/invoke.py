"""`atelier invoke`: send an endpoint a request."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.errors import CliError
from atelier.cli.target import EnvOption, Target, TeamOption, choose_target
from atelier.spec import names
from atelier.spec.problems import choose

STANDARD_INPUT = "-"


def invoke(
    endpoint: Annotated[str, typer.Argument(help="An endpoint of the team.")],
    team: TeamOption = None,
    env: EnvOption = None,
    body: Annotated[str | None, typer.Option(help="The request; the team file's sample, if omitted.")] = None,
    file: Annotated[
        str | None, typer.Option(help="A file that holds the request; - is standard input.")
    ] = None,
    content_type: Annotated[
        str | None, typer.Option(help="The request's format; the sample's, else application/json.")
    ] = None,
    accept: Annotated[
        str | None, typer.Option(help="The answer's format; the request's, if omitted.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option(help="The production variant to ask; one by their weights, if omitted.")
    ] = None,
) -> None:
    """Send an endpoint a request and print its answer.

    Exits with 1, and the container's message, when the endpoint answers with an error.
    """
    target = choose_target(team, env)
    target.check_endpoint(endpoint)
    sample = target.spec.endpoints[endpoint].sample
    sent_as = content_type or (sample.content_type if sample else "application/json")
    request = _request(target, endpoint, body, file)
    if not request:
        raise CliError(
            "the request is empty: give one with --body or --file, or omit both to send the sample"
        )
    formats = {"ContentType": sent_as, "Accept": accept or sent_as}
    if variant is not None:
        served = target.spec.endpoints[endpoint].served
        if variant not in served:
            raise CliError(
                f"endpoint {endpoint} has no variant {variant}: {choose(variant, served, nothing='')}"
            )
        formats["TargetVariant"] = variant
    answer = _ask(target, endpoint, request, formats)
    # As it came: an answer may be of any format.
    sys.stdout.buffer.write(answer if answer.endswith(b"\n") else answer + b"\n")
    sys.stdout.flush()


def _request(target: Target, endpoint: str, body: str | None, file: str | None) -> bytes:
    sample = target.spec.endpoints[endpoint].sample
    if body is not None and file is not None:
        raise CliError("--body and --file are both given: which one is the request?")
    if body is not None:
        return body.encode()
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    if file is not None:
        try:
            return Path(file).read_bytes()
        except OSError as error:
            raise CliError(f"{file}: {error.strerror}") from error
    if sample is None:
        raise CliError(f"endpoint {endpoint} declares no sample: give the request with --body or --file")
    return sample.body.encode()


def _ask(target: Target, endpoint: str, request: bytes, formats: Mapping[str, str]) -> bytes:
    name = names.endpoint(target.spec.team, target.spec.name, endpoint)
    try:
        answer = target.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=request, **formats
        )
    except ClientError as error:
        if errors.code(error) == "ModelError":
            status = error.response.get("OriginalStatusCode")
            said = error.response.get("OriginalMessage") or errors.message(error)
            raise CliError(f"endpoint {name} answered {status}: {said}") from error
        if "not found" in errors.message(error):
            job = target.spec.endpoints[endpoint].job
            raise CliError(
                f"endpoint {name} is not there: it is made when a model of job {job} has been approved; "
                f"`atelier runs {job}` shows how far that is"
            ) from error
        raise
    content: bytes = answer["Body"].read()
    return content
