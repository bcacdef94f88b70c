"""EFS: mount targets hold their subnet and groups as on AWS, and take time to go; moto answers the rest."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.core.exceptions import JsonRESTError

from localaws.ec2.state import state
from localaws.service import AwsError, Call, Params, Result, Service, operation
from localaws.timer import Timer
from localaws.world import World

DELETION_SECONDS = 0.3
"""How long a mount target, whose interface stays until then, takes to go; on AWS up to a minute or so."""


class Efs(Service):
    """Makes and deletes mount targets: moto's interfaces look like anybody's, and go at once."""

    name: ClassVar[str] = "efs"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._timer = Timer("efs", world.background)

    def stop(self) -> None:
        """Forget what was to go."""
        self._timer.stop()

    @operation("CreateMountTarget")
    def create_mount_target(self, call: Call, params: Params) -> Result:
        """Make a mount target with an interface that EFS manages."""
        try:
            target = _state(call).create_mount_target(
                file_system_id=params["FileSystemId"],
                subnet_id=params["SubnetId"],
                ip_address=params.get("IpAddress"),
                security_groups=params.get("SecurityGroups"),
            )
        except JsonRESTError as error:
            raise AwsError(error.error_type, error.message, error.code) from error
        interface = state(call.account, call.region).enis[target.network_interface_id]
        interface.requester_managed, interface.status = True, "in-use"
        interface.description = f"EFS mount target for {target.file_system_id} ({target.mount_target_id})"
        described: Params = target.info_json()
        return described

    @operation("DeleteMountTarget")
    def delete_mount_target(self, call: Call, params: Params) -> Result:
        """Let a mount target go; its interface stands until it has."""
        name, efs = params["MountTargetId"], _state(call)
        target = efs.mount_targets_by_id.get(name)
        if target is None:
            raise AwsError("MountTargetNotFound", f"Mount target '{name}' does not exist.", 404)
        if target.life_cycle_state != "deleting":
            target.life_cycle_state = "deleting"
            self._timer.after(DELETION_SECONDS, efs.delete_mount_target, name)
        return None


def _state(call: Call) -> Any:
    """Moto's record of an account's file systems in one region."""
    from moto.efs.models import efs_backends  # noqa: PLC0415 -- loads EC2, which few need

    return efs_backends[call.account][call.region]
