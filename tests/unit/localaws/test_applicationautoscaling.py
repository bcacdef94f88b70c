"""What Application Auto Scaling says of what is missing, and what goes with a target."""

import pytest
from botocore.exceptions import ClientError

from localaws.server import Server

NAMES = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
TARGET = {**NAMES, "ResourceId": "endpoint/one/variant/AllTraffic"}
POLICY = {**TARGET, "PolicyName": "follow"}
TRACKING = {
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 5},
}


@pytest.fixture
def scaling(tmp_path):
    """A client of a server of its own, in an account that no other test uses."""
    server = Server(tmp_path / "data", tmp_path / "cache")
    server.start()
    yield server.world.client("application-autoscaling", "777700001111", "eu-west-1")
    server.stop()


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("deregister_scalable_target", TARGET),
        ("put_scaling_policy", {**POLICY, **TRACKING}),
        ("delete_scaling_policy", POLICY),
    ],
)
def test_what_is_missing_is_not_found(scaling, operation, params):
    """Programs that clean up take this code for success."""
    with pytest.raises(ClientError) as caught:
        getattr(scaling, operation)(**params)
    assert caught.value.response["Error"]["Code"] == "ObjectNotFoundException"


def test_what_belongs_to_a_target_goes_with_it(scaling):
    """Its policies and scheduled actions, and nobody else's; a changed policy keeps its ARN until then."""
    other = {**TARGET, "ResourceId": "endpoint/two/variant/AllTraffic"}
    for target in (TARGET, other):
        scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
        arns = {scaling.put_scaling_policy(**{**POLICY, **target}, **TRACKING)["PolicyARN"] for _ in "ab"}
        assert len(arns) == 1
        scaling.put_scheduled_action(**target, ScheduledActionName="night", Schedule="rate(1 day)")
    scaling.deregister_scalable_target(**TARGET)
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    actions = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    assert [found["ResourceId"] for found in (*policies, *actions)] == [other["ResourceId"]] * 2
    scaling.deregister_scalable_target(**other)
