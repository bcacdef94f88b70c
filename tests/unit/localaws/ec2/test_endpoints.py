"""VPC endpoints: where they stand, what guards them, what leads to them, what is refused."""

import json

import pytest
from botocore.exceptions import ClientError


def described(network, endpoint):
    """An endpoint as EC2 shows it."""
    return network.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]


def placed(network):
    """The subnets of the VPC's interfaces, and the groups of each."""
    return {
        found["SubnetId"]: sorted(group["GroupId"] for group in found["Groups"])
        for found in network.interfaces()
    }


def test_an_interface_endpoint_stands_in_its_subnets(network):
    """With its groups, wherever it is moved, and nowhere once it is deleted."""
    first, second = network.subnets
    other = network.new_group("other")
    endpoint = network.endpoint("sts")
    assert described(network, endpoint)["PrivateDnsEnabled"] is True
    assert placed(network) == {first: [network.group]}
    network.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, AddSubnetIds=[second], AddSecurityGroupIds=[other]
    )
    assert placed(network) == dict.fromkeys(network.subnets, sorted([network.group, other]))
    network.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, RemoveSubnetIds=[first], RemoveSecurityGroupIds=[network.group]
    )
    assert placed(network) == {second: [other]}
    assert len(described(network, endpoint)["NetworkInterfaceIds"]) == 1
    network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert placed(network) == {}
    with pytest.raises(ClientError, match="InvalidVpcEndpointId"):
        described(network, endpoint)


def test_a_gateway_endpoint_leads_routes_to_s3(network):
    """Of the route tables that it names, as long as it names them."""
    ec2 = network.ec2
    tables = [
        ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"] for _ in network.subnets
    ]

    def leading():
        found = ec2.describe_route_tables(RouteTableIds=tables)["RouteTables"]
        return [
            table["RouteTableId"]
            for table in found
            if any(route.get("DestinationPrefixListId") for route in table["Routes"])
        ]

    s3 = {"VpcId": network.vpc, "ServiceName": network.service("s3")}
    made = ec2.create_vpc_endpoint(**s3, RouteTableIds=tables[:1])["VpcEndpoint"]["VpcEndpointId"]
    assert leading() == tables[:1]
    with pytest.raises(ClientError, match="RouteAlreadyExists"):
        ec2.create_vpc_endpoint(**s3, RouteTableIds=tables[:1])
    ec2.modify_vpc_endpoint(VpcEndpointId=made, AddRouteTableIds=tables[1:], RemoveRouteTableIds=tables[:1])
    assert leading() == tables[1:]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
    assert leading() == []
    assert (
        ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])["VpcEndpoints"]
        == []
    )


def test_the_policy_of_an_endpoint_changes_and_is_taken_back(network):
    """Without one of its own, an endpoint lets everybody do everything."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    endpoint = network.endpoint("kms", PolicyDocument=policy)
    assert described(network, endpoint)["PolicyDocument"] == policy
    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    [statement] = json.loads(described(network, endpoint)["PolicyDocument"])["Statement"]
    assert (statement["Principal"], statement["Action"]) == ("*", "*")


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("no-such-service", {}, "InvalidServiceName"),
        ("sts", {"VpcEndpointType": "Gateway", "SubnetIds": [], "SecurityGroupIds": []}, "InvalidParameter"),
        ("sts", {"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ("sts", {"SubnetIds": ["subnet-0123456789abcdef0"]}, "InvalidSubnetID.NotFound"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(network, name, params, code):
    """By the code that AWS answers, and leaves nothing behind."""
    with pytest.raises(ClientError) as caught:
        network.endpoint(name, **params)
    assert caught.value.response["Error"]["Code"] == code
    assert network.interfaces() == []


def test_the_same_service_has_one_private_name(network):
    """A second endpoint with private DNS is refused; one without it is not."""
    network.endpoint("logs")
    with pytest.raises(ClientError, match="conflicting DNS domain"):
        network.endpoint("logs")
    network.endpoint("logs", PrivateDnsEnabled=False)


def test_one_subnet_a_zone(network):
    """A second in the same zone is refused."""
    beside = network.subnet("10.0.2.0/24", "a")
    with pytest.raises(ClientError, match="DuplicateSubnetsInSameZone"):
        network.endpoint("logs", SubnetIds=[network.subnets[0], beside])


def test_private_names_need_the_dns_of_the_vpc(network):
    """Both of its attributes."""
    network.ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": False})
    with pytest.raises(ClientError, match="enableDnsHostnames"):
        network.endpoint("logs")
