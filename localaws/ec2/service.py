"""The operations of EC2 in which moto is laxer than AWS; moto answers all others."""

from __future__ import annotations

from typing import Any

from localaws.ec2 import endpoints, interfaces, nat
from localaws.ec2.state import in_use, state
from localaws.service import AwsError, Call, NotEmulated, Params, Result, Service, operation


class Ec2(Service):
    """Networks: what is made for a service holds what it stands in, and what is held does not go."""

    name = "ec2"

    @operation("DeleteVpc")
    def delete_vpc(self, call: Call, params: Params) -> Result:
        """Delete a VPC in which nothing is left but what came with it."""
        ec2, vpc_id = _begin(call, params), params["VpcId"]
        vpc = ec2.get_vpc(vpc_id)
        acls = [acl for acl in ec2.network_acls.values() if acl.vpc_id == vpc_id]
        held = (
            any(endpoint.vpc_id == vpc_id for endpoint in ec2.vpc_end_points.values())
            or any(not group.is_default for group in ec2.groups[vpc_id].values())
            or any(gate.vpc is vpc for gate in ec2.internet_gateways.values())
            or any(not acl.default for acl in acls)
        )
        if held:
            raise in_use(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        ec2.delete_vpc(vpc_id)
        for acl in acls:
            del ec2.network_acls[acl.id]  # the one that came with the VPC, which moto leaves
        return None

    @operation("DeleteSubnet")
    def delete_subnet(self, call: Call, params: Params) -> Result:
        """Delete a subnet in which no interface is left."""
        ec2, subnet = _begin(call, params), params["SubnetId"]
        ec2.get_subnet(subnet)
        if interfaces.in_subnet(ec2, subnet):
            raise in_use(f"The subnet '{subnet}' has dependencies and cannot be deleted.")
        ec2.delete_subnet(subnet)
        for table in ec2.route_tables.values():
            for association, of in list(table._associations.items()):  # noqa: SLF001 -- there is no door
                if of == subnet:
                    del table._associations[association]  # noqa: SLF001 -- as above
        return None

    @operation("DeleteSecurityGroup")
    def delete_security_group(self, call: Call, params: Params) -> Result:
        """Delete a group that guards no interface and that no other group's rule names."""
        ec2 = _begin(call, params)
        wanted = params.get("GroupId") or params["GroupName"]
        group = ec2.get_security_group_by_name_or_id(wanted)
        if group is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{wanted}' does not exist")
        if group.is_default:
            raise AwsError(
                "CannotDelete",
                f'the specified group: "{group.id}" name: "{group.name}" cannot be deleted by a user',
            )
        if interfaces.with_group(ec2, group.id) or _named_by_others(ec2, group.id):
            raise in_use(f"resource {group.id} has a dependent object")
        ec2.delete_security_group(group_id=group.id)
        return {"Return": True, "GroupId": group.id}

    @operation("DeleteNetworkInterface")
    def delete_network_interface(self, call: Call, params: Params) -> Result:
        """Delete an interface that nothing uses."""
        ec2, interface = _begin(call, params), params["NetworkInterfaceId"]
        if ec2.get_network_interface(interface).status == "in-use":
            raise AwsError("InvalidParameterValue", f"Network interface '{interface}' is currently in use.")
        ec2.delete_network_interface(interface)
        return None

    @operation("DeleteRouteTable")
    def delete_route_table(self, call: Call, params: Params) -> Result:
        """Delete a route table that no subnet uses; the main one goes with its VPC."""
        ec2, table = _begin(call, params), params["RouteTableId"]
        if ec2.get_route_table(table).main_association_id:
            raise in_use(f"The routeTable '{table}' has dependencies and cannot be deleted.")
        ec2.delete_route_table(table)
        return None

    @operation("DetachInternetGateway")
    def detach_internet_gateway(self, call: Call, params: Params) -> Result:
        """Detach a gateway from a VPC in which no public address is in use."""
        ec2, vpc = _begin(call, params), params["VpcId"]
        if any(address.eni and address.eni.vpc_id == vpc for address in ec2.addresses):
            raise in_use(
                f"Network {vpc} has some mapped public address(es). Please unmap those public address(es)"
                " before detaching the gateway."
            )
        ec2.detach_internet_gateway(params["InternetGatewayId"], vpc)
        return None

    @operation("ReleaseAddress")
    def release_address(self, call: Call, params: Params) -> Result:
        """Give back an address that nothing uses."""
        ec2 = _begin(call, params)
        where = {"address": params.get("PublicIp"), "allocation_id": params.get("AllocationId")}
        found = ec2.describe_addresses(
            [where["allocation_id"]] if where["allocation_id"] else None,
            [where["address"]] if where["address"] else None,
        )
        if found[0].association_id:
            raise AwsError("InvalidIPAddress.InUse", f"Address {found[0].public_ip} is in use.")
        ec2.release_address(**where)
        return None

    @operation("CreateNatGateway")
    def create_nat_gateway(self, call: Call, params: Params) -> Result:
        """Make a NAT gateway."""
        made = nat.create(_begin(call, params), params, _tags(params))
        shown = self._client(call).describe_nat_gateways(NatGatewayIds=[made.id])["NatGateways"]
        return {"NatGateway": shown[0], "ClientToken": params.get("ClientToken")}

    @operation("DeleteNatGateway")
    def delete_nat_gateway(self, call: Call, params: Params) -> Result:
        """Delete a NAT gateway."""
        nat.delete(_begin(call, params), params["NatGatewayId"])
        return {"NatGatewayId": params["NatGatewayId"]}

    @operation("CreateVpcEndpoint")
    def create_vpc_endpoint(self, call: Call, params: Params) -> Result:
        """Make an endpoint of a service in a VPC."""
        made = endpoints.create(_begin(call, params), params, _tags(params))
        shown = self._client(call).describe_vpc_endpoints(VpcEndpointIds=[made.id])["VpcEndpoints"]
        return {"VpcEndpoint": shown[0], "ClientToken": params.get("ClientToken")}

    @operation("ModifyVpcEndpoint")
    def modify_vpc_endpoint(self, call: Call, params: Params) -> Result:
        """Change an endpoint."""
        endpoints.modify(_begin(call, params), params)
        return {"Return": True}

    @operation("DeleteVpcEndpoints")
    def delete_vpc_endpoints(self, call: Call, params: Params) -> Result:
        """Delete endpoints; those that do not exist are listed, not raised."""
        ec2, missing = _begin(call, params), []
        for endpoint in params["VpcEndpointIds"]:
            if endpoint in ec2.vpc_end_points:
                endpoints.delete(ec2, endpoint)
                continue
            message = f"The Vpc Endpoint Id '{endpoint}' does not exist"
            error = {"Code": "InvalidVpcEndpoint.NotFound", "Message": message}
            missing.append({"ResourceId": endpoint, "Error": error})
        return {"Unsuccessful": missing}

    @operation("DescribeInstanceTypeOfferings")
    def describe_instance_type_offerings(self, call: Call, params: Params) -> Result:
        """No instance runs here, so nothing is said of where AWS offers which."""
        del call, params
        raise NotEmulated("EC2: DescribeInstanceTypeOfferings")

    def _client(self, call: Call) -> Any:
        """To ask moto, which knows how its objects are shown."""
        return self.world.client(self.name, call.account, call.region)


def _begin(call: Call, params: Params) -> Any:
    if params.get("DryRun"):
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    return state(call.account, call.region)


def _tags(params: Params) -> dict[str, str]:
    specified = params.get("TagSpecifications", ())
    return {tag["Key"]: tag["Value"] for one in specified for tag in one.get("Tags", ())}


def _named_by_others(ec2: Any, group_id: str) -> bool:
    groups = [group for of_vpc in ec2.groups.values() for group in of_vpc.values() if group.id != group_id]
    return any(
        rule.source_group.get("GroupId") == group_id
        for group in groups
        for rule in (*group.ingress_rules, *group.egress_rules)
    )
