"""CloudFormation's own resource types that make nothing: they only have an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.resource import Context, Created, ResourceType


class CdkMetadata(ResourceType):
    """What the CDK writes into every template about its own version."""

    type_name = "AWS::CDK::Metadata"
    properties = frozenset({"Analytics"})

    def create(self, context: Context, props: Mapping[str, Any]) -> Created:
        """Give it an id."""
        del props
        return Created(context.generated_name(128))

    def update(
        self, context: Context, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        """Keep its id."""
        del context, old, new
        return Created(physical_id)

    def delete(self, context: Context, physical_id: str, props: Mapping[str, Any]) -> None:
        """Nothing was made, so nothing goes."""


class WaitConditionHandle(CdkMetadata):
    """A handle, used by templates that need a resource without effect."""

    type_name = "AWS::CloudFormation::WaitConditionHandle"
    properties = frozenset()

    def create(self, context: Context, props: Mapping[str, Any]) -> Created:
        """Give it the URL that `Ref` returns; nothing listens there, as no WaitCondition is emulated."""
        del props
        return Created(f"{context.world.endpoint}/wait-condition/{context.generated_name(128)}")


SMALL_TYPES: tuple[type[ResourceType], ...] = (CdkMetadata, WaitConditionHandle)
