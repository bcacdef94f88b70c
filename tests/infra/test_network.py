"""The network: what is made, who gets where, and what stays the same when it changes."""

from __future__ import annotations

import ipaddress
from collections import Counter

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from atelier.spec import instances
from atelier.spec.model import TeamEnvironment
from atelier.spec.network import Network as Declared
from atelier.spec.studio import Notebook, Studio
from atelier.spec.vpc_endpoints import RUNNING, SERVICES, WEB, WORKING, service_name
from stacks.app import new_app
from stacks.network import Network, NetworkProps

ACCOUNT, REGION = "111122223333", "eu-west-1"
EXISTING = {
    "mode": "existing",
    "vpc": "vpc-0a1b2c3d4e5f67890",
    "subnets": ["subnet-0a1b2c3d4e5f67890", "subnet-1a1b2c3d4e5f67890"],
}


def environment(features=None, **network):
    """An environment with this network, without jobs unless told otherwise."""
    fields = {
        "team": "net",
        "name": "dev",
        "owners": ["net@example.com"],
        "cost_centre": None,
        "account": ACCOUNT,
        "region": REGION,
        "retain": False,
        "approval": "automatic",
        "notify": [],
        "images": {},
        "jobs": {},
        "endpoints": {},
        "other_accounts": ["444455556666"],
        "network": Declared(**{"mode": "created", **network}),
    }
    return TeamEnvironment(**fields | (features or {}))


@pytest.fixture
def made(tmp_path):
    """Gives the stack of an environment's network and the resources in its template."""

    def make(features=None, **network):
        app = new_app(outdir=str(tmp_path))
        stack = Network(app, "network", NetworkProps(spec=environment(features, **network)))
        template = app.synth().get_stack_artifact(stack.artifact_id).template
        resources = template["Resources"]
        resources.pop("Nothing", None)
        return stack, resources

    return make


def of_type(resources, name):
    """The properties of the resources of one type, by logical ID."""
    return {id_: one["Properties"] for id_, one in resources.items() if one["Type"].endswith(f"::{name}")}


def services(resources):
    """The services with an interface endpoint, by the last part of their names."""
    names = (one["ServiceName"] for one in of_type(resources, "VPCEndpoint").values() if "SubnetIds" in one)
    prefixes = (f"com.amazonaws.{REGION}.", f"aws.sagemaker.{REGION}.")
    return sorted(name.removeprefix(prefixes[0]).removeprefix(prefixes[1]) for name in names)


@pytest.mark.parametrize("zones", [2, 3])
def test_a_network_is_closed_unless_it_is_opened(made, zones):
    """Private subnets, one in each zone, and nothing that leads to the internet."""
    stack, resources = made(zones=zones)
    subnets = of_type(resources, "Subnet")
    assert [one["AvailabilityZone"]["Fn::Select"][0] for one in subnets.values()] == list(range(zones))
    assert not any(one["MapPublicIpOnLaunch"] for one in subnets.values())
    assert len(stack.place.subnets) == zones
    kinds = Counter(one["Type"].rpartition("::")[2] for one in resources.values())
    assert not {"InternetGateway", "NatGateway", "Route", "EIP"} & set(kinds)
    [vpc] = of_type(resources, "VPC").values()
    assert vpc["EnableDnsSupport"]
    assert vpc["EnableDnsHostnames"]


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "192.168.7.0/24", "172.20.1.64/26"])
def test_another_zone_or_a_way_out_moves_no_subnet(made, cidr):
    """The addresses are divided alike; each part lies in the VPC, is large enough and overlaps no other."""
    small, large = (
        {one["CidrBlock"] for one in of_type(made(cidr=cidr, **more)[1], "Subnet").values()}
        for more in ({"zones": 2}, {"zones": 3, "internet": "nat"})
    )
    assert small < large
    parts = [ipaddress.ip_network(one) for one in large]
    assert all(part.subnet_of(ipaddress.ip_network(cidr)) and part.prefixlen <= 28 for part in parts)
    assert not any(a.overlaps(b) for a in parts for b in parts if a is not b)


