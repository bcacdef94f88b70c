"""Mount targets: what they put into a subnet, and how moto's refusals are told."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from moto.ec2.models import ec2_backends
from moto.efs.exceptions import FileSystemInUse
from moto.efs.models import efs_backends

from localaws.efs import Efs
from localaws.service import AwsError, Call
from localaws.world import World

CALL = Call("300000000000", "eu-west-1")


@pytest.fixture
def efs(tmp_path):
    """The service, over moto in this process."""
    world = World(tmp_path, tmp_path)
    service = Efs(world)
    yield service
    service.stop()
    world.close()


@pytest.fixture
def subnet():
    """The id of a subnet."""
    ec2 = ec2_backends[CALL.account][CALL.region]
    vpc = ec2.create_vpc("10.0.0.0/16")
    return ec2.create_subnet(vpc.id, "10.0.0.0/24", "eu-west-1a").id


@pytest.fixture
def files():
    """The id of a file system."""
    efs = efs_backends[CALL.account][CALL.region]
    made = efs.create_file_system(uuid4().hex, "generalPurpose", True, None, "bursting", 0, None, False, [])
    return made.file_system_id


def test_a_mount_target_takes_time_to_go(efs, subnet, files):
    """Until then its interface stands in the subnet, and its file system cannot go either."""
    made = efs.create_mount_target(CALL, {"FileSystemId": files, "SubnetId": subnet})
    named = {"MountTargetId": made["MountTargetId"]}
    state, enis = efs_backends[CALL.account][CALL.region], ec2_backends[CALL.account][CALL.region].enis
    for _ in range(2):  # asking twice is no error
        efs.delete_mount_target(CALL, named)
        described = state.mount_targets_by_id[made["MountTargetId"]].info_json()
        assert described["LifeCycleState"] == "deleting"
        assert made["NetworkInterfaceId"] in enis
    with pytest.raises(FileSystemInUse):
        state.delete_file_system(files)
    deadline = time.monotonic() + 10
    while made["NetworkInterfaceId"] in enis:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(AwsError, match="does not exist") as error:
        efs.delete_mount_target(CALL, named)
    assert error.value.code == "MountTargetNotFound"


def test_a_mount_target_has_an_interface_that_efs_manages(efs, subnet, files):
    """Nobody else can delete it; a second one in the zone is refused, as is one of no file system."""
    params = {"FileSystemId": files, "SubnetId": subnet}
    made = efs.create_mount_target(CALL, params)
    interface = ec2_backends[CALL.account][CALL.region].enis[made["NetworkInterfaceId"]]
    assert interface.requester_managed
    assert interface.status == "in-use"
    assert made["MountTargetId"] in interface.description
    for changes, code in (({}, "MountTargetConflict"), ({"FileSystemId": "fs-0"}, "FileSystemNotFound")):
        with pytest.raises(AwsError) as error:
            efs.create_mount_target(CALL, {**params, **changes})
        assert error.value.code == code
