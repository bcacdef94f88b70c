"""A function: its settings, checked as AWS checks them, and what else belongs to it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from localaws.lambda_.code import Code
from localaws.service import AwsError, Call, NotEmulated

if TYPE_CHECKING:
    from localaws.lambda_.pool import Pool

_DEFAULTS: Mapping[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "PackageType": "Zip",
    "Architectures": ["x86_64"],
    "EphemeralStorage": {"Size": 512},
    "TracingConfig": {"Mode": "PassThrough"},
}
# What a request may carry that would change how the function runs, and does not here.
_NOT_EMULATED = (
    "Layers", "FileSystemConfigs", "ImageConfig", "CodeSigningConfigArn", "CapacityProviderConfig",
    "DurableConfig", "TenancyConfig", "AcceleratorConfig", "RuntimeConfig", "PublishTo",
)  # fmt: skip
_SETTINGS = frozenset({
    "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "VpcConfig", "PackageType",
    "DeadLetterConfig", "Environment", "KMSKeyArn", "TracingConfig", "Architectures", "EphemeralStorage",
    "LoggingConfig", "SnapStart",
})  # fmt: skip
_RANGES = {"Timeout": ("timeout", 1, 900), "MemorySize": ("memorySize", 128, 10240)}
_RESERVED = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
})  # fmt: skip
_MAX_ENVIRONMENT = 4096
_IDENTIFIER = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_-]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?"
)


@dataclass(frozen=True)
class Identifier:
    """Which function a request means."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """The function's ARN, without a version."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @classmethod
    def parse(cls, call: Call, text: str, qualifier: str | None = None) -> Identifier:
        """From a name, a partial or a full ARN; a version other than $LATEST is not emulated."""
        match = _IDENTIFIER.fullmatch(text)
        if match is None:
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy "
                f"constraint: Member must satisfy regular expression pattern: {_IDENTIFIER.pattern}",
            )
        version = match["qualifier"] or qualifier or "$LATEST"
        if version != "$LATEST":
            raise NotEmulated(f"Version or alias {version} of a Lambda function")
        return cls(match["account"] or call.account, match["region"] or call.region, match["name"])


@dataclass(frozen=True)
class Deployment:
    """What workers start from; every change of code or settings makes another."""

    identifier: Identifier
    settings: Mapping[str, Any]
    code: Code

    @property
    def log_group(self) -> str:
        """The CloudWatch log group that the function writes to."""
        named = self.settings.get("LoggingConfig", {}).get("LogGroup")
        return str(named or f"/aws/lambda/{self.identifier.name}")

    @property
    def json_logs(self) -> bool:
        """Whether its log lines are JSON rather than text."""
        return bool(self.settings.get("LoggingConfig", {}).get("LogFormat") == "JSON")


@dataclass
class Function:
    """One function and its neighbours."""

    deployment: Deployment
    pool: Pool
    tags: dict[str, str] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    event_invoke: dict[str, Any] | None = None
    statements: list[dict[str, Any]] = field(default_factory=list)
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    modified: str = field(default_factory=lambda: utc_now().replace("Z", "+0000"))
    in_flight: int = 0
    """Events that run now."""

    def replace(self, deployment: Deployment, pool: Pool) -> None:
        """Take over new code or settings; the workers of the old ones retire."""
        retired, self.pool = self.pool, pool
        self.deployment = deployment
        self.revision, self.modified = str(uuid.uuid4()), utc_now().replace("Z", "+0000")
        retired.retire()

    def check_revision(self, expected: str | None) -> None:
        """Refuse a change that was meant for another state of the function."""
        if expected is not None and expected != self.revision:
            raise AwsError(
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. Call the "
                "GetFunction/GetAlias API to retrieve the latest Revision Id",
                412,
            )

    def describe(self) -> dict[str, Any]:
        """The FunctionConfiguration that AWS shows."""
        deployment = self.deployment
        settings = deployment.settings
        shown = {
            name: value for name, value in settings.items() if name not in ("LoggingConfig", "SnapStart")
        }
        if "VpcConfig" in settings:
            shown["VpcConfig"] = {
                "SubnetIds": [],
                "SecurityGroupIds": [],
                "VpcId": "",
                **settings["VpcConfig"],
            }
        return {
            **shown,
            "FunctionName": deployment.identifier.name,
            "FunctionArn": deployment.identifier.arn,
            "CodeSize": deployment.code.size,
            "CodeSha256": deployment.code.sha256,
            "LastModified": self.modified,
            "Version": "$LATEST",
            "RevisionId": self.revision,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {
                "LogFormat": "Text",
                **settings.get("LoggingConfig", {}),
                "LogGroup": deployment.log_group,
            },
        }


def utc_now() -> str:
    """Now, as Lambda writes it in logs and records."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def checked_settings(params: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings in a request over `old` ones (or over AWS's defaults); raises what AWS raises."""
    for name in _NOT_EMULATED:
        if params.get(name):
            raise NotEmulated(f"The property {name} of a Lambda function")
    if params.get("PackageType") == "Image":
        raise NotEmulated("A Lambda function from a container image")
    if params.get("SnapStart", {}).get("ApplyOn", "None") != "None":
        raise NotEmulated("SnapStart of a Lambda function")
    given = {name: value for name, value in params.items() if name in _SETTINGS}
    settings = {**(_DEFAULTS if old is None else old), **given}
    if "Runtime" not in settings or "Handler" not in settings:
        raise AwsError(
            "InvalidParameterValueException",
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        )
    for name, (shown, low, high) in _RANGES.items():
        if not low <= settings[name] <= high:
            bound = (
                f"greater than or equal to {low}" if settings[name] < low else f"less than or equal to {high}"
            )
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value '{settings[name]}' at '{shown}' failed to satisfy "
                f"constraint: Member must have value {bound}",
            )
    _check_environment(settings.get("Environment", {}).get("Variables", {}))
    return settings


def check_name(name: str) -> None:
    """Refuse a name that CreateFunction refuses."""
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64 and satisfy regular expression pattern: "
            "[a-zA-Z0-9-_]+",
        )


def _check_environment(variables: Mapping[str, str]) -> None:
    problem = (
        "Lambda was unable to configure your environment variables because the environment variables "
        "you have provided"
    )
    reserved = sorted(_RESERVED & variables.keys())
    if reserved:
        raise AwsError(
            "InvalidParameterValueException",
            f"{problem} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}",
        )
    invalid = [name for name in variables if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]+", name)]
    if invalid:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: the keys {invalid} at 'environment.variables' failed to satisfy "
            "constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "
            "[a-zA-Z]([a-zA-Z0-9_])+]",
        )
    size = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    if size > _MAX_ENVIRONMENT:
        raise AwsError(
            "InvalidParameterValueException",
            f"{problem} exceeded the 4KB limit. String measured: {size} bytes",
        )
