"""What is in use does not go, and goes as soon as it is not."""

import pytest
from botocore.exceptions import ClientError

from localaws.ec2 import attach_interface, detach_interface
from localaws.service import AwsError


def refused(delete, **params):
    """The code with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        delete(**params)
    return caught.value.response["Error"]["Code"]


def out(network):
    """An internet gateway attached to the network's VPC."""
    gateway = network.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    network.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    return gateway


def test_a_vpc_goes_last(network):
    """Not before its endpoints, groups, subnets, gateways, route tables, access lists; its own list too."""
    ec2, vpc = network.ec2, {"VpcId": network.vpc}
    gateway = {"InternetGatewayId": out(network)}
    table = {"RouteTableId": ec2.create_route_table(**vpc)["RouteTable"]["RouteTableId"]}
    endpoint = network.endpoint("sts")
    acl = {"NetworkAclId": ec2.create_network_acl(**vpc)["NetworkAcl"]["NetworkAclId"]}
    steps = [
        (ec2.delete_vpc_endpoints, {"VpcEndpointIds": [endpoint]}),
        (ec2.delete_security_group, {"GroupId": network.group}),
        (ec2.delete_subnet, {"SubnetId": network.subnets[0]}),
        (ec2.delete_subnet, {"SubnetId": network.subnets[1]}),
        (ec2.detach_internet_gateway, {**gateway, **vpc}),
        (ec2.delete_route_table, table),
        (ec2.delete_network_acl, acl),
    ]
    for delete, params in steps:
        assert refused(ec2.delete_vpc, **vpc) == "DependencyViolation"
        delete(**params)
    ec2.delete_vpc(**vpc)
    assert refused(ec2.describe_vpcs, VpcIds=[network.vpc]) == "InvalidVpcID.NotFound"
    assert network.vpc not in {acl["VpcId"] for acl in ec2.describe_network_acls()["NetworkAcls"]}


def test_the_interface_of_a_service_holds_its_subnet_and_groups(network):
    """As a mount target of EFS does; nobody but the service can delete it."""
    interface = attach_interface(
        network.world,
        network.account,
        network.region,
        subnet_id=network.subnets[0],
        group_ids=[network.group],
        description="EFS mount target",
    )
    [shown] = network.interfaces()
    assert (shown["RequesterManaged"], shown["Status"], shown["Description"]) == (
        True,
        "in-use",
        "EFS mount target",
    )
    assert shown["PrivateIpAddress"] == "10.0.0.4"  # the first that AWS does not keep
    ec2 = network.ec2
    assert refused(ec2.delete_network_interface, NetworkInterfaceId=interface) == "InvalidParameterValue"
    assert refused(ec2.delete_subnet, SubnetId=network.subnets[0]) == "DependencyViolation"
    assert refused(ec2.delete_security_group, GroupId=network.group) == "DependencyViolation"
    for _ in range(2):
        detach_interface(network.world, network.account, network.region, interface)
    ec2.delete_subnet(SubnetId=network.subnets[0])
    ec2.delete_security_group(GroupId=network.group)


def test_a_subnet_without_addresses_takes_no_interface(network):
    """A /28 has eleven; the twelfth is refused, and one that is given back is taken again."""
    small = network.subnet("10.0.9.0/28", "a")

    def attach():
        return attach_interface(
            network.world,
            network.account,
            network.region,
            subnet_id=small,
            group_ids=[network.group],
            description="one",
        )

    attached = [attach() for _ in range(11)]
    with pytest.raises(AwsError, match="not enough free addresses"):
        attach()
    shown = network.ec2.describe_subnets(SubnetIds=[small])["Subnets"][0]
    assert shown["AvailableIpAddressCount"] == 0
    detach_interface(network.world, network.account, network.region, attached[3])
    attach()


def test_a_group_that_another_names_does_not_go(network):
    """Neither by a rule for what comes in nor by one for what goes out; its own rules do not matter."""
    ec2, other = network.ec2, network.new_group("endpoints")
    pair = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}

    def naming(group):
        return [{**pair, "UserIdGroupPairs": [{"GroupId": group}]}]

    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=naming(network.group))
    ec2.authorize_security_group_egress(GroupId=other, IpPermissions=naming(network.group))
    assert refused(ec2.delete_security_group, GroupId=network.group) == "DependencyViolation"
    ec2.revoke_security_group_egress(GroupId=other, IpPermissions=naming(network.group))
    ec2.delete_security_group(GroupId=network.group)


def test_what_comes_with_a_vpc_is_not_deleted_alone(network):
    """Its default group and its main route table."""
    where = [{"Name": "vpc-id", "Values": [network.vpc]}]
    groups = network.ec2.describe_security_groups(Filters=where)["SecurityGroups"]
    [default] = [group["GroupId"] for group in groups if group["GroupName"] == "default"]
    [main] = network.ec2.describe_route_tables(Filters=where)["RouteTables"]
    assert refused(network.ec2.delete_security_group, GroupId=default) == "CannotDelete"
    assert refused(network.ec2.delete_route_table, RouteTableId=main["RouteTableId"]) == "DependencyViolation"


def test_a_nat_gateway_holds_its_subnet_address_and_way_out(network):
    """Until it is deleted; its address can then be given back and the internet gateway detached."""
    ec2, subnet = network.ec2, network.subnets[0]
    gateway = out(network)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    assert made["State"] == "available"
    assert [found["InterfaceType"] for found in network.interfaces()] == ["nat_gateway"]
    detach = {"InternetGatewayId": gateway, "VpcId": network.vpc}
    assert refused(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    assert refused(ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
    assert refused(ec2.detach_internet_gateway, **detach) == "DependencyViolation"
    taken = {"SubnetId": network.subnets[1], "AllocationId": address}
    assert refused(ec2.create_nat_gateway, **taken) == "Resource.AlreadyAssociated"
    ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
    assert network.interfaces() == []
    ec2.delete_subnet(SubnetId=subnet)
    ec2.release_address(AllocationId=address)
    ec2.detach_internet_gateway(**detach)


def test_a_nat_gateway_without_a_way_out_fails(network):
    """As on AWS: it is made, and says that its network has no internet gateway."""
    address = network.ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = network.ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address)["NatGateway"]
    assert (made["State"], made["FailureCode"]) == ("failed", "Gateway.NotAttached")
    assert network.interfaces() == []


def test_subnets_do_not_overlap(network):
    """Refused by EC2, as are those outside of their VPC."""
    where = {"VpcId": network.vpc, "AvailabilityZone": f"{network.region}a"}
    assert refused(network.ec2.create_subnet, CidrBlock="10.0.0.128/25", **where) == "InvalidSubnet.Conflict"
    assert refused(network.ec2.create_subnet, CidrBlock="10.1.0.0/24", **where) == "InvalidSubnet.Range"


def test_a_dry_run_changes_nothing(network):
    """It says that the request would have succeeded."""
    assert refused(network.ec2.delete_subnet, SubnetId=network.subnets[0], DryRun=True) == "DryRunOperation"
    network.ec2.describe_subnets(SubnetIds=network.subnets)
