"""Resource types of Amazon EventBridge Scheduler."""

from __future__ import annotations

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import Api, Props, absent_ok, given

_GONE = "ResourceNotFoundException"


class Schedule(ResourceType):
    """A schedule that calls an operation of AWS."""

    type_name = "AWS::Scheduler::Schedule"
    properties = frozenset(
        {
            "Description",
            "EndDate",
            "FlexibleTimeWindow",
            "GroupName",
            "KmsKeyArn",
            "Name",
            "ScheduleExpression",
            "ScheduleExpressionTimezone",
            "StartDate",
            "State",
            "Target",
        }
    )
    replaces = frozenset({"Name"})

    def create(self, context: Context, props: Props) -> Created:
        """Make it; the service refuses a name that exists."""
        name = props.get("Name") or context.generated_name(64)
        return self._made("create_schedule", context, name, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put it anew."""
        return self._made("update_schedule", context, physical_id, new)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete it."""
        with absent_ok(_GONE):
            Api(context, "scheduler")("delete_schedule", Name=physical_id)

    def _made(self, operation: str, context: Context, name: str, props: Props) -> Created:
        settings = given(props, *self.properties - {"Name"})
        made = Api(context, "scheduler")(operation, **settings, Name=name)
        return Created(name, {"Arn": made["ScheduleArn"]})


TYPES: tuple[type[ResourceType], ...] = (Schedule,)
