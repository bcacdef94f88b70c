"""The doctor against an embedded AWS: what it finds, and what it says to do about it."""

from __future__ import annotations

import json

import pytest
import yaml

from atelier.cli.doctor import cost, images, network
from atelier.cli.doctor.finding import Finding, run
from atelier.cli.target import choose_target

ACCOUNT, REGION = "111122223333", "eu-west-1"
SOMEBODY_ELSE = "444455556666"


@pytest.fixture
def declare(project):
    """Adds parts to the environment and to the file of the team `tiny`."""

    def add(environment=None, **parts):
        path = project / "teams/tiny.yaml"
        team = yaml.safe_load(path.read_text())
        team["environments"]["dev"] |= environment or {}
        path.write_text(yaml.safe_dump(team | parts))

    return add


@pytest.fixture
def doctor(atelier):
    """Runs the command; gives its exit code and the findings by what they are about."""

    def call():
        result = atelier("doctor", "tiny", "dev", "--json")
        assert result.stdout, result.stderr
        return result.exit_code, by_what(Finding(**one) for one in json.loads(result.stdout))

    return call


@pytest.fixture
def examine(deployed):
    """Runs one check; gives its findings by what they are about."""
    return lambda check: by_what(run(check, choose_target("tiny", "dev")))


def by_what(findings):
    """Findings by what they are about."""
    return {one.what: one for one in findings}


def test_what_lacks_is_named_with_the_line_that_gets_it(deployed, declare, doctor):
    """A GPU quota of 0 and an account without the CDK's bootstrap; what was asked for is then there."""
    jobs = {
        "curve": {"script": "curve", "framework": "pytorch", "instances": ["ml.m5.large", "ml.g5.xlarge"]}
    }
    declare(jobs=jobs, endpoints={})
    code, found = doctor()
    assert code == 1
    lacking = {what: one.ask for what, one in found.items() if one.state == "missing"}
    assert lacking.pop("CDK bootstrap") == f"npx cdk bootstrap aws://{ACCOUNT}/{REGION}"
    [(quota, ask)] = lacking.items()
    assert quota == "ml.g5.xlarge for training job usage"
    assert ask.startswith("aws service-quotas request-service-quota-increase --service-code sagemaker")
    assert ask.endswith(f"--desired-value 1 --region {REGION}")
    words = ask.split()
    deployed("service-quotas").request_service_quota_increase(
        ServiceCode="sagemaker", QuotaCode=words[words.index("--quota-code") + 1], DesiredValue=1
    )
    deployed("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
    code, found = doctor()
    assert code == 0
    assert not [one for one in found.values() if one.state == "missing"]


def test_of_another_account_only_that_is_said(server, project, monkeypatch, doctor):
    """The other checks would speak of the wrong account."""
    for name, value in server.world.environment(SOMEBODY_ELSE, REGION).items():
        monkeypatch.setenv(name, value)
    code, found = doctor()
    assert (code, list(found)) == (1, ["credentials"])
    assert f"they are of account {SOMEBODY_ELSE}" in found["credentials"].says


def test_a_network_that_exists_is_looked_at(deployed, declare, examine):
    """Subnets in one zone, without a way out and without endpoints; then with a NAT gateway's route."""
    ec2 = deployed("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]
        for number in range(2)
    ]
    wanted = {"mode": "existing", "vpc": vpc, "subnets": [one["SubnetId"] for one in subnets]}
    declare({"network": wanted})
    found = examine(network.network)
    assert found["VPC"].state == found["enableDnsSupport"].state == "ok"
    assert found["enableDnsHostnames"].ask == (
        f"aws ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-hostnames"
    )
    assert found["availability zones"].says == f"all subnets are in {REGION}a"
    assert "com.amazonaws.eu-west-1.sts" in found["AWS's services"].says

    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnets[0]["SubnetId"], AllocationId=address)["NatGateway"]
    [table] = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_route(
        RouteTableId=table["RouteTableId"],
        DestinationCidrBlock="0.0.0.0/0",
        NatGatewayId=nat["NatGatewayId"],
    )
    found = examine(network.network)
    assert found["enableDnsHostnames"].state == "ok"
    assert found["AWS's services"] == Finding("ok", "AWS's services", "every subnet has a way out")


