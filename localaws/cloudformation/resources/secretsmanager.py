"""Resource types of Secrets Manager."""

from __future__ import annotations

import json
from typing import Any

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import Api, Props, Tags, absent_ok, given, renamed
from localaws.cloudformation.resources._moto import describe_secret

_GONE = "ResourceNotFoundException"
_TAGS = Tags("secretsmanager", "SecretId", lister="describe_secret")
_SOURCES = ("GenerateSecretString", "SecretString")
_PASSWORD = (
    "ExcludeCharacters",
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "IncludeSpace",
    "PasswordLength",
    "RequireEachIncludedType",
)
_GENERATE = {name: name for name in (*_PASSWORD, "GenerateStringKey", "SecretStringTemplate")}


class Secret(ResourceType):
    """A secret, given or generated; `Ref` is its ARN."""

    type_name = "AWS::SecretsManager::Secret"
    properties = frozenset(
        {"Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags"}
    )
    replaces = frozenset({"Name"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the secret; Secrets Manager refuses a name that exists."""
        secrets = Api(context, "secretsmanager")
        made = secrets(
            "create_secret",
            Name=props.get("Name") or context.generated_name(64),
            SecretString=_value(secrets, props),
            Tags=_TAGS.of(context, props),
            **given(props, "Description", "KmsKeyId"),
        )
        return Created(made["ARN"], {"Id": made["ARN"]})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Make a new version only where the template asks for another value."""
        secrets = Api(context, "secretsmanager")
        changed = any(old.get(name) != new.get(name) for name in _SOURCES)
        secrets(
            "update_secret",
            SecretId=physical_id,
            KmsKeyId=new.get("KmsKeyId", "alias/aws/secretsmanager"),
            SecretString=_value(secrets, new) if changed else None,
        )
        describe_secret(context.account, context.region, physical_id, new.get("Description", ""))
        _TAGS.settle(context, physical_id, new)
        return Created(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the secret at once, as CloudFormation does."""
        with absent_ok(_GONE):
            Api(context, "secretsmanager")(
                "delete_secret", SecretId=physical_id, ForceDeleteWithoutRecovery=True
            )


def _value(secrets: Api, props: Props) -> Any:
    """The value given, or one generated as the template wants it, alone or inside a JSON object."""
    if "GenerateSecretString" not in props:
        return props.get("SecretString")
    if "SecretString" in props:
        raise ResourceFailed("Either SecretString or GenerateSecretString may be given, not both")
    wanted = renamed("GenerateSecretString", props["GenerateSecretString"], _GENERATE)
    password = secrets("get_random_password", **given(wanted, *_PASSWORD))["RandomPassword"]
    if "SecretStringTemplate" not in wanted:
        return password
    return json.dumps({**json.loads(wanted["SecretStringTemplate"]), wanted["GenerateStringKey"]: password})


TYPES: tuple[type[ResourceType], ...] = (Secret,)
