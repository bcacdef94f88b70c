"""Mount targets: what they put into a subnet, and how moto's refusals are told."""

from __future__ import annotations

import pytest
from moto.ec2.models import ec2_backends
from moto.efs.models import efs_backends

from localaws.efs import Efs
from localaws.service import AwsError, Call
from localaws.world import World

CALL = Call("300000000000", "eu-west-1")


@pytest.fixture
def efs(tmp_path):
    """The service, over moto in this process."""
    world = World(tmp_path, tmp_path)
    yield Efs(world)
    world.close()


@pytest.fixture
def subnet():
    """The id of a subnet."""
    ec2 = ec2_backends[CALL.account][CALL.region]
    vpc = ec2.create_vpc("10.0.0.0/16")
    return ec2.create_subnet(vpc.id, "10.0.0.0/24", "eu-west-1a").id


def test_a_mount_target_has_an_interface_that_efs_manages(efs, subnet):
    """Nobody else can delete it; a second one in the zone is refused, as is one of no file system."""
    files = efs_backends[CALL.account][CALL.region].create_file_system(
        "token", "generalPurpose", True, None, "bursting", 0, None, False, []
    )
    params = {"FileSystemId": files.file_system_id, "SubnetId": subnet}
    made = efs.create_mount_target(CALL, params)
    interface = ec2_backends[CALL.account][CALL.region].enis[made["NetworkInterfaceId"]]
    assert interface.requester_managed
    assert interface.status == "in-use"
    assert made["MountTargetId"] in interface.description
    for changes, code in (({}, "MountTargetConflict"), ({"FileSystemId": "fs-0"}, "FileSystemNotFound")):
        with pytest.raises(AwsError) as error:
            efs.create_mount_target(CALL, {**params, **changes})
        assert error.value.code == code