def test_what_runs_there_talks_to_itself_and_by_https(made):
    """One group: its members among themselves on any port, 443 as far as routes lead."""
    _, resources = made()
    workloads = resources["Workloads"]["Properties"]
    assert [rule["FromPort"] for rule in workloads["SecurityGroupEgress"]] == [443]
    assert "SecurityGroupIngress" not in workloads
    itself = {"Fn::GetAtt": ["Workloads", "GroupId"]}
    [ingress], [egress] = (
        of_type(resources, f"SecurityGroup{way}").values() for way in ("Ingress", "Egress")
    )
    assert (ingress["GroupId"], ingress["SourceSecurityGroupId"], ingress["IpProtocol"]) == (
        itself,
        itself,
        "-1",
    )
    assert (egress["GroupId"], egress["DestinationSecurityGroupId"]) == (itself, itself)


JOB = {"script": "curve_sklearn", "framework": {"name": "sklearn"}, "channels": {"train": "a/"}}
STUDIO = Studio(repositories=["https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/a"])


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({}, []),
        ({"jobs": {"a": JOB}}, [*RUNNING]),
        ({"notebooks": {"a": Notebook()}}, [*WORKING, "notebook"]),
        ({"studio": Studio()}, [*WORKING, "events", "studio"]),
        (
            {"studio": STUDIO},
            [*WORKING, "codecommit", "events", "git-codecommit", "secretsmanager", "studio"],
        ),
        (
            {"studio": Studio(project_templates=True), "notebooks": {"a": Notebook()}},
            [*WORKING, "events", "notebook", "servicecatalog", "studio"],
        ),
    ],
)
def test_there_is_an_endpoint_for_each_service_that_is_used_and_no_other(made, features, expected):
    """They cost for each hour and zone; S3's gateway costs nothing and is always there."""
    _, resources = made(features)
    assert services(resources) == sorted(expected)
    gateways = [one for one in of_type(resources, "VPCEndpoint").values() if "RouteTableIds" in one]
    assert [one["ServiceName"] for one in gateways] == [f"com.amazonaws.{REGION}.s3"]


def test_a_service_is_called_what_the_cdk_calls_it():
    """In every region, those of China and of sovereign clouds included."""
    app = cdk.App()
    services = {service for used in SERVICES.values() for service in used}
    for region in instances.regions():
        stack = cdk.Stack(app, region, env=cdk.Environment(account=ACCOUNT, region=region))
        known = {
            one: ec2.InterfaceVpcEndpointAwsService(one, "aws.sagemaker" if one in WEB else None).name
            for one in services
        }
        assert stack.resolve(known) == {one: service_name(one, region) for one in services}


def test_shared_endpoints_are_none_of_its_own(made):
    """But S3's gateway, which cannot be shared."""
    _, resources = made({"studio": Studio()}, endpoints="shared")
    assert services(resources) == []
    assert len(of_type(resources, "VPCEndpoint")) == 1


def test_only_this_accounts_principals_come_through_an_endpoint(made):
    """Each statement asks for the account, but for what AWS publishes and for SageMaker's web interfaces."""
    _, resources = made({"jobs": {"a": JOB}, "studio": Studio()})
    for one in of_type(resources, "VPCEndpoint").values():
        if one["ServiceName"].endswith(".studio"):
            assert "PolicyDocument" not in one
            continue
        for statement in one["PolicyDocument"]["Statement"]:
            account = statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalAccount")
            assert account == ACCOUNT or statement["Sid"] == "WhatAwsPublishes"
    [s3] = [one for one in of_type(resources, "VPCEndpoint").values() if "RouteTableIds" in one]
    statements = {one["Sid"]: one for one in s3["PolicyDocument"]["Statement"]}
    written_to = statements["OwnBuckets"]["Condition"]["StringEquals"]["aws:ResourceAccount"]
    assert written_to == [ACCOUNT, "444455556666"]
    assert all(action.startswith(("s3:Get", "s3:List")) for action in statements["ReadElsewhere"]["Action"])
    assert statements["WhatAwsPublishes"]["Action"] == ["s3:GetObject"]


def test_endpoints_answer_the_networks_own_and_ask_nobody(made):
    """Their group lets in 443 from the group of what runs there, and nothing out."""
    _, resources = made({"jobs": {"a": JOB}})
    groups = of_type(resources, "SecurityGroup")
    [endpoints] = [one for id_, one in groups.items() if id_ != "Workloads"]
    [rule] = endpoints["SecurityGroupIngress"]
    assert (rule["FromPort"], rule["SourceSecurityGroupId"]) == (
        443,
        {"Fn::GetAtt": ["Workloads", "GroupId"]},
    )
    assert [rule["CidrIp"] for rule in endpoints["SecurityGroupEgress"]] == ["255.255.255.255/32"]


