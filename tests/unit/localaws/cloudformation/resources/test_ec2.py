"""The types of a network: what a template says is what EC2 answers, until it is taken away."""

import json

import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation.resource import ResourceFailed

TAGS = {"Tags": [{"Key": "a", "Value": "b"}]}
STACK_TAGS = {"team": "vision"}


@pytest.fixture
def make(types, make_context):
    """Makes a resource of an EC2 type and returns its id."""

    def created(name, **props):
        return types[f"AWS::EC2::{name}"].create(make_context(), props).physical_id

    return created


@pytest.fixture
def vpc(make):
    """A VPC whose endpoints may have private names."""
    return make("VPC", CidrBlock="10.0.0.0/16", EnableDnsHostnames=True)


@pytest.fixture
def subnets(make, vpc):
    """Two subnets in two zones."""
    return [
        make("Subnet", VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"eu-west-1{zone}")
        for number, zone in enumerate("ac")
    ]


@pytest.fixture
def tables(make, vpc):
    """Two route tables."""
    return [make("RouteTable", VpcId=vpc) for _ in "ab"]


def tags(client, resource_id):
    """A resource's tags as a mapping; None for a resource that is gone."""
    ec2 = client("ec2")
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [resource_id]}])["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def tagged(look):
    """A look at what `look` sees and at the tags of it."""
    return lambda client, one: (seen := look(client, one)) and (seen, tags(client, one))


def attribute(name):
    """A look at one of a VPC's DNS attributes."""
    return lambda client, vpc: client("ec2").describe_vpc_attribute(VpcId=vpc, Attribute=name)[
        name[0].upper() + name[1:]
    ]["Value"]


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (attribute("enableDnsSupport"), [({}, True), ({"EnableDnsSupport": "false"}, False)]),
        (attribute("enableDnsHostnames"), [({}, False), ({"EnableDnsHostnames": True}, True)]),
        (
            tagged(lambda client, vpc: client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlock"]),
            [
                (TAGS, ("10.1.0.0/24", {"a": "b", **STACK_TAGS})),
                ({}, ("10.1.0.0/24", STACK_TAGS)),
            ],
        ),
    ],
)
def test_each_property_of_a_vpc_is_set_changed_and_taken_back(live, look, steps):
    """Its attributes name what came with it."""
    created = live(
        "AWS::EC2::VPC", look, [({"CidrBlock": "10.1.0.0/24", **one}, seen) for one, seen in steps]
    )
    assert created.attributes["DefaultSecurityGroup"].startswith("sg-")


def test_a_subnet_lies_where_its_template_says(live, vpc):
    """Whether it gives public addresses can change."""

    def look(client, subnet):
        [found] = client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"]
        return [found[name] for name in ("CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch")]

    base = {"VpcId": vpc, "CidrBlock": "10.0.8.0/24", "AvailabilityZone": "eu-west-1c"}
    where = ["10.0.8.0/24", "eu-west-1c"]
    steps = [
        (base, ([*where, False], STACK_TAGS)),
        ({**base, **TAGS, "MapPublicIpOnLaunch": True}, ([*where, True], {"a": "b", **STACK_TAGS})),
    ]
    live("AWS::EC2::Subnet", tagged(look), steps)


def test_a_subnet_without_a_zone_lies_in_one_of_its_region(make, vpc, context):
    """The first."""
    subnet = make("Subnet", VpcId=vpc, CidrBlock="10.0.9.0/24")
    [found] = context.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert found["AvailabilityZone"] == "eu-west-1a"


def routes(client, table):
    """Where a route table leads, by destination."""
    [found] = client("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"]
    return {
        route.get("DestinationCidrBlock") or route.get("DestinationPrefixListId"): route.get("GatewayId")
        for route in found["Routes"]
        if route.get("GatewayId") != "local"
    }


def test_a_route_leads_where_its_template_says(live, make, vpc, tables):
    """It can be led another way."""
    gateways = [make("InternetGateway") for _ in "ab"]
    base = {"RouteTableId": tables[0], "DestinationCidrBlock": "0.0.0.0/0"}
    steps = [({**base, "GatewayId": gateway}, {"0.0.0.0/0": gateway}) for gateway in gateways]
    live("AWS::EC2::Route", lambda client, _: routes(client, tables[0]) or None, steps)


