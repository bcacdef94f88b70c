"""What the resource types share: calls in CloudFormation's spelling, names, tags, aspects, undoing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from botocore.exceptions import ClientError, ParamValidationError

from localaws.cloudformation.resource import Context, ResourceFailed, ResourceType

Props = Mapping[str, Any]
T = TypeVar("T")


class Api:
    """A service's API, called with CloudFormation's spelling and types: `api("put_x", Name=..., Tags=...)`.

    CloudFormation writes a member's name in its own case, and a template may write "true", "5" or a policy
    document as an object where the API wants a boolean, a number or a string: botocore's model tells which. A
    parameter that is None is left out.
    """

    def __init__(self, context: Context, service: str) -> None:
        self._client = context.client(service)

    def __call__(self, operation: str, /, **params: Any) -> dict[str, Any]:
        """Call an operation, named as boto3 names its method; raises ResourceFailed or ClientError."""
        name = self._client.meta.method_to_api_mapping[operation]
        shape = self._client.meta.service_model.operation_model(name).input_shape
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**_fit(params, shape))
        except ParamValidationError as error:
            reasons = "; ".join(str(error).splitlines()[1:])
            raise ResourceFailed(f"Properties validation failed: {reasons}") from error
        return answer

    def has(self, operation: str, *missing: str, **params: Any) -> bool:
        """Whether `operation` finds something; `missing` are the error codes that say it does not."""
        try:
            self(operation, **params)
        except ClientError as error:
            if error_code(error) in missing:
                return False
            raise
        return True


def _fit(value: Any, shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        members = {name.lower(): name for name in shape.members}
        fitted = {}
        for given, part in value.items():
            name = given if given in shape.members else members.get(given.lower(), given)
            if part is not None:
                fitted[name] = _fit(part, shape.members[name]) if name in shape.members else part
        return fitted
    if kind == "list" and isinstance(value, list | tuple):
        return [_fit(part, shape.member) for part in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: _fit(part, shape.value) for key, part in value.items()}
    return _SCALARS[kind](value) if kind in _SCALARS else value


def _string(value: Any) -> Any:
    if isinstance(value, bool | Mapping | list):
        return json.dumps(value)
    return str(value) if isinstance(value, int | float) else value


def _number(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, str):
            with suppress(ValueError):
                return parse(value)
        return value

    return read


def _boolean(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "integer": _number(int),
    "long": _number(int),
    "float": _number(float),
    "double": _number(float),
    "boolean": _boolean,
}


def truth(value: Any) -> bool:
    """A boolean property, which a template may write as "true" or "false"."""
    return _boolean(value) is True


def error_code(error: ClientError) -> str:
    """The code of an error that AWS answered."""
    return str(error.response["Error"]["Code"])


@contextmanager
def absent_ok(*missing: str) -> Iterator[None]:
    """Take the errors with these codes, which say that the resource is gone, for success."""
    try:
        yield
    except ClientError as error:
        if error_code(error) not in missing:
            raise


@contextmanager
def undone_on_failure(
    resource_type: ResourceType, context: Context, physical_id: str, props: Props
) -> Iterator[None]:
    """Delete what was made when a later step of its creation fails: the engine never learns its id."""
    try:
        yield
    except Exception:
        with suppress(Exception):
            resource_type.delete(context, physical_id, props)
        raise


def refuse_taken(name: str, *, taken: bool) -> None:
    """Fail as CloudFormation does when a fixed name belongs to something that exists already."""
    if taken:
        raise ResourceFailed(f"{name} already exists")


def given(props: Props, *names: str) -> dict[str, Any]:
    """Those of the named properties that the template gives."""
    return {name: props[name] for name in names if props.get(name) is not None}


def differ(old: Props, new: Props, *names: str) -> bool:
    """Whether any of the named properties differs: what is the same is not told to the API again."""
    return any(old.get(name) != new.get(name) for name in names)


class Aspects(Generic[T]):
    """What of a resource can change in place: for each group of properties, how the API is told.

    A teller gets the target (whatever the type hands to `settle`) and all properties, and makes the resource
    as they say, with AWS's default for a property that is absent.
    """

    def __init__(self, tellers: Mapping[tuple[str, ...], Callable[[T, Props], object]]) -> None:
        self._tellers = tellers
        self.properties = frozenset(name for names in tellers for name in names)

    def settle(self, target: T, old: Props, new: Props) -> None:
        """Tell the API every group of properties that differs between `old` and `new`, in order."""
        for names, tell in self._tellers.items():
            if differ(old, new, *names):
                tell(target, new)


@dataclass(frozen=True)
class Tags:
    """How one service lists, adds and removes tags, and how it spells them.

    `target` is the parameter that names the resource; `pair` is how a tag spells its key and value, or None
    where tags are a mapping.
    """

    service: str
    target: str
    tags: str = "Tags"
    keys: str = "TagKeys"
    pair: tuple[str, str] | None = ("Key", "Value")
    lister: str = "list_tags_for_resource"
    adder: str = "tag_resource"
    remover: str = "untag_resource"
    listed: str | None = None
    fixed: tuple[tuple[str, str], ...] = ()

    def of(self, context: Context, props: Props, name: str = "Tags") -> Any:
        """The tags to create the resource with, as the API takes them; None when there are none."""
        wanted = wanted_tags(context, props, name)
        return self._spelled(wanted) if wanted else None

    def settle(self, context: Context, identifier: str, props: Props, name: str = "Tags") -> None:
        """Make the resource's tags those of the stack and the template; AWS's own (aws:...) stay."""
        api = Api(context, self.service)
        target = {self.target: identifier, **dict(self.fixed)}
        current = self._read(api(self.lister, **target).get(self.listed or self.tags) or {})
        wanted = wanted_tags(context, props, name)
        surplus = [key for key in current if key not in wanted and not key.startswith("aws:")]
        if surplus:
            api(self.remover, **target, **{self.keys: surplus})
        missing = {key: value for key, value in wanted.items() if current.get(key) != value}
        if missing:
            api(self.adder, **target, **{self.tags: self._spelled(missing)})

    def _spelled(self, tags: dict[str, str]) -> Any:
        if self.pair is None:
            return tags
        key_name, value_name = self.pair
        return [{key_name: key, value_name: value} for key, value in tags.items()]

    def _read(self, tags: Any) -> dict[str, str]:
        if self.pair is None:
            return dict(tags)
        key_name, value_name = self.pair
        return {tag[key_name]: tag[value_name] for tag in tags}


def wanted_tags(context: Context, props: Props, name: str = "Tags") -> dict[str, str]:
    """The stack's tags with the template's over them, whichever way the type writes its tags."""
    own = props.get(name) or {}
    if not isinstance(own, Mapping):
        own = {tag["Key"]: tag["Value"] for tag in own}
    return {**context.stack_tags, **{key: _string(value) for key, value in own.items()}}


def partition(region: str) -> str:
    """The partition that a region's ARNs name."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")


Names = Mapping[str, "str | tuple[str, Names]"]
"""How the API calls CloudFormation's nested names, level by level; a name not in it is not emulated."""


def renamed(where: str, value: Any, names: Names) -> Any:
    """`value` with the API's names for CloudFormation's; raises ResourceFailed for one that has no effect."""
    if isinstance(value, list):
        return [renamed(where, part, names) for part in value]
    if not isinstance(value, Mapping):
        return value
    unknown = sorted(set(value) - set(names))
    if unknown:
        raise ResourceFailed(f"{where}.{unknown[0]} is not emulated by the embedded AWS; leave it out")
    answer = {}
    for name, part in value.items():
        target = names[name]
        if isinstance(target, str):
            answer[target] = part
        else:
            answer[target[0]] = renamed(f"{where}.{name}", part, target[1])
    return answer
