"""Resource types of Amazon EventBridge."""

from __future__ import annotations

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Props,
    Tags,
    absent_ok,
    given,
    refuse_taken,
    undone_on_failure,
)

_GONE = "ResourceNotFoundException"
_TAGS = Tags("events", "ResourceARN")


class Rule(ResourceType):
    """A rule with its targets."""

    type_name = "AWS::Events::Rule"
    properties = frozenset(
        {
            "Description",
            "EventBusName",
            "EventPattern",
            "Name",
            "RoleArn",
            "ScheduleExpression",
            "State",
            "Tags",
            "Targets",
        }
    )
    replaces = frozenset({"EventBusName", "Name"})

    def create(self, context: Context, props: Props) -> Created:
        """Put the rule under a name that is free, then its targets."""
        events, bus = Api(context, "events"), props.get("EventBusName", "default")
        name = props.get("Name") or context.generated_name(64)
        taken = events.has("describe_rule", _GONE, Name=name, EventBusName=bus)
        refuse_taken(name, taken=taken)
        physical_id = name if bus == "default" else f"{bus}|{name}"
        tags = _TAGS.of(context, props)
        with undone_on_failure(self, context, physical_id, props):
            return self._put(events, physical_id, {}, props, tags=tags)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put the rule anew, and what its targets are now."""
        created = self._put(Api(context, "events"), physical_id, old, new)
        _TAGS.settle(context, created.attributes["Arn"], new)
        return created

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Take every target off and delete the rule."""
        events = Api(context, "events")
        name, bus = _name_and_bus(physical_id)
        with absent_ok(_GONE):
            targets = events("list_targets_by_rule", Rule=name, EventBusName=bus)["Targets"]
            if targets:
                ids = [target["Id"] for target in targets]
                events("remove_targets", Rule=name, EventBusName=bus, Ids=ids)
            events("delete_rule", Name=name, EventBusName=bus)

    @staticmethod
    def _put(events: Api, physical_id: str, old: Props, new: Props, tags: object = None) -> Created:
        name, bus = _name_and_bus(physical_id)
        rule = given(new, "Description", "EventPattern", "RoleArn", "ScheduleExpression", "State")
        arn = events("put_rule", Name=name, EventBusName=bus, **rule, Tags=tags)["RuleArn"]
        before, after = ({target["Id"] for target in props.get("Targets") or ()} for props in (old, new))
        if before - after:
            events("remove_targets", Rule=name, EventBusName=bus, Ids=sorted(before - after))
        if after:
            answer = events("put_targets", Rule=name, EventBusName=bus, Targets=new["Targets"])
            for failed in answer.get("FailedEntries", ()):
                raise ResourceFailed(f"Target {failed['TargetId']}: {failed['ErrorMessage']}")
        return Created(physical_id, {"Arn": arn, "RuleName": name})


def _name_and_bus(physical_id: str) -> tuple[str, str]:
    """What a rule's id says; the default bus is left out of it."""
    bus, _, name = physical_id.rpartition("|")
    return name, bus or "default"


TYPES: tuple[type[ResourceType], ...] = (Rule,)