def test_the_way_out_is_one_nat_gateway_behind_a_firewall_of_names(made):
    """Private subnets are routed to it; names are refused but for those of AWS and of the team file."""
    _, resources = made(zones=3, internet="nat", allow=["pypi.org"])
    assert len(of_type(resources, "NatGateway")) == 1
    ways = [set(one) & {"NatGatewayId", "GatewayId"} for one in of_type(resources, "Route").values()]
    assert ways == [{"GatewayId"}, {"NatGatewayId"}]
    lists = of_type(resources, "FirewallDomainList")
    [group] = of_type(resources, "FirewallRuleGroup").values()
    rules = sorted(group["FirewallRules"], key=lambda rule: rule["Priority"])
    judged = [(rule["Action"], lists[rule["FirewallDomainListId"]["Ref"]]["Domains"]) for rule in rules]
    assert [action for action, _ in judged] == ["ALLOW", "BLOCK"]
    assert {"pypi.org", f"*.{REGION}.amazonaws.com"} < set(judged[0][1])
    assert judged[1][1] == ["*"]
    assert len(of_type(resources, "FirewallRuleGroupAssociation")) == 1


def test_without_a_list_every_name_may_be_asked_for(made):
    """The way out alone."""
    _, resources = made(internet="nat")
    assert not any("Firewall" in one["Type"] for one in resources.values())


def test_a_network_that_exists_is_used_as_it_is(made):
    """Nothing is made; with no security group, one is."""
    stack, resources = made(**EXISTING, security_groups=["sg-0a1b2c3d4e5f67890"])
    assert (resources, stack.is_empty) == ({}, True)
    assert (stack.vpc_id, stack.place.vpc_config) == (
        EXISTING["vpc"],
        {"Subnets": EXISTING["subnets"], "SecurityGroupIds": ["sg-0a1b2c3d4e5f67890"]},
    )
    stack, resources = made(**EXISTING)
    assert set(of_type(resources, "SecurityGroup")) == {"Workloads"}
    assert cdk.Token.is_unresolved(stack.security_group_id)


def test_without_a_network_there_is_no_place(made):
    """And nothing is made."""
    stack, resources = made(mode="none")
    assert (resources, stack.place, stack.vpc_id, stack.subnet_ids) == ({}, None, None, [])


def test_jobs_and_models_run_in_the_network(assembly):
    """Of its subnets, read rather than imported, so that one of them can be given up."""
    found = []
    for one in assembly.resources("AWS::StepFunctions::StateMachine", stage="research-dev"):
        definition = assembly.definition(one)
        if "createTrainingJob" in definition or "createModel" in definition:
            found.append(definition)
            assert "VpcConfig" in definition
            references = str(one.properties["DefinitionSubstitutions"])
            assert "Fn::GetStackOutput" in references
            assert "ExportsOutputRefPrivate" not in references
    assert found


def test_a_created_network_is_watched(assembly):
    """Its flows are recorded, encrypted and for a limited time; its default group is closed."""
    data = [one for one in assembly.resources(stage="research-dev") if one.stack == "research-dev-data"]
    [flows] = [one for one in data if one.type == "AWS::EC2::FlowLog"]
    [group] = [one for one in data if one.properties.get("LogGroupName") == "/aws/vpc/research-dev-flow-logs"]
    assert flows.properties["TrafficType"] == "ALL"
    assert {"KmsKeyId", "RetentionInDays"} < set(group.properties)
    assert any(one.type == "Custom::AtelierClosedGroup" for one in data)


def test_a_network_that_is_given_up_goes_last(assembly):
    """Its stack is deployed with nothing in it, as those of workplaces, once no other refers to it."""
    empty = assembly.resources(stage="vision-dev", type_="AWS::CloudFormation::WaitConditionHandle")
    assert {one.stack for one in empty} == {
        f"vision-dev-{kind}" for kind in ("network", "notebooks", "studio")
    }
    assert not any(
        "vision-dev-network" in str(template)
        for stack, template in assembly.templates.items()
        if stack != "vision-dev-network"
    )
