"""A policy resource that is put on every target it lists, as SQS and SNS have one."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import Props, undone_on_failure


class PolicyOnTargets(ResourceType):
    """Puts its `PolicyDocument` on each target in the property `targets`, whatever policy was there."""

    targets: ClassVar[str]

    @abstractmethod
    def put(self, context: Context, target: str, document: object) -> None:
        """Put the document on a target, or AWS's default where it is None; a target that is gone is none."""

    def create(self, context: Context, props: Props) -> Created:
        """Put the policy on each target."""
        physical_id = context.generated_name(128)
        with undone_on_failure(self, context, physical_id, props):
            return self.update(context, physical_id, {}, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put the policy on each target and take it off those that the template no longer lists."""
        for target in new[self.targets]:
            self.put(context, target, new["PolicyDocument"])
        for target in old.get(self.targets, ()):
            if target not in new[self.targets]:
                self.put(context, target, None)
        return Created(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Take the policy off each target."""
        for target in props[self.targets]:
            self.put(context, target, None)
