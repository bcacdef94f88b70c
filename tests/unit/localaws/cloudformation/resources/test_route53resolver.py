"""The DNS Firewall: lists, groups of rules, and the VPCs that they guard."""

import pytest
from botocore.exceptions import ClientError

LIST, GROUP, ASSOCIATION = (
    f"AWS::Route53Resolver::Firewall{name}" for name in ("DomainList", "RuleGroup", "RuleGroupAssociation")
)
TAGS = {"Tags": [{"Key": "a", "Value": "b"}]}


@pytest.fixture
def make(types, make_context):
    """Makes a resource and returns its id."""
    return lambda name, **props: types[name].create(make_context(), props).physical_id


def test_a_list_holds_the_names_of_its_template(live):
    """And its tags, those of the stack included."""

    def look(client, one):
        resolver = client("route53resolver")
        arn = resolver.get_firewall_domain_list(FirewallDomainListId=one)["FirewallDomainList"]["Arn"]
        tags = resolver.list_tags_for_resource(ResourceArn=arn)["Tags"]
        domains = resolver.list_firewall_domains(FirewallDomainListId=one)["Domains"]
        return domains, [tag["Key"] for tag in tags]

    first, then = {"Domains": ["pypi.org", "*.pypi.org"], **TAGS}, {"Domains": ["github.com"]}
    live(
        LIST,
        look,
        [(first, (["pypi.org.", "*.pypi.org."], ["team", "a"])), (then, (["github.com."], ["team"]))],
    )


def test_a_group_holds_the_rules_of_its_template(live, make):
    """In the order of their priorities."""
    lists = [make(LIST, Domains=[domain]) for domain in ("*", "pypi.org")]

    def rule(priority, action, one, **more):
        return {"Priority": priority, "Action": action, "FirewallDomainListId": one, **more}

    def look(client, one):
        rules = client("route53resolver").list_firewall_rules(FirewallRuleGroupId=one)["FirewallRules"]
        return [(found["Action"], found["FirewallDomainListId"]) for found in rules]

    block = rule(200, "BLOCK", lists[0], BlockResponse="NODATA")
    steps = [
        (
            {"FirewallRules": [block, rule(100, "ALLOW", lists[1])]},
            [("ALLOW", lists[1]), ("BLOCK", lists[0])],
        ),
        ({"FirewallRules": [block]}, [("BLOCK", lists[0])]),
        ({"FirewallRules": [{**block, "Action": "ALERT", "BlockResponse": None}]}, [("ALERT", lists[0])]),
    ]
    live(GROUP, look, steps)


def test_what_guards_a_vpc_stays_until_it_does_not(types, context, make):
    """The association holds the group, a rule holds its list; one priority is one group's."""
    vpc = context.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    domains = make(LIST, Domains=["*"])
    rules = [{"Priority": 1, "Action": "BLOCK", "BlockResponse": "NODATA", "FirewallDomainListId": domains}]
    groups = [make(GROUP, FirewallRules=rules) for _ in "ab"]
    props = {"FirewallRuleGroupId": groups[0], "VpcId": vpc, "Priority": 101}
    association = types[ASSOCIATION].create(context, props).physical_id
    for refused, params in (
        (types[GROUP].delete, (groups[0], {})),
        (types[LIST].delete, (domains, {})),
        (types[ASSOCIATION].create, ({**props, "FirewallRuleGroupId": groups[1]},)),
        (types[ASSOCIATION].create, ({**props, "Priority": 102},)),
    ):
        with pytest.raises(ClientError, match="ConflictException"):
            refused(context, *params)
    changed = types[ASSOCIATION].update(context, association, props, {**props, "Priority": 102, **TAGS})
    assert changed.physical_id == association
    for _ in "ab":
        types[ASSOCIATION].delete(context, association, props)
        for group in groups:
            types[GROUP].delete(context, group, {})
        types[LIST].delete(context, domains, {})


def test_a_vpc_that_does_not_exist_is_not_guarded(types, context, make):
    """Refused by name."""
    props = {"FirewallRuleGroupId": make(GROUP), "VpcId": "vpc-0123456789abcdef0", "Priority": 101}
    with pytest.raises(ClientError, match="vpc-0123456789abcdef0"):
        types[ASSOCIATION].create(context, props)