@pytest.fixture
def closed(deployed, declare):
    """A VPC of the team's with a security group without rules, and two subnets without a way out.

    Gives EC2, and the ids of the VPC, of the group and of the subnets' own route table.
    """
    ec2 = deployed("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.8.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in enumerate("ab")
    ]
    ids = [one["Subnet"]["SubnetId"] for one in subnets]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    for subnet in ids:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    group = ec2.create_security_group(GroupName="ours", Description="ours", VpcId=vpc)["GroupId"]
    [everything] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything["IpPermissionsEgress"])
    network = {"mode": "existing", "vpc": vpc, "subnets": ids, "security_groups": [group]}
    declare({"network": network})
    return ec2, vpc, group, table


def test_the_rules_of_security_groups_are_looked_at(closed, examine):
    """Hosts talk among themselves in both ways, and HTTPS goes out; the group itself is nowhere out."""
    ec2, _, group, _ = closed
    asked = ("traffic among hosts, in", "traffic among hosts, out", "HTTPS out")
    found = examine(network.network)
    assert [found[what].state for what in asked] == ["missing"] * 3
    assert f"--group-id {group} " in found["HTTPS out"].ask

    itself = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=itself)
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=itself)
    found = examine(network.network)
    assert [found[what].state for what in asked] == ["ok", "ok", "missing"]

    ports = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[ports])
    assert examine(network.network)["HTTPS out"].state == "ok"


def test_endpoints_are_found_by_name_and_by_route(closed, examine, declare):
    """An endpoint without private DNS and S3's gateway in another route table are there, and no way."""
    ec2, vpc, _, table = closed
    declare(jobs={"curve": {"script": "curve", "framework": "sklearn"}}, endpoints={})
    [main] = ec2.describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    )["RouteTables"]
    gateway = ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{REGION}.s3",
        RouteTableIds=[main["RouteTableId"]],
    )["VpcEndpoint"]["VpcEndpointId"]
    for service in ("ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "sagemaker.api", "sts"):
        ec2.create_vpc_endpoint(
            VpcId=vpc,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{REGION}.{service}",
            PrivateDnsEnabled=service != "sts",
        )
    found = examine(network.network)
    assert found["AWS's services"].state == "ok"
    assert found["S3's gateway"].state == "missing"
    assert found["S3's gateway"].ask == (
        f"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {gateway} --add-route-table-ids {table}"
    )
    assert found["endpoints' names"].state == "cannot tell"
    assert found["endpoints' names"].says.startswith(f"com.amazonaws.{REGION}.sts: private DNS is off")
    assert found["endpoints' names"].ask.count("--private-dns-enabled") == 1

    ec2.modify_vpc_endpoint(VpcEndpointId=gateway, AddRouteTableIds=[table])
    assert examine(network.network)["S3's gateway"].state == "ok"


def test_a_network_for_shared_endpoints_is_to_be_connected(deployed, declare, examine):
    """Once it is there, each of its subnets has a route to another network."""
    declare({"network": {"mode": "created", "endpoints": "shared"}})
    assert examine(network.connection)["shared endpoints"].state == "cannot tell"

    ec2 = deployed("ec2")
    tags = [{"Key": "team", "Value": "tiny"}, {"Key": "environment", "Value": "dev"}]
    tagged = [{"ResourceType": "vpc", "Tags": tags}]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    found = examine(network.connection)["shared endpoints"]
    assert (found.state, found.says) == ("missing", f"{subnet}: no route to another network")
    assert "private hosted zones" in found.ask

    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]
    [table] = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_route(
        RouteTableId=table["RouteTableId"],
        DestinationCidrBlock="10.9.0.0/16",
        VpcPeeringConnectionId=peering["VpcPeeringConnectionId"],
    )
    assert examine(network.connection)["shared endpoints"].state == "ok"

    declare({"network": {"mode": "created"}})
    assert examine(network.connection) == {}


