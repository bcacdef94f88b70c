"""What the functions of a template see: parameters, resources, exports, and values kept elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from moto.utilities.utils import get_partition

from localaws.cloudformation.functions import UNKNOWN
from localaws.cloudformation.model import Resource
from localaws.cloudformation.parameters import HIDDEN, Parameter
from localaws.cloudformation.template import TemplateError
from localaws.world import World

_SECRETS = frozenset({"secretsmanager", "ssm-secure"})


@dataclass(frozen=True)
class Place:
    """Where a stack lives, and what it can ask there."""

    world: World
    account: str
    region: str
    stack_name: str
    stack_id: str
    exports: Callable[[], Mapping[str, str]]
    """Every export of the account and region, with its value."""
    outputs: Callable[[str, str], Mapping[str, str]]
    """The outputs of a stack of the account, by its name and region; raises TemplateError without one."""

    def client(self, service: str) -> Any:
        """A boto3 client that acts in the stack's account and region."""
        return self.world.client(service, self.account, self.region)

    def read_ssm(self, name: str) -> str:
        """The text of a Parameter Store parameter; raises TemplateError when there is none."""
        try:
            found = self.client("ssm").get_parameter(Name=name, WithDecryption=True)
        except ClientError as error:
            raise TemplateError(
                f"Unable to fetch parameters [{name}] from parameter store for this account."
            ) from error
        return str(found["Parameter"]["Value"])

    def pseudo(self) -> dict[str, Any]:
        """The pseudo parameters."""
        partition = get_partition(self.region)
        return {
            "AWS::AccountId": self.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": partition,
            "AWS::Region": self.region,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        }


class ParameterScope:
    """What conditions and rules see: parameters and pseudo parameters.

    With `reveal` off, what must not be echoed stays hidden: such values are for descriptions only.
    """

    def __init__(self, place: Place, parameters: Mapping[str, Parameter], *, reveal: bool = True) -> None:
        self.place = place
        self._reveal = reveal
        self._names = place.pseudo()
        for name, parameter in parameters.items():
            self._names[name] = parameter.value if reveal or not parameter.no_echo else HIDDEN

    def ref(self, name: str) -> Any:
        """The value of a parameter or pseudo parameter, or a resource's physical id."""
        if name in self._names:
            return self._names[name]
        return self._resource(name).physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        """An attribute of a resource."""
        resource = self._resource(logical_id)
        if resource.physical_id == UNKNOWN:
            return UNKNOWN
        found: Any = resource.attributes
        if name in found:
            return found[name]
        for part in name.split("."):
            if not isinstance(found, Mapping) or part not in found:
                raise TemplateError(
                    f"Template error: resource {logical_id} of type {resource.type_name} does not support "
                    f"attribute type {name} in Fn::GetAtt (it has {', '.join(sorted(resource.attributes))})"
                )
            found = found[part]
        return found

    def exported(self, name: str) -> Any:
        """The value that a stack of this account and region exports under `name`."""
        exports = self.place.exports()
        if name not in exports:
            raise TemplateError(f"No export named {name} found")
        return exports[name]

    def output(self, stack: str, name: str, region: str) -> Any:
        """The value of an output of another stack as it is now: unlike an import, it may change or go."""
        outputs = self.place.outputs(stack, region)
        if name not in outputs:
            raise TemplateError(f"Output {name} of Fn::GetStackOutput does not exist in stack {stack}")
        return outputs[name]

    def dynamic(self, service: str, reference: str) -> str:
        """The text behind {{resolve:service:reference}}."""
        if service in _SECRETS and not self._reveal:
            return f"{{{{resolve:{service}:{reference}}}}}"
        if service in ("ssm", "ssm-secure"):
            return self.place.read_ssm(reference)
        if service == "secretsmanager":
            return self._secret(reference)
        raise TemplateError(
            f"Dynamic reference to {service} in {{{{resolve:{service}:{reference}}}}} is unknown"
        )

    def zones(self, region: str) -> list[str]:
        """The availability zones of a region."""
        client = self.place.world.client("ec2", self.place.account, region)
        return sorted(zone["ZoneName"] for zone in client.describe_availability_zones()["AvailabilityZones"])

    def _resource(self, logical_id: str) -> Resource:
        raise TemplateError(
            f"Template format error: {logical_id} is no parameter: conditions refer to no resources"
        )

    def _secret(self, reference: str) -> str:
        # An id may be an ARN, which has colons of its own.
        parts = reference.split(":")
        length = 7 if reference.startswith("arn:") else 1
        secret_id, rest = ":".join(parts[:length]), [*parts[length:], "", "", "", ""]
        _, key, stage, version = rest[:4]
        wanted = {"SecretId": secret_id, "VersionStage": stage, "VersionId": version}
        try:
            answer = self.place.client("secretsmanager").get_secret_value(
                **{name: value for name, value in wanted.items() if value}
            )
            text = answer["SecretString"]
            return str(json.loads(text)[key]) if key else str(text)
        except (ClientError, KeyError, ValueError) as error:
            raise TemplateError(
                f"Could not read {{{{resolve:secretsmanager:{reference}}}}}: {error}"
            ) from error


class StackScope(ParameterScope):
    """What resources and outputs see: `find` gives the resources that there are, by logical ID."""

    def __init__(
        self,
        place: Place,
        parameters: Mapping[str, Parameter],
        find: Callable[[str], Resource | None],
        *,
        reveal: bool = True,
    ) -> None:
        super().__init__(place, parameters, reveal=reveal)
        self._find = find
        self.imports: set[str] = set()
        """The names of the exports that were asked for."""

    def exported(self, name: str) -> Any:
        """As above; `imports` keeps the name."""
        value = super().exported(name)
        self.imports.add(name)
        return value

    def _resource(self, logical_id: str) -> Resource:
        found = self._find(logical_id)
        if found is None:
            raise TemplateError(f"Template format error: Unresolved resource dependencies [{logical_id}]")
        return found


class PlannedScope(StackScope):
    """What a change set sees before anything is done: what is not there yet is unknown, not wrong."""

    def exported(self, name: str) -> Any:
        """The value of the export, unknown while no stack exports it."""
        return super().exported(name) if name in self.place.exports() else UNKNOWN

    def output(self, stack: str, name: str, region: str) -> Any:
        """The value of the output, unknown while there is none."""
        try:
            return super().output(stack, name, region)
        except TemplateError:
            return UNKNOWN

    def dynamic(self, service: str, reference: str) -> str:
        """The text referred to, unknown while there is none: a resource of the stack may make it."""
        try:
            return super().dynamic(service, reference)
        except TemplateError:
            return UNKNOWN

    def attribute(self, logical_id: str, name: str) -> Any:
        """An attribute, unknown where an earlier version of the resource did not have it."""
        try:
            return super().attribute(logical_id, name)
        except TemplateError:
            return UNKNOWN
