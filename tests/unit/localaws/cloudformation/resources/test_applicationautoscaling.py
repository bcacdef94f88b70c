import pytest

from localaws.cloudformation.resource import ResourceFailed

TARGET, POLICY = "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"
NAMES = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


def wanted(resource="endpoint/curve/variant/AllTraffic", **props):
    """The properties of a scalable target."""
    return {**NAMES, "ResourceId": resource, "MinCapacity": 1, "MaxCapacity": 2, **props}


def target(client, physical_id):
    """The description of a scalable target, or None."""
    resource = physical_id.split("|")[0]
    found = client("application-autoscaling").describe_scalable_targets(**NAMES, ResourceIds=[resource])
    return found["ScalableTargets"][0] if found["ScalableTargets"] else None


def bounds(client, physical_id):
    """The bounds of a scalable target."""
    found = target(client, physical_id)
    return found and (found["MinCapacity"], found["MaxCapacity"])


def suspended(client, physical_id):
    """Which scaling of a target is suspended."""
    found = target(client, physical_id)
    return found and sorted(name for name, value in found["SuspendedState"].items() if value)


def scheduled(client, physical_id):
    """The scheduled actions of a target: name to schedule."""
    if target(client, physical_id) is None:
        return None
    found = client("application-autoscaling").describe_scheduled_actions(ServiceNamespace="sagemaker")
    return {action["ScheduledActionName"]: action["Schedule"] for action in found["ScheduledActions"]}


def action(name, hours):
    """A scheduled action."""
    return {
        "ScheduledActionName": name,
        "Schedule": f"rate({hours} hours)",
        "ScalableTargetAction": {"MinCapacity": 0},
    }


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (bounds, [(wanted(), (1, 2)), (wanted(MinCapacity="2", MaxCapacity="5"), (2, 5))]),
        (
            suspended,
            [
                (wanted(SuspendedState={"ScheduledScalingSuspended": "true"}), ["ScheduledScalingSuspended"]),
                (wanted(), []),
            ],
        ),
        (
            scheduled,
            [
                (wanted(ScheduledActions=[action("a", 2)]), {"a": "rate(2 hours)"}),
                (
                    wanted(ScheduledActions=[action("a", 3), action("b", 2)]),
                    {"a": "rate(3 hours)", "b": "rate(2 hours)"},
                ),
                (wanted(), {}),
            ],
        ),
    ],
)
def test_each_property_of_a_scalable_target_is_set_changed_and_taken_back(live, look, steps):
    """What a template says of a target is what Application Auto Scaling answers."""
    created = live(TARGET, look, steps)
    assert created.physical_id.split("|") == [steps[0][0]["ResourceId"], *reversed(NAMES.values())]


def test_a_target_that_is_registered_is_refused(types, make_context):
    """Registering it again would overwrite the bounds that another stack set."""
    props = wanted("endpoint/taken/variant/AllTraffic")
    types[TARGET].create(make_context(), props)
    with pytest.raises(ResourceFailed, match="already exists"):
        types[TARGET].create(make_context(), props)


@pytest.mark.parametrize("by_id", [True, False])
def test_a_scaling_policy_follows_its_metric(live, types, make_context, by_id):
    """The target is named by its id or by its parts; the goal changes in place."""
    props = wanted(f"endpoint/policy-{by_id}/variant/AllTraffic")
    target_id = types[TARGET].create(make_context(), props).physical_id
    where = {"ScalingTargetId": target_id} if by_id else {**NAMES, "ResourceId": props["ResourceId"]}

    def policy(goal):
        metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
        tracking = {"TargetValue": goal, "PredefinedMetricSpecification": metric}
        return {
            **where,
            "PolicyName": "follow",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": tracking,
        }

    def look(client, _):
        found = client("application-autoscaling").describe_scaling_policies(
            **NAMES, ResourceId=props["ResourceId"]
        )
        policies = found["ScalingPolicies"]
        return policies[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] if policies else None

    live(POLICY, look, [(policy("100"), 100), (policy(200.5), 200.5)])
