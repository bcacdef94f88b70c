"""Resource types of AWS Lambda."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Props,
    Tags,
    absent_ok,
    differ,
    given,
    refuse_taken,
    undone_on_failure,
)

_GONE = "ResourceNotFoundException"
_TAGS = Tags("lambda", "Resource", pair=None, lister="list_tags")
# What UpdateFunctionConfiguration takes, with the value that stands for the property's absence.
_DEFAULTS: Mapping[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "KmsKeyArn": "",
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
_REQUIRED = ("Handler", "Role", "Runtime")
# Beside inline code, by the start of the runtime's name: the file it is put in, and AWS's helper.
_INLINE = {"python": ("index.py", "cfnresponse.py"), "nodejs": ("index.js", "cfn-response.js")}


def _code(props: Props) -> dict[str, Any]:
    """Where the code is, as the API takes it: inline code is packed as AWS packs it."""
    code = dict(props["Code"])
    if "ZipFile" not in code:
        return code
    runtime = str(props.get("Runtime", ""))
    for family, (name, helper) in _INLINE.items():
        if runtime.startswith(family):
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                helper_text = (Path(__file__).parent / "inline" / helper).read_text()
                for member, text in ((name, code["ZipFile"]), (helper, helper_text)):
                    # A fixed time, so that the same code has the same checksum.
                    archive.writestr(zipfile.ZipInfo(member), text)
            return {"ZipFile": packed.getvalue()}
    raise ResourceFailed(f"Code.ZipFile: inline code is for Python and Node.js, not {runtime!r}")


class Function(ResourceType):
    """A function from a zip in S3 or from inline code."""

    type_name = "AWS::Lambda::Function"
    properties = frozenset({*_DEFAULTS, *_REQUIRED, "Architectures", "Code", "FunctionName"}) | {
        "PackageType",
        "ReservedConcurrentExecutions",
        "Tags",
    }
    ignored: ClassVar[Mapping[str, str]] = {
        "RecursiveLoop": "functions that call themselves in a loop are not looked for",
        "RuntimeManagementConfig": "the interpreters of this machine run every function",
    }
    replaces = frozenset({"FunctionName", "PackageType"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the function; Lambda refuses a name that exists."""
        api = Api(context, "lambda")
        name = props.get("FunctionName") or context.generated_name(64)
        made = api(
            "create_function",
            FunctionName=name,
            Code=_code(props),
            Tags=_TAGS.of(context, props),
            **given(props, *_REQUIRED, *_DEFAULTS, "Architectures", "PackageType"),
        )
        with undone_on_failure(self, context, name, props):
            self._reserve(api, name, {}, props)
        return self._described(name, made)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Replace code and settings where they differ."""
        api = Api(context, "lambda")
        # How inline code is packed depends on the runtime.
        packing = ("Runtime",) if "ZipFile" in new["Code"] else ()
        if differ(old, new, "Architectures", "Code", *packing):
            architectures = new.get("Architectures", ["x86_64"])
            api(
                "update_function_code",
                FunctionName=physical_id,
                Architectures=architectures,
                **_code(new),
            )
        if differ(old, new, *_REQUIRED, *_DEFAULTS):
            settings = {**_DEFAULTS, **given(new, *_REQUIRED, *_DEFAULTS)}
            api("update_function_configuration", FunctionName=physical_id, **settings)
        self._reserve(api, physical_id, old, new)
        made = api("get_function_configuration", FunctionName=physical_id)
        created = self._described(physical_id, made)
        _TAGS.settle(context, created.attributes["Arn"], new)
        return created

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the function with what belongs to it; its log group stays."""
        with absent_ok(_GONE):
            Api(context, "lambda")("delete_function", FunctionName=physical_id)

    @staticmethod
    def _reserve(api: Api, name: str, old: Props, new: Props) -> None:
        reserved = new.get("ReservedConcurrentExecutions")
        if reserved is not None:
            api("put_function_concurrency", FunctionName=name, ReservedConcurrentExecutions=reserved)
        elif old.get("ReservedConcurrentExecutions") is not None:
            api("delete_function_concurrency", FunctionName=name)

    @staticmethod
    def _described(name: str, made: Mapping[str, Any]) -> Created:
        snap_start = made.get("SnapStart") or {"ApplyOn": "None", "OptimizationStatus": "Off"}
        return Created(
            name,
            {
                "Arn": made["FunctionArn"],
                **{f"SnapStartResponse.{field}": value for field, value in snap_start.items()},
            },
        )


class Permission(ResourceType):
    """One statement of a function's policy; every change makes a new one."""

    type_name = "AWS::Lambda::Permission"
    properties = frozenset(
        {"Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "Principal"}
        | {"PrincipalOrgID", "SourceAccount", "SourceArn"}
    )
    replaces = properties

    def create(self, context: Context, props: Props) -> Created:
        """Add the statement."""
        statement = context.generated_name(100)
        Api(context, "lambda")("add_permission", StatementId=statement, **props)
        return Created(statement, {"Id": statement})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Take the statement away."""
        with absent_ok(_GONE):
            Api(context, "lambda")(
                "remove_permission", FunctionName=props["FunctionName"], StatementId=physical_id
            )


class EventInvokeConfig(ResourceType):
    """How a function's asynchronous events are retried and reported."""

    type_name = "AWS::Lambda::EventInvokeConfig"
    properties = frozenset(
        {"DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"}
    )
    replaces = frozenset({"FunctionName", "Qualifier"})

    def create(self, context: Context, props: Props) -> Created:
        """Put the configuration on a function that has none."""
        target = given(props, "FunctionName", "Qualifier")
        physical_id = f"{props['FunctionName']}|{props['Qualifier']}"
        taken = Api(context, "lambda").has("get_function_event_invoke_config", _GONE, **target)
        refuse_taken(f"The EventInvokeConfig {physical_id}", taken=taken)
        return self.update(context, physical_id, {}, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put it anew; what the template leaves out is AWS's default."""
        Api(context, "lambda")("put_function_event_invoke_config", **new)
        return Created(physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Back to AWS's defaults."""
        target = given(props, "FunctionName", "Qualifier")
        with absent_ok(_GONE):
            Api(context, "lambda")("delete_function_event_invoke_config", **target)


TYPES: tuple[type[ResourceType], ...] = (Function, Permission, EventInvokeConfig)
