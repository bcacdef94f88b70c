"""EFS: mount targets hold their subnet and groups as on AWS; moto keeps and answers the rest."""

from __future__ import annotations

from typing import ClassVar

from moto.core.exceptions import JsonRESTError

from localaws.ec2.state import state
from localaws.service import AwsError, Call, Params, Result, Service, operation


class Efs(Service):
    """Answers CreateMountTarget: moto's interfaces look like anybody's, who could delete them."""

    name: ClassVar[str] = "efs"

    @operation("CreateMountTarget")
    def create_mount_target(self, call: Call, params: Params) -> Result:
        """Make a mount target with an interface that EFS manages."""
        from moto.efs.models import efs_backends  # noqa: PLC0415 -- loads EC2, which few need

        try:
            target = efs_backends[call.account][call.region].create_mount_target(
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
