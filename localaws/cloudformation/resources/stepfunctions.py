"""Resource types of AWS Step Functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Props,
    Tags,
    absent_ok,
    differ,
    given,
    partition,
    refuse_taken,
)

_GONE = "StateMachineDoesNotExist"
_TAGS = Tags("stepfunctions", "resourceArn", tags="tags", keys="tagKeys", pair=("key", "value"))
_SOURCES = ("Definition", "DefinitionS3Location", "DefinitionString")
_DEFAULTS: Mapping[str, Any] = {
    "LoggingConfiguration": {"Level": "OFF", "IncludeExecutionData": False},
    "TracingConfiguration": {"Enabled": False},
    "EncryptionConfiguration": {"Type": "AWS_OWNED_KEY"},
}


class StateMachine(ResourceType):
    """A state machine; `Ref` is its ARN."""

    type_name = "AWS::StepFunctions::StateMachine"
    properties = frozenset(
        {*_SOURCES, *_DEFAULTS, "DefinitionSubstitutions", "RoleArn", "StateMachineName"}
        | {"StateMachineType", "Tags"}
    )
    replaces = frozenset({"StateMachineName", "StateMachineType"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the state machine under a name that is free."""
        states = Api(context, "stepfunctions")
        name = props.get("StateMachineName") or context.generated_name(80)
        where = f"arn:{partition(context.region)}:states:{context.region}:{context.account}"
        arn = f"{where}:stateMachine:{name}"
        taken = states.has("describe_state_machine", _GONE, stateMachineArn=arn)
        refuse_taken(name, taken=taken)
        states(
            "create_state_machine",
            name=name,
            definition=_definition(context, props),
            type=props.get("StateMachineType", "STANDARD"),
            tags=_TAGS.of(context, props),
            **given(props, "RoleArn", *_DEFAULTS),
        )
        return self._described(states, arn)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Replace the definition and settings; running executions keep the old definition."""
        states = Api(context, "stepfunctions")
        if differ(old, new, *self.properties - {"Tags"}):
            states(
                "update_state_machine",
                stateMachineArn=physical_id,
                definition=_definition(context, new),
                roleArn=new["RoleArn"],
                **{**_DEFAULTS, **given(new, *_DEFAULTS)},
            )
        _TAGS.settle(context, physical_id, new)
        return self._described(states, physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the state machine; Step Functions ends its executions."""
        with absent_ok(_GONE):
            Api(context, "stepfunctions")("delete_state_machine", stateMachineArn=physical_id)

    @staticmethod
    def _described(states: Api, arn: str) -> Created:
        found = states("describe_state_machine", stateMachineArn=arn)
        revision = found.get("revisionId") or "INITIAL"
        return Created(arn, {"Arn": arn, "Name": found["name"], "StateMachineRevisionId": revision})


def _definition(context: Context, props: Props) -> str:
    """The definition as text, from whichever source the template gives, substitutions filled in."""
    given_sources = [name for name in _SOURCES if props.get(name)]
    if len(given_sources) != 1:
        raise ResourceFailed(f"Exactly one of {', '.join(_SOURCES)} must be given, not {given_sources}")
    (source,) = given_sources
    value = props[source]
    if source == "DefinitionS3Location":
        text = _stored(context, value)
    else:
        text = value if isinstance(value, str) else json.dumps(value)
    substitutes = props.get("DefinitionSubstitutions") or {}

    def substitute(match: re.Match[str]) -> str:
        value = substitutes.get(match[1], match[0])
        return value if isinstance(value, str) else json.dumps(value)

    return re.sub(r"\$\{([A-Za-z0-9_-]+)\}", substitute, text)


def _stored(context: Context, location: Mapping[str, str]) -> str:
    """A definition that lies in a bucket, as JSON or YAML."""
    found = Api(context, "s3")(
        "get_object", Bucket=location["Bucket"], Key=location["Key"], VersionId=location.get("Version")
    )
    text = str(found["Body"].read().decode())
    if location["Key"].endswith((".yaml", ".yml")):
        return json.dumps(yaml.safe_load(text))
    return text


TYPES: tuple[type[ResourceType], ...] = (StateMachine,)
