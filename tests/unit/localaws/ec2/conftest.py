"""One embedded AWS for the tests of EC2; each test gets a VPC of its own."""

from collections.abc import Iterator

import pytest

from localaws.server import Server

ACCOUNT, REGION = "777700002222", "eu-west-1"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded AWS."""
    folder = tmp_path_factory.mktemp("localaws")
    server = Server(folder / "data", folder / "cache")
    server.start()
    yield server
    server.stop()


class Network:
    """A VPC with two subnets and a security group."""

    def __init__(self, server: Server) -> None:
        self.world, self.account, self.region = server.world, ACCOUNT, REGION
        self.ec2 = server.world.client("ec2", ACCOUNT, REGION)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.subnets = [self.subnet("10.0.0.0/24", "a"), self.subnet("10.0.1.0/24", "c")]
        self.group = self.new_group("jobs")

    def subnet(self, cidr: str, zone: str) -> str:
        """The id of a new subnet."""
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=f"{self.region}{zone}")
        return made["Subnet"]["SubnetId"]

    def new_group(self, name: str) -> str:
        """The id of a new security group."""
        return self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]

    def service(self, name: str) -> str:
        """The name of a service's endpoints here."""
        return f"com.amazonaws.{self.region}.{name}"

    def endpoint(self, name: str, **params: object) -> str:
        """The id of a new interface endpoint in the first subnet."""
        defaults = {
            "VpcEndpointType": "Interface",
            "SubnetIds": self.subnets[:1],
            "SecurityGroupIds": [self.group],
        }
        made = self.ec2.create_vpc_endpoint(
            VpcId=self.vpc, ServiceName=self.service(name), **(defaults | params)
        )
        return made["VpcEndpoint"]["VpcEndpointId"]

    def interfaces(self) -> list[dict[str, object]]:
        """The interfaces in the VPC."""
        where = [{"Name": "vpc-id", "Values": [self.vpc]}]
        return self.ec2.describe_network_interfaces(Filters=where)["NetworkInterfaces"]


@pytest.fixture
def network(server: Server) -> Network:
    """A network of the test's own."""
    return Network(server)