def test_a_subnet_is_led_from_one_table_to_another(types, make_context, subnets, tables):
    """CloudFormation makes the new association before it deletes the old one, which is then gone."""
    kind = types["AWS::EC2::SubnetRouteTableAssociation"]
    context = make_context()
    made = []
    for table in tables:
        props = {"SubnetId": subnets[0], "RouteTableId": table}
        made.append((kind.create(context, props).physical_id, props))
    kind.delete(context, *made[0])
    shown = context.client("ec2").describe_route_tables(RouteTableIds=tables)["RouteTables"]
    used = {table["RouteTableId"]: [one["SubnetId"] for one in table["Associations"]] for table in shown}
    assert used == {tables[0]: [], tables[1]: [subnets[0]]}
    for _ in "ab":
        kind.delete(context, *made[1])


def rule(port, **peer):
    """A rule for one TCP port."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}


def rules(direction):
    """A look at the ports that a group lets through in one direction."""

    def look(client, group):
        [found] = client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
        listed = found["IpPermissions" if direction == "ingress" else "IpPermissionsEgress"]
        return sorted(one.get("FromPort", -1) for one in listed)

    return look


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (
            rules("ingress"),
            [
                (
                    {
                        "SecurityGroupIngress": [
                            rule(443, CidrIp="10.0.0.0/16"),
                            rule(22, CidrIp="10.0.0.0/16"),
                        ]
                    },
                    [22, 443],
                ),
                (
                    {
                        "SecurityGroupIngress": [
                            rule(22, CidrIp="10.0.0.0/16"),
                            rule(80, CidrIp="10.0.0.0/16"),
                        ]
                    },
                    [22, 80],
                ),
            ],
        ),
        (
            rules("egress"),
            [
                ({"SecurityGroupEgress": [rule(443, CidrIp="0.0.0.0/0")]}, [443]),
                ({}, [-1]),
            ],
        ),
    ],
)
def test_the_rules_of_a_group_are_those_of_its_template(live, vpc, look, steps):
    """A group that lists none for what goes out lets everything out."""
    base = {"GroupDescription": "Jobs", "VpcId": vpc}
    live("AWS::EC2::SecurityGroup", look, [({**base, **props}, seen) for props, seen in steps])


@pytest.mark.parametrize(
    ("name", "peer", "listed"),
    [
        ("Ingress", "SourceSecurityGroupId", "IpPermissions"),
        ("Egress", "DestinationSecurityGroupId", "IpPermissionsEgress"),
    ],
)
def test_a_rule_that_stands_alone_comes_and_goes(live, make, vpc, name, peer, listed):
    """So that a group may name itself."""
    group = make("SecurityGroup", GroupDescription="Jobs", VpcId=vpc)

    def look(client, _):
        [found] = client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
        named = [one for one in found[listed] if one["UserIdGroupPairs"]]
        return [(one["FromPort"], one["UserIdGroupPairs"][0]["GroupId"]) for one in named] or None

    props = rule(2049, GroupId=group, **{peer: group})
    live(f"AWS::EC2::SecurityGroup{name}", look, [(props, [(2049, group)])])


def test_a_way_out_stands_and_falls_in_order(types, make_context, make, subnets, vpc):
    """Gateway, attachment, address and NAT gateway; what another needs stays until that is gone."""
    context = make_context()
    made = {}
    for name, props in (
        ("InternetGateway", lambda: TAGS),
        (
            "VPCGatewayAttachment",
            lambda: {"VpcId": vpc, "InternetGatewayId": made["InternetGateway"].physical_id},
        ),
        ("EIP", lambda: {"Domain": "vpc"}),
        (
            "NatGateway",
            lambda: {"SubnetId": subnets[0], "AllocationId": made["EIP"].attributes["AllocationId"]},
        ),
    ):
        kind = types[f"AWS::EC2::{name}"]
        made[name] = kind.create(context, props())
        assert kind.update(context, made[name].physical_id, props(), props()) == made[name]
    assert made["NatGateway"].attributes["EniId"].startswith("eni-")

    def delete(name):
        one = made[name]
        props = {"VpcId": vpc, "InternetGatewayId": made["InternetGateway"].physical_id}
        types[f"AWS::EC2::{name}"].delete(context, one.physical_id, props)

    for name in ("VPCGatewayAttachment", "EIP", "InternetGateway"):
        with pytest.raises(ClientError, match=r"DependencyViolation|InUse"):
            delete(name)
    for name in ("NatGateway", "EIP", "VPCGatewayAttachment", "InternetGateway"):
        for _ in "ab":
            delete(name)


def test_a_nat_gateway_without_a_way_out_fails_its_resource(types, context, make, subnets):
    """The failure names the gateway, so that the rollback removes it."""
    allocation = types["AWS::EC2::EIP"].create(context, {}).attributes["AllocationId"]
    with pytest.raises(ResourceFailed, match="no Internet gateway attached") as caught:
        make("NatGateway", SubnetId=subnets[0], AllocationId=allocation)
    assert caught.value.physical_id.startswith("nat-")


def endpoint(name):
    """A look at one member of an endpoint."""
    return lambda client, one: client("ec2").describe_vpc_endpoints(VpcEndpointIds=[one])["VpcEndpoints"][0][
        name
    ]


POLICY = {"Version": "2012-10-17", "Statement": []}


def test_an_interface_endpoint_follows_its_template(live, make, vpc, subnets):
    """Its subnets, groups and private names change in place."""
    groups = [make("SecurityGroup", GroupDescription=name, VpcId=vpc) for name in "ab"]

    def look(client, one):
        found = client("ec2").describe_vpc_endpoints(VpcEndpointIds=[one])["VpcEndpoints"][0]
        guards = [group["GroupId"] for group in found["Groups"]]
        return sorted(found["SubnetIds"]), guards, found["PrivateDnsEnabled"], tags(client, one)

    base = {"VpcId": vpc, "ServiceName": "com.amazonaws.eu-west-1.sts", "VpcEndpointType": "Interface"}
    first = {"SubnetIds": subnets[:1], "SecurityGroupIds": groups[:1], "PrivateDnsEnabled": True}
    then = {"SubnetIds": subnets, "SecurityGroupIds": groups[1:], **TAGS}
    steps = [
        ({**base, **first}, (subnets[:1], groups[:1], True, STACK_TAGS)),
        ({**base, **then}, (sorted(subnets), groups[1:], False, {"a": "b", **STACK_TAGS})),
    ]
    live("AWS::EC2::VPCEndpoint", look, steps)


def test_a_gateway_endpoint_follows_its_template(live, vpc, tables):
    """Its policy too, which lets everybody do everything where the template has none."""

    def look(client, one):
        found = json.loads(endpoint("PolicyDocument")(client, one))
        return [bool(routes(client, table)) for table in tables], len(found["Statement"])

    base = {"VpcId": vpc, "ServiceName": "com.amazonaws.eu-west-1.s3"}
    steps = [
        ({**base, "RouteTableIds": tables[:1], "PolicyDocument": POLICY}, ([True, False], 0)),
        ({**base, "RouteTableIds": tables[1:]}, ([False, True], 1)),
    ]
    live("AWS::EC2::VPCEndpoint", look, steps)


def test_a_flow_log_comes_and_goes(live, vpc):
    """Only its tags can change."""

    def look(client, log):
        found = client("ec2").describe_flow_logs(FlowLogIds=[log])["FlowLogs"]
        return [found[0]["ResourceId"], tags(client, log)] if found else None

    base = {
        "ResourceId": vpc,
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogGroupName": "flows",
        "DeliverLogsPermissionArn": "arn:aws:iam::111122223333:role/flows",
    }
    steps = [(base, [vpc, STACK_TAGS]), ({**base, **TAGS}, [vpc, {"a": "b", **STACK_TAGS}])]
    live("AWS::EC2::FlowLog", look, steps)
