"""The roles of people: who may assume them, how long their policies may get."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atelier.spec import instances
from atelier.spec.guardrails import Guardrails
from atelier.spec.jobs import Job
from atelier.spec.model import TeamEnvironment
from atelier.spec.studio import Studio, StudioUser
from stacks import permissions
from stacks.constructs.guardrail_conditions import THEMES, Place, guardrails
from stacks.constructs.permission import (
    POLICIES_LIMIT,
    POLICY_LIMIT,
    Permission,
    policy_size,
    split,
)
from stacks.people import TRUST_LIMIT, trusts_of_people
from stacks.personas import SENTENCES, Subject, permissions_of
from tools.isolation.simulator import Case, simulate

LONGEST = "ap-southeast-1"
ROOT = "arn:aws:iam::111122223333:root"
TYPES = sorted(instances.types("training"), key=len)[-40:]
"""As many as a team file may list, and the longest that there are."""
PLACE = Place(
    subnets=[f"subnet-{number:017}" for number in range(16)], security_groups=["sg-" + "0" * 17] * 5
)


def spec(jobs: int = 0) -> TeamEnvironment:
    """An environment with names and lists as long as they may be."""
    return TeamEnvironment(
        team="t" * 20,
        name="e" * 20,
        owners=["a@example.com"],
        cost_centre=None,
        account="111122223333",
        region=LONGEST,
        retain=False,
        approval="automatic",
        notify=[],
        images={},
        jobs={
            f"job-with-a-name-{number:03}": Job(
                script="curve_sklearn",
                channels={
                    channel: f"a/folder/with/a/long/name/job-{number:03}/{channel}/"
                    for channel in ("train", "validation", "test")
                },
            )
            for number in range(jobs)
        },
        endpoints={},
        studio=Studio(users={"ada": StudioUser(persona="admin")}),
        guardrails=Guardrails(
            training_instances=TYPES,
            endpoint_instances=TYPES,
            studio_instances=TYPES,
            notebook_instances=TYPES,
            max_runtime_minutes=28 * 24 * 60,
            network_isolation=True,
            require_vpc=True,
        ),
    )


@pytest.mark.parametrize("kind", permissions.KINDS)
def test_boundaries_of_the_longest_names_fit_into_a_managed_policy(kind):
    """A role has one boundary, so the longest team, environment and region must fit into 6,144 characters."""
    assert policy_size(permissions.boundary(kind, spec(), PLACE)) <= POLICY_LIMIT


@pytest.mark.parametrize("theme", THEMES)
def test_guardrails_with_the_longest_lists_fit_into_a_managed_policy(theme):
    """As many types as a team file may list, as many subnets and groups as SageMaker takes."""
    assert policy_size(guardrails(theme, spec(), PLACE)) <= POLICY_LIMIT


@pytest.mark.parametrize("persona", SENTENCES)
def test_policies_of_a_team_of_40_jobs_are_split_and_still_fit_a_role(persona):
    """Nothing is lost, no policy is too long, and the guardrails fit beside them among the ten of a role."""
    subject = Subject(spec=spec(jobs=40), key_arn="k" * 100, execution_role_arn="r" * 100)
    wanted = permissions_of(persona, subject)
    policies = split(wanted)
    assert all(policy_size(policy) <= POLICY_LIMIT for policy in policies)
    assert len(policies) + len(THEMES) <= POLICIES_LIMIT
    assert sorted(_grants([one for policy in policies for one in policy])) == sorted(_grants(wanted))


def _grants(statements: list[Permission]) -> list[tuple[str, str]]:
    return [(action, resource) for one in statements for action in one.actions for resource in one.resources]


STATEMENTS = st.builds(
    Permission,
    sid=st.just("Sid"),
    actions=st.lists(st.text("abc:", min_size=5, max_size=30), min_size=1, max_size=5),
    resources=st.lists(st.text("abc:/", min_size=1, max_size=80), min_size=1, max_size=60),
)


@given(st.lists(STATEMENTS, max_size=12))
def test_splitting_keeps_every_permission_in_its_order(statements):
    """Each policy fits, none is empty, and together they say what was to be said."""
    limit = 700
    policies = split(statements, limit)
    assert all(policy and policy_size(policy) <= limit for policy in policies)
    assert sorted(_grants([one for policy in policies for one in policy])) == sorted(_grants(statements))


def test_a_permission_that_cannot_be_divided_is_refused():
    """A single resource with more conditions than a policy holds is an error that says which."""
    long = Permission(
        sid="TooLong",
        actions=["s3:GetObject"],
        resources=["one"],
        conditions={"StringLike": {"k": ["v" * 900]}},
    )
    with pytest.raises(ValueError, match=r"permission TooLong: .* name families"):
        split([long], 700)


@given(st.lists(st.text("abcdef-9", min_size=1, max_size=63), unique=True, max_size=200))
def test_every_user_is_in_exactly_one_trust_policy_that_fits(users):
    """IAM stores 2,048 characters of trust; those who do not fit get a second role."""
    trusts = list(trusts_of_people(ROOT, users))
    named = [
        name
        for trust in trusts
        for name in trust["Statement"][0]["Condition"]["StringLike"]["sts:SourceIdentity"]
    ]
    assert named == users
    assert all(len(json.dumps(trust)) <= TRUST_LIMIT for trust in trusts)


# Who comes how, and whether the role of data scientists, grace alone, lets them in.
VISITORS = [
    ("with a second factor", {"aws:username": "grace", "aws:MultiFactorAuthPresent": "true"}, "grace", True),
    ("without a second factor", {"aws:username": "grace"}, "grace", False),
    ("under another's name", {"aws:username": "alan", "aws:MultiFactorAuthPresent": "true"}, "grace", False),
    ("of another persona", {"aws:username": "alan", "aws:MultiFactorAuthPresent": "true"}, "alan", False),
    ("under no name", {"aws:username": "grace", "aws:MultiFactorAuthPresent": "true"}, None, False),
    ("from an identity provider", {"aws:SourceIdentity": "grace"}, "grace", True),
    ("from one, under another's name", {"aws:SourceIdentity": "alan"}, "grace", False),
]


def test_people_come_under_their_own_name_with_a_second_factor(assembly):
    """Only users of the persona, only as themselves."""
    [role] = [
        one for one in assembly.environments.roles("research-dev") if one.name.endswith("-data-scientist")
    ]
    [visitor] = [one for one in assembly.environments.roles("vision-dev") if one.name.endswith("-admin")]
    may_ask = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}],
    }
    visitor = type(visitor)(visitor.resource, [type(visitor.policies[0])("MayAsk", may_ask)], None)
    trust = {role.resource.arn: role.resource.properties["AssumeRolePolicyDocument"]}
    cases = [
        Case(
            role=visitor,
            action="sts:AssumeRole",
            resource=role.resource.arn,
            account="111122223333",
            policy=role.resource.arn,
            context={**who, **({"sts:SourceIdentity": name} if name else {})},
        )
        for _, who, name, _ in VISITORS
    ]
    answers = simulate(cases, trust)
    assert [(how, answer.allowed) for (how, *_), answer in zip(VISITORS, answers, strict=True)] == [
        (how, expected) for how, _, _, expected in VISITORS
    ]


def test_automation_says_for_whom_it_works(assembly):
    """A pipeline's session carries the tags of the environment; people do not come this way."""
    for stage in ("research-dev", "vision-prod"):
        team, env = stage.split("-")
        [role] = [one for one in assembly.environments.roles(stage) if one.name == f"{stage}-automation"]
        [statement] = role.resource.properties["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"]["StringEquals"] == {
            "aws:PrincipalType": "AssumedRole",
            "aws:RequestTag/environment": env,
            "aws:RequestTag/team": team,
        }


def test_a_persona_that_nobody_has_gets_no_role(assembly):
    """Where the file names users it names all; where it names none, IAM of the account decides who comes."""
    names = {one.name for one in assembly.environments.roles("research-prod")}
    assert {"research-prod-admin", "research-prod-data-scientist", "research-prod-reviewer"} <= names
    prod = assembly.environments.roles("research-prod")
    [admin] = [one for one in prod if one.name == "research-prod-admin"]
    assert "StringLike" not in json.dumps(admin.resource.properties["AssumeRolePolicyDocument"])
