"""Resource types of Application Auto Scaling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Props,
    absent_ok,
    given,
    refuse_taken,
    undone_on_failure,
)

_GONE = "ObjectNotFoundException"
_SERVICE = "application-autoscaling"
_TARGET = ("ResourceId", "ScalableDimension", "ServiceNamespace")
_NOT_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


class ScalableTarget(ResourceType):
    """What may be scaled, between which bounds, and at which times."""

    type_name = "AWS::ApplicationAutoScaling::ScalableTarget"
    properties = frozenset({*_TARGET, "MaxCapacity", "MinCapacity", "ScheduledActions", "SuspendedState"})
    ignored: ClassVar[Mapping[str, str]] = {
        "RoleARN": "the service-linked role is used, as on AWS for nearly every service",
        "Tags": "scalable targets of the embedded AWS keep no tags",
    }
    replaces = frozenset(_TARGET)

    def create(self, context: Context, props: Props) -> Created:
        """Register what is not registered yet."""
        physical_id = "|".join(str(props[name]) for name in _TARGET)
        refuse_taken(physical_id, taken=self._registered(context, props))
        with undone_on_failure(self, context, physical_id, props):
            return self.update(context, physical_id, {}, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Register the new bounds and exchange the scheduled actions that differ."""
        scaling, target = Api(context, _SERVICE), given(new, *_TARGET)
        scaling(
            "register_scalable_target",
            **target,
            MinCapacity=new["MinCapacity"],
            MaxCapacity=new["MaxCapacity"],
            SuspendedState={**_NOT_SUSPENDED, **(new.get("SuspendedState") or {})},
        )
        before, after = (
            {action["ScheduledActionName"]: action for action in props.get("ScheduledActions") or ()}
            for props in (old, new)
        )
        for name in before.keys() - after.keys():
            with absent_ok(_GONE):
                scaling("delete_scheduled_action", **target, ScheduledActionName=name)
        for name, action in after.items():
            if before.get(name) != action:
                scaling("put_scheduled_action", **target, **action)
        return Created(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Deregister it, with its policies and scheduled actions."""
        with absent_ok(_GONE):
            Api(context, _SERVICE)("deregister_scalable_target", **given(props, *_TARGET))

    @staticmethod
    def _registered(context: Context, props: Props) -> bool:
        found = Api(context, _SERVICE)(
            "describe_scalable_targets",
            ServiceNamespace=props["ServiceNamespace"],
            ScalableDimension=props["ScalableDimension"],
            ResourceIds=[props["ResourceId"]],
        )
        return bool(found["ScalableTargets"])


class ScalingPolicy(ResourceType):
    """How a scalable target follows a metric."""

    type_name = "AWS::ApplicationAutoScaling::ScalingPolicy"
    properties = frozenset(
        {
            *_TARGET,
            "PolicyName",
            "PolicyType",
            "ScalingTargetId",
            "StepScalingPolicyConfiguration",
            "TargetTrackingScalingPolicyConfiguration",
        }
    )
    replaces = frozenset({*_TARGET, "PolicyName", "ScalingTargetId"})

    def create(self, context: Context, props: Props) -> Created:
        """Put the policy under a name that the target does not have yet."""
        scaling, name = Api(context, _SERVICE), props["PolicyName"]
        found = scaling("describe_scaling_policies", **self._target(props), PolicyNames=[name])
        refuse_taken(name, taken=bool(found["ScalingPolicies"]))
        return self.update(context, name, {}, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put the policy."""
        settings = given(new, *self.properties - {*_TARGET, "ScalingTargetId"})
        made = Api(context, _SERVICE)("put_scaling_policy", **self._target(new), **settings)
        arn = str(made["PolicyARN"])
        return Created(arn, {"Arn": arn})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the policy."""
        where = {**self._target(props), "PolicyName": props["PolicyName"]}
        with absent_ok(_GONE):
            Api(context, _SERVICE)("delete_scaling_policy", **where)

    @staticmethod
    def _target(props: Props) -> dict[str, str]:
        """The target that the policy names, by its id or by its three parts."""
        if props.get("ScalingTargetId"):
            return dict(zip(_TARGET, props["ScalingTargetId"].split("|"), strict=True))
        return given(props, *_TARGET)


TYPES: tuple[type[ResourceType], ...] = (ScalableTarget, ScalingPolicy)
