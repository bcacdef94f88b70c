"""NAT gateways: each holds its subnet by an interface, and its address until it is gone."""

from __future__ import annotations

from typing import Any

from localaws.ec2 import interfaces
from localaws.service import AwsError, Params


def create(ec2: Any, params: Params, tags: dict[str, str]) -> Any:
    """Make a gateway; where the VPC has no way out, a public one fails, as on AWS some minutes later."""
    subnet = ec2.get_subnet(params["SubnetId"])
    public = params.get("ConnectivityType", "public") == "public"
    allocation = params.get("AllocationId")
    if public:
        _check_address(ec2, allocation)
    made = ec2.create_nat_gateway(
        subnet.id, None, tags=tags, connectivity_type="public" if public else "private"
    )
    # The interface that moto makes has an address of any network, and none of what holds the subnet.
    interfaces.remove(ec2, made._eni.id)  # noqa: SLF001 -- there is no door
    made.address_set = []
    if public and not any(
        gate.vpc and gate.vpc.id == subnet.vpc_id for gate in ec2.internet_gateways.values()
    ):
        made.state, made.failure_code = "failed", "Gateway.NotAttached"
        made.failure_message = f"Network {subnet.vpc_id} has no Internet gateway attached"
        return made
    own = interfaces.make(ec2, subnet.id, (), f"Interface for NAT Gateway {made.id}", "nat_gateway")
    address = {"networkInterfaceId": own.id, "privateIp": own.private_ip_address}
    if public:
        taken = ec2.associate_address(eni=own, allocation_id=allocation)
        address |= {"allocationId": allocation, "publicIp": taken.public_ip}
        address["associationId"] = taken.association_id
    made.address_set = [address]
    return made


def delete(ec2: Any, gateway_id: str) -> None:
    """Let go of the address and the subnet."""
    gateway = ec2.nat_gateways.get(gateway_id)
    if gateway is None:
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {gateway_id} was not found")
    for held in gateway.address_set:
        if held.get("publicIp"):
            ec2.disassociate_address(address=held["publicIp"])
        interfaces.remove(ec2, held["networkInterfaceId"])
    gateway.address_set, gateway.state = [], "deleted"


def _check_address(ec2: Any, allocation: str | None) -> None:
    if not allocation:
        raise AwsError("MissingParameter", "The request must contain the parameter AllocationId")
    if ec2.address_by_allocation([allocation])[0].association_id:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"Elastic IP address [{allocation}] is already associated with another resource",
        )
