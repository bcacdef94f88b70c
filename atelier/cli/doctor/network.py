"""Whether a network that exists already has what SageMaker needs of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.doctor.finding import Finding, missing, ok, unknown
from atelier.cli.target import Target
from atelier.spec import TeamEnvironment
from atelier.spec.vpc_endpoints import GATEWAY, service_name, services_of

ATTRIBUTES = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}
LEAST_ZONES = 2
FEW_ADDRESSES = 16
HTTPS = 443
ELSEWHERE = ("TransitGatewayId", "VpcPeeringConnectionId")
"""What a route to another network names."""

Table: TypeAlias = Mapping[str, Any]
"""A route table as EC2 describes it."""


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
            groups = ec2.describe_security_groups(GroupIds=spec.security_groups)["SecurityGroups"]
            yield from _groups(groups, spec.vpc)
            yield from _rules(groups, [IPv4Network(subnet["CidrBlock"]) for subnet in subnets])
        yield from _ways(ec2, target.spec, [subnet["SubnetId"] for subnet in subnets], spec.vpc)
    except ClientError as error:
        if not errors.code(error).endswith((".NotFound", ".Malformed")):
            raise
        ask = "correct it in the team file, or make it: environments.<name>.network"
        yield missing("network", errors.message(error), ask)


def connection(target: Target) -> Iterator[Finding]:
    """A network that is to use another's endpoints is connected with it."""
    spec, what = target.spec, "shared endpoints"
    if (spec.network.mode, spec.network.endpoints, spec.network.internet) != ("created", "shared", "none"):
        return
    ec2 = target.client("ec2")
    tags = {"tag:team": spec.team, "tag:environment": spec.name}
    filters = [{"Name": name, "Values": [value]} for name, value in tags.items()]
    vpcs = [vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=filters)["Vpcs"]]
    if not vpcs:
        yield unknown(what, "the network to connect with theirs comes with the first deployment")
    for vpc in vpcs:
        found = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        alone = [one["SubnetId"] for one in found if not _leads_on(_tables(ec2, one["SubnetId"], vpc))]
        if alone:
            ask = (
                f"connect {vpc} with the network that has them, by a transit gateway or VPC peering with"
                " routes both ways, and associate the private hosted zones of their names with it"
            )
            yield missing(what, f"{', '.join(alone)}: no route to another network", ask)
        else:
            yield ok(what, "every subnet has a route to another network; names are not looked up")


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


def _groups(groups: list[dict[str, Any]], vpc: str) -> Iterator[Finding]:
    for group in groups:
        what = f"security group {group['GroupId']}"
        if group["VpcId"] == vpc:
            yield ok(what, group["GroupName"])
        else:
            yield missing(what, f"is in {group['VpcId']}", f"name security groups of {vpc}")


def _rules(groups: list[dict[str, Any]], subnets: Sequence[IPv4Network]) -> Iterator[Finding]:
    """Everything that runs has all of the groups: what one allows is allowed."""
    ids = [group["GroupId"] for group in groups]
    first = ids[0]
    itself = f"--group-id {first} --ip-permissions 'IpProtocol=-1,UserIdGroupPairs=[{{GroupId={first}}}]'"
    for what, key, way in (
        ("traffic among hosts, in", "IpPermissions", "ingress"),
        ("traffic among hosts, out", "IpPermissionsEgress", "egress"),
    ):
        rules = [rule for group in groups for rule in group[key]]
        if any(_is_all(rule) and _meets(rule, ids, subnets) for rule in rules):
            yield ok(what, "allowed")
        else:
            says = "instances of one job, and Studio with its file system, do not reach each other"
            yield missing(what, says, f"aws ec2 authorize-security-group-{way} {itself}")
    out = [rule for group in groups for rule in group["IpPermissionsEgress"]]
    if any(_takes(rule, HTTPS) and _leaves(rule, ids) for rule in out):
        yield ok("HTTPS out", "allowed")
    else:
        ask = f"--group-id {first} --protocol tcp --port {HTTPS} --cidr 0.0.0.0/0"
        says = "no rule lets requests to AWS's services out"
        yield missing("HTTPS out", says, f"aws ec2 authorize-security-group-egress {ask}")


def _meets(rule: Mapping[str, Any], groups: list[str], subnets: Sequence[IPv4Network]) -> bool:
    """Whether a rule is about members of these groups, or about all addresses of the subnets."""
    ranges = [IPv4Network(one["CidrIp"]) for one in rule.get("IpRanges", ())]
    named = any(pair.get("GroupId") in groups for pair in rule.get("UserIdGroupPairs", ()))
    return named or all(any(subnet.subnet_of(one) for one in ranges) for subnet in subnets)


def _is_all(rule: Mapping[str, Any]) -> bool:
    """Hosts choose their ports themselves."""
    return _takes(rule, 1) and _takes(rule, 65535)


