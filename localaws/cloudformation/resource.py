"""What a CloudFormation resource type is to the engine: a class to create, update, delete it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from localaws.world import World


@dataclass(frozen=True)
class Context:
    """Where a resource lives: its stack, its logical ID, and the way to call the services."""

    world: World
    account: str
    region: str
    stack_name: str
    stack_id: str
    logical_id: str
    stack_tags: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0
    """How often the resource has been replaced."""
    type_name: str = ""
    """The type that the template gives: the class of a custom resource serves every `Custom::` type."""

    def client(self, service: str) -> Any:
        """A boto3 client that acts in the stack's account and region."""
        return self.world.client(service, self.account, self.region)

    def generated_name(self, max_length: int, *, lower: bool = False) -> str:
        """The name CloudFormation gives where the template names none: `<stack>-<logical id>-<suffix>`.

        The suffix follows from stack id, logical id and generation, so that a retry finds the same name and a
        replacement has one of its own beside the old resource's.
        """
        seed = f"{self.stack_id}/{self.logical_id}/{self.generation}"
        suffix = hashlib.sha256(seed.encode()).hexdigest()[:12]
        stem = f"{self.stack_name}-{self.logical_id}"[: max_length - 13]
        name = f"{stem}-{suffix}"
        return name.lower() if lower else name


@dataclass(frozen=True)
class Created:
    """What creating a resource gives: what `Ref` returns, and what `Fn::GetAtt` may ask for."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


class ResourceFailed(Exception):
    """A resource could not be created, updated or deleted; the message becomes the stack event's reason.

    A creation that failed but left something behind gives its `physical_id`: the rollback deletes it.
    """

    def __init__(self, message: str, physical_id: str | None = None) -> None:
        super().__init__(message)
        self.physical_id = physical_id


class ResourceType:
    """One CloudFormation resource type.

    `properties` it honours; `ignored` names those it accepts without effect, each with the reason (both
    are listed in COVERAGE.md); any other property fails the deployment by name. A changed property in
    `replaces` makes the engine create a new resource and delete the old one after the update; any other
    change calls `update`, as does a change of the stack's tags for a type with `Tags` (then the old and new
    `Tags` differ even where the template's are the same).
    """

    type_name: ClassVar[str]
    properties: ClassVar[frozenset[str]]
    ignored: ClassVar[Mapping[str, str]] = {}
    replaces: ClassVar[frozenset[str]] = frozenset()

    def refuses(self, name: str) -> bool:
        """Whether a template with the property `name` is refused: the type neither honours nor ignores it."""
        return name not in self.properties and name not in self.ignored

    def replaced_by(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether the change of the property `name` makes a new resource.

        A type that lets a part of a property change in place looks closer.
        """
        del old, new
        return name in self.replaces

    def create(self, context: Context, props: Mapping[str, Any]) -> Created:
        """Create it from its resolved properties; raises ResourceFailed or botocore's ClientError."""
        raise NotImplementedError

    def update(
        self, context: Context, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        """Bring the resource from `old` to `new` in place and return its id and attributes."""
        raise NotImplementedError

    def delete(self, context: Context, physical_id: str, props: Mapping[str, Any]) -> None:
        """Delete the resource; one that is gone already is no error."""
        raise NotImplementedError
