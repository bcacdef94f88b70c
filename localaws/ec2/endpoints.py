"""VPC endpoints: interface endpoints hold subnets and groups, gateway endpoints lead routes to S3."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from localaws.ec2 import interfaces
from localaws.ec2.state import group_of
from localaws.service import AwsError, NotEmulated, Params

GATEWAYS = ("dynamodb", "s3")
# Those that belong to SageMaker's web interfaces have a name of another form.
SAGEMAKER = ("experiments", "notebook", "partner-app", "studio")


def create(ec2: Any, params: Params, tags: dict[str, str]) -> Any:
    """Make an endpoint of a service in a VPC, with its interfaces or routes."""
    vpc, service = ec2.get_vpc(params["VpcId"]), params.get("ServiceName", "")
    kind = params.get("VpcEndpointType", "Gateway")
    short = _short_name(ec2, service)
    private = params.get("PrivateDnsEnabled", kind == "Interface")
    if kind == "Interface":
        if private:
            _check_private_dns(ec2, vpc, service)
        _check_subnets(ec2, vpc, params.get("SubnetIds", ()))
        for group in params.get("SecurityGroupIds", ()):
            group_of(ec2, group, vpc.id)
    elif kind != "Gateway":
        raise NotEmulated(f"EC2: a VPC endpoint of type {kind}")
    elif short not in GATEWAYS:
        raise AwsError(
            "InvalidParameter",
            f"Endpoint type (Gateway) does not match available service types ([Interface]) of {service}.",
        )
    made = ec2.create_vpc_endpoint(
        vpc_id=vpc.id,
        service_name=service,
        endpoint_type=kind,
        policy_document=params.get("PolicyDocument"),
        route_table_ids=[],
        subnet_ids=[],
        client_token=params.get("ClientToken"),
        security_group_ids=[],
        tags=tags,
        private_dns_enabled=private,
    )
    made.security_group_ids = _groups(ec2, vpc, params) if kind == "Interface" else []
    try:
        for subnet in params.get("SubnetIds", ()):
            _join_subnet(ec2, made, subnet)
        for table in params.get("RouteTableIds", ()):
            _join_route_table(ec2, made, table)
    except Exception:
        delete(ec2, made.id)
        raise
    return made


def modify(ec2: Any, params: Params) -> None:
    """Change where an endpoint is reached from, what guards it and its policy."""
    endpoint = _found(ec2, params["VpcEndpointId"])
    vpc = ec2.get_vpc(endpoint.vpc_id)
    added = params.get("AddSubnetIds", ())
    stay = [one for one in endpoint.subnet_ids if one not in params.get("RemoveSubnetIds", ())]
    _check_subnets(ec2, vpc, [*stay, *(one for one in added if one not in stay)])
    if params.get("PrivateDnsEnabled") and not endpoint.private_dns_enabled:
        _check_private_dns(ec2, vpc, endpoint.service_name)
    endpoint.private_dns_enabled = params.get("PrivateDnsEnabled", endpoint.private_dns_enabled)
    if params.get("ResetPolicy"):
        endpoint.policy_document = json.dumps(endpoint.DEFAULT_POLICY)
    endpoint.policy_document = params.get("PolicyDocument", endpoint.policy_document)
    _change_groups(ec2, endpoint, params)
    for subnet in params.get("RemoveSubnetIds", ()):
        _leave_subnet(ec2, endpoint, subnet)
    for subnet in added:
        if subnet not in endpoint.subnet_ids:
            _join_subnet(ec2, endpoint, subnet)
    for table in params.get("RemoveRouteTableIds", ()):
        _leave_route_table(ec2, endpoint, table)
    for table in params.get("AddRouteTableIds", ()):
        if table not in endpoint.route_table_ids:
            _join_route_table(ec2, endpoint, table)


def delete(ec2: Any, endpoint_id: str) -> None:
    """Remove an endpoint with its interfaces and routes."""
    endpoint = _found(ec2, endpoint_id)
    for subnet in list(endpoint.subnet_ids):
        _leave_subnet(ec2, endpoint, subnet)
    for table in list(endpoint.route_table_ids):
        _leave_route_table(ec2, endpoint, table)
    del ec2.vpc_end_points[endpoint_id]


def _found(ec2: Any, endpoint_id: str) -> Any:
    return ec2.describe_vpc_endpoints([endpoint_id])[0]


def _short_name(ec2: Any, service: str) -> str:
    """`s3` of `com.amazonaws.eu-west-1.s3`; raises AwsError for a service that does not exist."""
    from moto.ec2.models.vpcs import AWS_ENDPOINT_SERVICES  # noqa: PLC0415 -- loaded with the backend

    region = re.escape(ec2.region_name)
    common = re.fullmatch(rf"(?:com|cn\.com)\.amazonaws\.{region}\.(.+)", service)
    of_sagemaker = re.fullmatch(rf"aws\.sagemaker\.{region}\.(.+)", service)
    if common and common[1] in AWS_ENDPOINT_SERVICES:
        return common[1]
    if of_sagemaker and of_sagemaker[1] in SAGEMAKER:
        return of_sagemaker[1]
    raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")


def _check_private_dns(ec2: Any, vpc: Any, service: str) -> None:
    if not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
        raise AwsError(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to"
            f" true for {vpc.id}",
        )
    for other in ec2.vpc_end_points.values():
        if (other.vpc_id, other.service_name) == (vpc.id, service) and other.private_dns_enabled:
            raise AwsError(
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for"
                f" {service} in the VPC {vpc.id}",
            )


def _check_subnets(ec2: Any, vpc: Any, subnet_ids: Iterable[str]) -> None:
    zones: dict[str, str] = {}
    for subnet in map(ec2.get_subnet, subnet_ids):
        if subnet.vpc_id != vpc.id:
            raise AwsError("InvalidParameter", f"Subnet {subnet.id} does not belong to VPC {vpc.id}")
        if subnet.availability_zone in zones:
            raise AwsError(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {subnet.id}:"
                f" {zones[subnet.availability_zone]}",
            )
        zones[subnet.availability_zone] = subnet.id


def _groups(ec2: Any, vpc: Any, params: Params) -> list[str]:
    return list(params.get("SecurityGroupIds") or [ec2.get_default_security_group(vpc.id).id])


def _change_groups(ec2: Any, endpoint: Any, params: Params) -> None:
    removed = params.get("RemoveSecurityGroupIds", ())
    kept = [one for one in endpoint.security_group_ids if one not in removed]
    added = [one for one in params.get("AddSecurityGroupIds", ()) if one not in kept]
    groups = [group_of(ec2, one, endpoint.vpc_id) for one in [*kept, *added]]
    endpoint.security_group_ids = [group.id for group in groups]
    for interface_id in endpoint.network_interface_ids:
        ec2.enis[interface_id]._group_set = groups  # noqa: SLF001 -- as moto's own ModifyNetworkInterfaceAttribute


def _join_subnet(ec2: Any, endpoint: Any, subnet_id: str) -> None:
    made = interfaces.make(
        ec2,
        subnet_id,
        endpoint.security_group_ids,
        f"VPC Endpoint Interface {endpoint.id}",
        "vpc_endpoint",
    )
    endpoint.subnet_ids.append(subnet_id)
    endpoint.network_interface_ids.append(made.id)


def _leave_subnet(ec2: Any, endpoint: Any, subnet_id: str) -> None:
    for interface_id in list(endpoint.network_interface_ids):
        if ec2.enis[interface_id].subnet.id == subnet_id:
            interfaces.remove(ec2, interface_id)
            endpoint.network_interface_ids.remove(interface_id)
            endpoint.subnet_ids.remove(subnet_id)


def _join_route_table(ec2: Any, endpoint: Any, table_id: str) -> None:
    table = ec2.get_route_table(table_id)
    if table.vpc_id != endpoint.vpc_id:
        raise AwsError(
            "InvalidParameter", f"Route table {table_id} belongs to another network than {endpoint.vpc_id}"
        )
    prefixes = endpoint.destination_prefix_list_id
    if any(
        route.destination_prefix_list and route.destination_prefix_list.id == prefixes
        for route in table.routes
    ):
        raise AwsError(
            "RouteAlreadyExists",
            f"route table {table_id} already has a route with destination-prefix-list-id {prefixes}",
        )
    ec2.create_route(table_id, None, gateway_id=endpoint.id, destination_prefix_list_id=prefixes)
    endpoint.route_table_ids.append(table_id)


def _leave_route_table(ec2: Any, endpoint: Any, table_id: str) -> None:
    if table_id in endpoint.route_table_ids:
        endpoint.route_table_ids.remove(table_id)
        ec2.delete_route(table_id, None, destination_prefix_list_id=endpoint.destination_prefix_list_id)