def test_a_network_that_does_not_exist_is_missing(deployed, declare, examine):
    """With AWS's own words, which name it."""
    subnets = ["subnet-0123456789abcdef0", "subnet-1123456789abcdef0"]
    wanted = {"mode": "existing", "vpc": "vpc-0123456789abcdef0", "subnets": subnets}
    declare({"network": wanted})
    found = examine(network.network)
    assert found["network"].state == "missing"
    assert "vpc-0123456789abcdef0" in found["network"].says


def test_a_budget_that_stopped_the_environment_is_named_with_the_way_to_lift_it(deployed, declare, examine):
    """The stop is something that lacks, as nothing new can be made."""
    budgets, iam = deployed("budgets"), deployed("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "a:b", "Resource": "*"}]}
    policy = iam.create_policy(PolicyName="stop", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.create_role(RoleName="tiny-spender", AssumeRolePolicyDocument=json.dumps(document))
    declare({"budget": {"monthly_usd": 100, "alerts": [50], "stop_at_limit": True}})
    found = examine(cost.budget)
    assert found["budget"].says == "tiny-dev-50 comes with the next deployment"

    where = {"AccountId": ACCOUNT, "BudgetName": "tiny-dev-50"}
    budget = {
        "BudgetName": "tiny-dev-50",
        "BudgetLimit": {"Amount": "100", "Unit": "USD"},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
    }
    budgets.create_budget(AccountId=ACCOUNT, Budget=budget)
    action = budgets.create_budget_action(
        **where,
        NotificationType="ACTUAL",
        ActionType="APPLY_IAM_POLICY",
        ActionThreshold={"ActionThresholdType": "PERCENTAGE", "ActionThresholdValue": 100},
        Definition={"IamActionDefinition": {"PolicyArn": policy, "Roles": ["tiny-spender"]}},
        ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/executor",
        ApprovalModel="AUTOMATIC",
        Subscribers=[{"SubscriptionType": "EMAIL", "Address": "you@example.com"}],
    )["ActionId"]
    spent = {"ActualSpend": {"Amount": "120", "Unit": "USD"}}
    budgets.update_budget(AccountId=ACCOUNT, NewBudget={**budget, "CalculatedSpend": spent})
    found = examine(cost.budget)
    assert found["budget"].says == "tiny-dev-50: $120.00 of $100 this month"
    assert f"--action-id {action} --execution-type REVERSE_BUDGET_ACTION" in found["budget's stop"].ask
    budgets.execute_budget_action(**where, ActionId=action, ExecutionType="REVERSE_BUDGET_ACTION")
    found = examine(cost.budget)
    assert "budget's stop" not in found


def test_an_own_image_is_there_once_it_is_pushed(deployed, declare, examine):
    """Under its tag; before, the way to push it is said."""
    studio = {
        "users": {"ada": {"persona": "admin"}},
        "images": {"lab": {"image": "workbench", "tag": "1.0.0"}},
    }
    parts = {"images": {"workbench": {}}, "studio": studio}
    declare({"network": {"mode": "created", "internet": "nat"}}, **parts)
    found = examine(images.images)
    assert found["image workbench:1.0.0"].state == "missing"
    assert "image push workbench --tag 1.0.0" in found["image workbench:1.0.0"].ask
    ecr = deployed("ecr")
    ecr.create_repository(repositoryName="tiny-dev/workbench")
    ecr.put_image(repositoryName="tiny-dev/workbench", imageManifest=json.dumps(MANIFEST), imageTag="1.0.0")
    found = examine(images.images)
    assert found["image workbench:1.0.0"].state == "ok"


MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"mediaType": "a", "size": 1, "digest": "sha256:" + "0" * 64},
    "layers": [],
}
