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
from localaws.cloudformation.resources._moto import keep_scaling_policy_arn

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
        """Take its scheduled actions away and deregister it."""
        scaling, target = Api(context, _SERVICE), given(props, *_TARGET)
        if self._registered(context, props):
            for action in props.get("ScheduledActions") or ():
                with absent_ok(_GONE):
                    name = action["ScheduledActionName"]
                    scaling("delete_scheduled_action", **target, ScheduledActionName=name)
            scaling("deregister_scalable_target", **target)

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
        refuse_taken(props["PolicyName"], taken=self._found(context, props))
        arn = self._put(context, props)
        return Created(arn, {"Arn": arn})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put the policy; its ARN stays."""
        made = self._put(context, new)
        keep_scaling_policy_arn(context.account, context.region, made, physical_id)
        return Created(physical_id, {"Arn": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the policy."""
        if self._found(context, props):
            where = {**self._target(props), "PolicyName": props["PolicyName"]}
            Api(context, _SERVICE)("delete_scaling_policy", **where)

    def _put(self, context: Context, props: Props) -> str:
        settings = given(props, *self.properties - {*_TARGET, "ScalingTargetId"})
        return str(
            Api(context, _SERVICE)("put_scaling_policy", **self._target(props), **settings)["PolicyARN"]
        )

    def _found(self, context: Context, props: Props) -> bool:
        where = {**self._target(props), "PolicyNames": [props["PolicyName"]]}
        return bool(Api(context, _SERVICE)("describe_scaling_policies", **where)["ScalingPolicies"])

    @staticmethod
    def _target(props: Props) -> dict[str, str]:
        """The target that the policy names, by its id or by its three parts."""
        if props.get("ScalingTargetId"):
            return dict(zip(_TARGET, props["ScalingTargetId"].split("|"), strict=True))
        return given(props, *_TARGET)


TYPES: tuple[type[ResourceType], ...] = (ScalableTarget, ScalingPolicy)