def _takes(rule: Mapping[str, Any], port: int) -> bool:
    if rule["IpProtocol"] == "tcp":
        taken: bool = rule["FromPort"] <= port <= rule["ToPort"]
        return taken
    return bool(rule["IpProtocol"] == "-1")


def _leaves(rule: Mapping[str, Any], groups: list[str]) -> bool:
    """Whether a rule is about others than the members of these groups."""
    others = [pair for pair in rule.get("UserIdGroupPairs", ()) if pair.get("GroupId") not in groups]
    return bool(others or rule.get("IpRanges") or rule.get("PrefixListIds"))


def _ways(ec2: Any, spec: TeamEnvironment, subnets: list[str], vpc: str) -> Iterator[Finding]:
    """Either every subnet has a way out, or the VPC has an endpoint for each service."""
    tables = {subnet: _tables(ec2, subnet, vpc) for subnet in subnets}
    closed = {subnet: found for subnet, found in tables.items() if not _leads_out(found)}
    if not closed:
        yield ok("AWS's services", "every subnet has a way out")
        return
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=filters)
    there = [one for page in pages for one in page["VpcEndpoints"] if one["State"] == "available"]
    wanted = [service_name(service, spec.region) for service in (GATEWAY, *services_of(spec))]
    lacking = [service for service in wanted if service not in {one["ServiceName"] for one in there}]
    if lacking:
        ask = f"make them (aws ec2 create-vpc-endpoint --vpc-id {vpc} …), or give the subnets a NAT gateway"
        says = f"{', '.join(closed)}: no way out, and no endpoint for {', '.join(lacking)}"
        yield missing("AWS's services", says, ask)
    else:
        yield ok("AWS's services", "an endpoint for each")
    of_s3 = [one for one in there if one["ServiceName"] == service_name(GATEWAY, spec.region)]
    yield from _gateway(of_s3, closed)
    yield from _private_names([one for one in there if one["ServiceName"] in wanted])


def _gateway(endpoints: list[dict[str, Any]], closed: Mapping[str, Sequence[Table]]) -> Iterator[Finding]:
    """S3's gateway is a route in a table; an interface endpoint of S3 with private DNS does as well."""
    gateways = [one for one in endpoints if one["VpcEndpointType"] == "Gateway"]
    if not gateways or any(one.get("PrivateDnsEnabled") for one in endpoints):
        return
    routed = {table for one in gateways for table in one.get("RouteTableIds", ())}
    apart = {
        subnet: ", ".join(table["RouteTableId"] for table in tables)
        for subnet, tables in closed.items()
        if not any(table["RouteTableId"] in routed for table in tables)
    }
    if not apart:
        yield ok("S3's gateway", "in the route table of every subnet without a way out")
    else:
        endpoint, missed = gateways[0]["VpcEndpointId"], sorted(set(apart.values()))
        ask = f"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint} --add-route-table-ids"
        says = f"{', '.join(apart)}: no route to it"
        yield missing("S3's gateway", says, f"{ask} {' '.join(missed)}")


def _private_names(endpoints: list[dict[str, Any]]) -> Iterator[Finding]:
    """Whether the services' own names lead to their endpoints; with zones of one's own they may as well."""
    named = {one["ServiceName"] for one in endpoints if one.get("PrivateDnsEnabled")}
    nameless = [
        one for one in endpoints if one["VpcEndpointType"] == "Interface" and one["ServiceName"] not in named
    ]
    if nameless:
        services = ", ".join(sorted({one["ServiceName"] for one in nameless}))
        says = f"{services}: private DNS is off; only a private hosted zone of yours leads to the endpoint"
        ask = "aws ec2 modify-vpc-endpoint --private-dns-enabled --vpc-endpoint-id"
        asks = "\n".join(f"{ask} {one['VpcEndpointId']}" for one in nameless)
        yield unknown("endpoints' names", says, asks)


def _tables(ec2: Any, subnet: str, vpc: str) -> list[Table]:
    """The route table of a subnet: its own, or the VPC's main one."""
    choices = (
        [{"Name": "association.subnet-id", "Values": [subnet]}],
        [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}],
    )
    for filters in choices:
        tables: list[Table] = ec2.describe_route_tables(Filters=filters)["RouteTables"]
        if tables:
            return tables
    return []


def _routes(tables: Sequence[Table]) -> Iterator[Mapping[str, Any]]:
    for table in tables:
        yield from (route for route in table["Routes"] if route.get("State") != "blackhole")


def _leads_out(tables: Sequence[Table]) -> bool:
    """An internet gateway is no way out for what has no public address, as nothing of SageMaker has."""
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0" and not route.get("GatewayId", "").startswith("igw-")
        for route in _routes(tables)
    )


def _leads_on(tables: Sequence[Table]) -> bool:
    """Whether there is a route to another network."""
    return _leads_out(tables) or any(route.get(key) for route in _routes(tables) for key in ELSEWHERE)
