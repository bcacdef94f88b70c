"""A team without Studio moves: into a network of its own, out of it, into one that is there, out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from atelier.demo.cdk import Cdk
from tests.local.environment import TeamEnvironment
from tests.local.inventory import inventory, more
from tests.local.whole import ACCOUNT

TEAM = """\
team: roving
owners: [roving-leads@example.com]
environments:
  dev: {account: "111122223333", region: eu-west-1}
images:
  tools: {}
jobs:
  curve: {script: curve_sklearn, framework: sklearn}
endpoints:
  curve: {job: curve}
"""
MACHINES = ("roving-dev-train-curve", "roving-dev-deploy-curve")


@pytest.fixture
def roving(cdk: Cdk, tmp_path_factory: pytest.TempPathFactory) -> TeamEnvironment:
    """The team's environment, deployed without a network."""
    folder = tmp_path_factory.mktemp("roving")
    file = folder / "roving.yaml"
    file.write_text(TEAM)
    environment = TeamEnvironment.of(replace(cdk, logs=folder, team="roving"), file)
    assert environment.synth().returncode == 0
    environment.deploy()
    return environment


@pytest.fixture
def existing(client: Callable[[str], Any]) -> Iterator[dict[str, Any]]:
    """A network that somebody else has made."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{zone}.0/24", AvailabilityZone=f"eu-west-1{letter}")
        for zone, letter in enumerate("ab")
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    yield {"vpc": vpc, "subnets": ids}
    for subnet in ids:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)  # which nothing holds any more


def test_a_network_comes_and_goes(
    existing: dict[str, Any], client: Callable[[str], Any], roving: TeamEnvironment
) -> None:
    """Jobs and models run where the file says; what was made for the network before goes; data stay."""
    client("s3").put_object(Bucket=f"roving-dev-data-{ACCOUNT}-eu-west-1", Key="kept", Body=b"1")
    without = inventory(client, ACCOUNT)
    assert _subnets(client) == set()

    _move(roving, {"mode": "created", "cidr": "10.78.0.0/16"})
    [vpc] = more(inventory(client, ACCOUNT), without)["ec2 describe_vpcs"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    made = {subnet["SubnetId"] for subnet in client("ec2").describe_subnets(Filters=of_vpc)["Subnets"]}
    assert _subnets(client) == made

    _move(roving, {"mode": "none"})
    assert _subnets(client) == set()
    assert more(inventory(client, ACCOUNT), without) == {}

    _move(roving, {"mode": "existing", **existing})
    assert _subnets(client) == set(existing["subnets"])
    [(kind, [group])] = more(inventory(client, ACCOUNT), without).items()
    assert (kind, group.split()[1][:19]) == ("ec2 describe_security_groups", "roving-dev-network-")

    _move(roving, {"mode": "none"})
    assert _subnets(client) == set()
    assert more(inventory(client, ACCOUNT), without) == {}
    kept = client("s3").get_object(Bucket=f"roving-dev-data-{ACCOUNT}-eu-west-1", Key="kept")
    assert kept["Body"].read() == b"1"
    assert roving.destroy().returncode == 0


def _move(environment: TeamEnvironment, network: dict[str, Any]) -> None:
    for written in (None, network):  # as a whole: of one mode nothing is left in another
        environment.edit({"environments": {"dev": {"network": written}}})
    replaced = [str(one) for one in environment.diff() if one.sign == "±" and one.stack != "network"]
    assert not replaced
    environment.deploy()


def _subnets(client: Callable[[str], Any]) -> set[str]:
    """The subnets that the workflows name, jobs and endpoints alike."""
    states, ec2 = client("stepfunctions"), client("ec2")
    known = {subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]}
    found = []
    for machine in MACHINES:
        arn = f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:{machine}"
        definition = states.describe_state_machine(stateMachineArn=arn)["definition"]
        assert ("VpcConfig" in definition) == any(subnet in definition for subnet in known)
        found.append({subnet for subnet in known if subnet in definition})
    assert found[0] == found[1]
    return found[0]
