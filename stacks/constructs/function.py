"""A Lambda function whose code is one of the folders of lambdas/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.constructs.role import service_role

PROJECT = Path(__file__).parents[2]
ENVIRONMENT_LIMIT_BYTES = 4096
LOG_RETENTION = logs.RetentionDays.THREE_MONTHS


@dataclass(frozen=True, kw_only=True)
class LambdaFunctionProps:
    """What tells one function from another."""

    spec: TeamEnvironment
    verb_noun: str
    """The folder below lambdas/ whose handler.py holds `handler`."""
    description: str
    key: kms.IKey
    """Encrypts the log group."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The `to_environment()` of the function's settings."""
    timeout_seconds: int = 30
    memory_mb: int = 256


class LambdaFunction(lambda_.Function):
    """A function with a role and a log group of its own; grant what it may do to the function itself."""

    def __init__(self, scope: Construct, id_: str, props: LambdaFunctionProps) -> None:
        name = names.function(props.spec.team, props.spec.name, props.verb_noun)
        _check_environment(name, props.environment)
        role = service_role(
            scope, f"{id_}Role", service="lambda.amazonaws.com", description=f"Runs the function {name}"
        )
        log_group = _log_group(scope, f"{id_}Logs", name, props.key)
        log_group.grant_write(role)
        super().__init__(
            scope,
            id_,
            function_name=name,
            description=props.description,
            code=_code(),
            handler=f"lambdas.{props.verb_noun}.handler.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            # Pure Python runs on either; arm64 costs a fifth less for the same memory and time.
            architecture=lambda_.Architecture.ARM_64,
            role=role,
            log_group=log_group,
            environment=dict(props.environment),
            timeout=cdk.Duration.seconds(props.timeout_seconds),
            memory_size=props.memory_mb,
            tracing=lambda_.Tracing.ACTIVE,
        )


def _code() -> lambda_.Code:
    """All of lambdas/ and nothing else: one asset for all functions, the same wherever it is built."""
    return lambda_.Code.from_asset(
        str(PROJECT),
        exclude=["/*", "!/lambdas", "__pycache__", "*.pyc"],
        ignore_mode=cdk.IgnoreMode.GIT,
    )


def _log_group(scope: Construct, id_: str, function_name: str, key: kms.IKey) -> logs.LogGroup:
    return logs.LogGroup(
        scope,
        id_,
        log_group_name=f"/aws/lambda/{function_name}",
        retention=LOG_RETENTION,
        encryption_key=key,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def _check_environment(name: str, environment: Mapping[str, str]) -> None:
    """Refuse what Lambda would refuse while deploying; a value that is a token counts as it stands."""
    size = sum(len(key.encode()) + len(value.encode()) for key, value in environment.items())
    if size > ENVIRONMENT_LIMIT_BYTES:
        largest = max(environment, key=lambda key: len(environment[key]))
        raise ValueError(
            f"function {name}: its environment has {size} bytes and Lambda allows {ENVIRONMENT_LIMIT_BYTES};"
            f" the largest is {largest} with {len(environment[largest])} characters:"
            f" move it into an SSM parameter or an object in the artifacts bucket"
        )
