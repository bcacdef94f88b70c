"""Application Auto Scaling where moto does otherwise than AWS: what is missing, and what goes with a target.

Targets, policies and scheduled actions are kept and shown; nothing scales by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localaws.service import AwsError, Call, Params, Result, Service, operation

if TYPE_CHECKING:
    from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")


class ApplicationAutoScaling(Service):
    """The operations on which programs that clean up rely; moto answers the others."""

    name = "application-autoscaling"

    @operation("DeregisterScalableTarget")
    def deregister_scalable_target(self, call: Call, params: Params) -> Result:
        """Forget a target with its policies and scheduled actions."""
        backend, target = _backend(call), _target(params)
        _require(backend, params)
        backend.deregister_scalable_target(*target)
        for key, policy in list(backend.policies.items()):
            if _of(policy) == target:
                del backend.policies[key]
        backend.scheduled_actions = [action for action in backend.scheduled_actions if _of(action) != target]
        return None

    @operation("PutScalingPolicy")
    def put_scaling_policy(self, call: Call, params: Params) -> Result:
        """Make or change a policy of a registered target; its ARN stays when it changes."""
        backend = _backend(call)
        _require(backend, params)
        old = backend.policies.get(_key(params))
        made = backend.put_scaling_policy(
            params["PolicyName"],
            *_target(params),
            params.get("StepScalingPolicyConfiguration")
            or params.get("TargetTrackingScalingPolicyConfiguration"),
            params.get("PolicyType"),
        )
        if old is not None:
            made.policy_arn = old.policy_arn
        return {"PolicyARN": made.policy_arn, "Alarms": []}

    @operation("DeleteScalingPolicy")
    def delete_scaling_policy(self, call: Call, params: Params) -> Result:
        """Forget a policy."""
        if _backend(call).policies.pop(_key(params), None) is None:
            raise _missing("scaling policy", params)
        return None


def _backend(call: Call) -> ApplicationAutoscalingBackend:
    # It brings all of moto's EC2 along, two fifths of the server's start: not before somebody scales.
    from moto.applicationautoscaling import applicationautoscaling_backends  # noqa: PLC0415 -- see above

    return applicationautoscaling_backends[call.account][call.region]


def _target(params: Params) -> tuple[str, ...]:
    return tuple(params[name] for name in _TARGET)


def _of(part: Any) -> tuple[str, ...]:
    """The target that a policy or scheduled action belongs to."""
    return part.service_namespace, part.resource_id, part.scalable_dimension


def _key(params: Params) -> str:
    """How moto finds a policy."""
    from moto.applicationautoscaling.models import (  # noqa: PLC0415 -- as in _backend
        FakeApplicationAutoscalingPolicy,
    )

    return str(FakeApplicationAutoscalingPolicy.formulate_key(*_target(params), params["PolicyName"]))


def _require(backend: ApplicationAutoscalingBackend, params: Params) -> None:
    if params["ResourceId"] not in backend.targets.get(params["ScalableDimension"], {}):
        raise _missing("scalable target", params)


def _missing(what: str, params: Params) -> AwsError:
    namespace, resource, dimension = _target(params)
    return AwsError(
        "ObjectNotFoundException",
        f"No {what} found for service namespace: {namespace}, resource ID: {resource}, "
        f"scalable dimension: {dimension}",
    )
