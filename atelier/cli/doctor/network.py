"""Whether a network that exists already has what SageMaker needs of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.doctor.finding import Finding, missing, ok
from atelier.cli.target import Target
from atelier.spec import TeamEnvironment
from atelier.spec.vpc_endpoints import GATEWAY, service_name, services_of

ATTRIBUTES = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}
LEAST_ZONES = 2
FEW_ADDRESSES = 16


def zones(target: Target) -> Iterator[Finding]:
    """The region has as many availability zones for this account as a created network asks for."""
    spec = target.spec
    if spec.network.mode != "created":
        return
    filters = [{"Name": "zone-type", "Values": ["availability-zone"]}]
    found = target.client("ec2").describe_availability_zones(Filters=filters)["AvailabilityZones"]
    there = sorted(zone["ZoneName"] for zone in found if zone["State"] == "available")
    if len(there) < spec.network.zones:
        says = f"{len(there)}, {spec.network.zones} asked for: {', '.join(there)}"
        ask = f"write  zones: {LEAST_ZONES}  in environments.{spec.name}.network, or choose another region"
        yield missing("availability zones", says, ask)
    else:
        yield ok("availability zones", f"{len(there)}, {spec.network.zones} asked for")


def network(target: Target) -> Iterator[Finding]:
    """The VPC, its subnets and security groups exist and belong together; AWS's services are in reach."""
    spec = target.spec.network
    if spec.mode != "existing" or spec.vpc is None:
        return
    ec2 = target.client("ec2")
    try:
        ec2.describe_vpcs(VpcIds=[spec.vpc])
        yield ok("VPC", spec.vpc)
        yield from _dns(ec2, spec.vpc)
        subnets = ec2.describe_subnets(SubnetIds=spec.subnets)["Subnets"]
        yield from _subnets(subnets, spec.vpc)
        if spec.security_groups:
            yield from _groups(ec2, spec.security_groups, spec.vpc)
        yield from _ways(ec2, target.spec, [subnet["SubnetId"] for subnet in subnets], spec.vpc)
    except ClientError as error:
        if not errors.code(error).endswith((".NotFound", ".Malformed")):
            raise
        ask = "correct it in the team file, or make it: environments.<name>.network"
        yield missing("network", errors.message(error), ask)


def _dns(ec2: Any, vpc: str) -> Iterator[Finding]:
    for attribute, key in ATTRIBUTES.items():
        if ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)[key]["Value"]:
            yield ok(attribute, "on")
        else:
            option = {
                "enableDnsSupport": "--enable-dns-support",
                "enableDnsHostnames": "--enable-dns-hostnames",
            }
            ask = f"aws ec2 modify-vpc-attribute --vpc-id {vpc} {option[attribute]}"
            yield missing(attribute, "off: AWS's endpoints are not found by name", ask)


def _subnets(subnets: list[dict[str, Any]], vpc: str) -> Iterator[Finding]:
    for subnet in subnets:
        what = f"subnet {subnet['SubnetId']}"
        free = subnet["AvailableIpAddressCount"]
        if subnet["VpcId"] != vpc:
            yield missing(what, f"is in {subnet['VpcId']}", f"name subnets of {vpc}")
        elif free < FEW_ADDRESSES:
            ask = "name a larger subnet: every job, app and endpoint takes addresses"
            yield missing(what, f"has {free} free addresses", ask)
        else:
            yield ok(what, f"{subnet['AvailabilityZone']}, {free} free addresses")
    zones = sorted({subnet["AvailabilityZone"] for subnet in subnets})
    if len(zones) < LEAST_ZONES:
        ask = "name a subnet in another availability zone as well"
        yield missing("availability zones", f"all subnets are in {', '.join(zones)}", ask)
    else:
        yield ok("availability zones", ", ".join(zones))


def _groups(ec2: Any, groups: list[str], vpc: str) -> Iterator[Finding]:
    for group in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]:
        what = f"security group {group['GroupId']}"
        if group["VpcId"] == vpc:
            yield ok(what, group["GroupName"])
        else:
            yield missing(what, f"is in {group['VpcId']}", f"name security groups of {vpc}")


def _ways(ec2: Any, spec: TeamEnvironment, subnets: list[str], vpc: str) -> Iterator[Finding]:
    """Either every subnet has a way out, or the VPC has an endpoint for each service."""
    closed = [subnet for subnet in subnets if not _leads_out(_routes(ec2, subnet, vpc))]
    if not closed:
        yield ok("AWS's services", "every subnet has a way out")
        return
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=filters)
    there = {
        one["ServiceName"] for page in pages for one in page["VpcEndpoints"] if one["State"] == "available"
    }
    wanted = [service_name(service, spec.region) for service in (GATEWAY, *services_of(spec))]
    lacking = [service for service in wanted if service not in there]
    if lacking:
        ask = f"make them (aws ec2 create-vpc-endpoint --vpc-id {vpc} …), or give the subnets a NAT gateway"
        says = f"{', '.join(closed)}: no way out, and no endpoint for {', '.join(lacking)}"
        yield missing("AWS's services", says, ask)
    else:
        yield ok("AWS's services", "an endpoint for each")


def _routes(ec2: Any, subnet: str, vpc: str) -> list[dict[str, Any]]:
    """The routes of a subnet: of its own table, or of the VPC's main one."""
    choices = (
        [{"Name": "association.subnet-id", "Values": [subnet]}],
        [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}],
    )
    for filters in choices:
        tables = ec2.describe_route_tables(Filters=filters)["RouteTables"]
        if tables:
            return [route for table in tables for route in table["Routes"]]
    return []


def _leads_out(routes: list[dict[str, Any]]) -> bool:
    """An internet gateway is no way out for what has no public address, as nothing of SageMaker has."""
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0"
        and route.get("State") != "blackhole"
        and not route.get("GatewayId", "").startswith("igw-")
        for route in routes
    )
