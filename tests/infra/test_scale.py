"""Large teams: what fits is within every limit of AWS, what does not is refused beforehand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from atelier.spec import SpecError, load_teams
from stacks.app import PROJECT
from stacks.limits import SIZES, TooLarge, check, exceeded
from tests.large_team import large

JOBS, ENDPOINTS, NOTEBOOKS, USERS = 115, 92, 50, 145
"""As many as are taken at once, each job with a schedule, each user with a role and a space of their own."""
LARGEST = {"jobs": JOBS, "endpoints": ENDPOINTS, "notebooks": NOTEBOOKS, "users": USERS}

ARN = {"Fn::GetAtt": ["Other", "Arn"]}
REFERENCED = 160
"""The characters that stand for a reference."""


@pytest.fixture
def written(tmp_path):
    """Writes a team file into a folder of its own, and gives the folder."""

    def write(file: dict) -> Path:
        YAML().dump(file, tmp_path / "research.yaml")
        return tmp_path

    return write


def test_the_largest_team_is_within_every_limit_of_aws(written, synthesize, read):
    """More than a hundred users with spaces of their own and more than forty jobs fit, twice as many jobs."""
    folder = synthesize(teams=str(written(large(**LARGEST))))
    assert list(exceeded(folder)) == []
    assembly = read(folder)
    assert len(assembly.resources("AWS::StepFunctions::StateMachine")) == JOBS + ENDPOINTS
    assert len(assembly.resources("AWS::SageMaker::Space")) == USERS


@pytest.mark.parametrize(
    ("size", "place", "says"),
    [
        ({"jobs": JOBS + 1}, "jobs", "takes 464 resources (three a job, one a schedule)"),
        ({"endpoints": ENDPOINTS + 1}, "endpoints", "takes 465 resources"),
        ({"notebooks": NOTEBOOKS + 1}, "notebooks", "holds 51 notebook instances"),
        ({"users": 300}, "studio.users", "write  roles: domain, or move some to another team"),
    ],
)
def test_a_larger_team_is_refused_at_its_place_with_the_limit_and_the_remedy(written, size, place, says):
    """While the file is read: no template is written, nothing is deployed."""
    teams = written(large(**LARGEST | size))
    with pytest.raises(SpecError) as error:
        load_teams(teams, root=PROJECT)
    message = str(error.value)
    assert message.splitlines()[0].endswith(f": {place}")
    assert says in message
    assert "CloudFormation" in message
    assert "to another team, with a file of its own" in message


def test_the_examples_are_within_every_limit(checked):
    """The shipped teams and their neighbour."""
    assert list(exceeded(checked)) == []


@pytest.fixture
def template(tmp_path):
    """Writes a cloud assembly of one stack with these resources and outputs, and gives its folder."""

    def write(resources: dict, outputs: dict | None = None) -> Path:
        stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-vision-dev"}}
        (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"stage": stage}}))
        folder = tmp_path / "assembly-vision-dev"
        folder.mkdir()
        stack = {"stackName": "vision-dev-data", "templateFile": "data.template.json"}
        artifact = {"type": "aws:cloudformation:stack", "properties": stack}
        (folder / "manifest.json").write_text(json.dumps({"artifacts": {"data": artifact}}))
        content = {"Resources": resources, "Outputs": outputs or {}}
        (folder / "data.template.json").write_text(json.dumps(content))
        return tmp_path

    return write


def one(type_: str, **properties: object) -> dict:
    """A resource of a template."""
    return {"Type": type_, "Properties": properties}


def policy(length: int) -> dict:
    """A policy document of so many characters."""
    return {"Resource": "x" * (length - len('{"Resource":""}'))}


def inline(length: int) -> list[dict]:
    """A role's only policy, of so many characters."""
    return [{"PolicyName": "Own", "PolicyDocument": policy(length)}]


ROLE = "AWS::IAM::Role"
TOO_LARGE = {
    "501 resources": {f"R{number}": one("AWS::SNS::Topic") for number in range(501)},
    "bytes of template": {"R": one("AWS::SNS::Topic", Name="x" * 1_000_000)},
    "10,241 characters of inline policies": {"R": one(ROLE, Policies=inline(10_241))},
    "10,242 characters of inline policies": {
        "R": one(ROLE, Policies=inline(5_000)),
        "P": one("AWS::IAM::Policy", Roles=[{"Ref": "R"}], PolicyDocument=policy(5_242)),
    },
    "11 managed policies": {
        "R": one(ROLE, ManagedPolicyArns=[ARN] * 6),
        **{f"P{n}": one("AWS::IAM::ManagedPolicy", Roles=[{"Ref": "R"}]) for n in range(5)},
    },
    "bytes of environment": {"F": one("AWS::Lambda::Function", Environment={"Variables": {"A": "x" * 4096}})},
    "characters of its function's policy": {
        f"P{number}": one("AWS::Lambda::Permission", FunctionName=ARN) for number in range(40)
    },
    **{
        f"{limit + 1:,} characters of {name}": {"R": one(type_, **{name: "x" * (limit + 1)})}
        for type_, limits in SIZES.items()
        for name, limit in limits.items()
    },
    "4,100 characters of EventPattern": {
        "R": one("AWS::Events::Rule", EventPattern={"Fn::Join": ["", ["x" * (4_100 - REFERENCED), ARN]]})
    },
}


@pytest.mark.parametrize("says", TOO_LARGE)
def test_what_aws_would_refuse_is_said_by_name_with_the_limit(template, says):
    """Of every kind: the template, its parts, policies of roles together, what a function is told."""
    with pytest.raises(TooLarge) as error:
        check(template(TOO_LARGE[says]))
    assert f"{says}, and AWS takes " in str(error.value)
    assert "remedy  make two teams of this one" in str(error.value)


def test_what_an_earlier_synthesis_left_is_not_looked_at(template):
    """A folder keeps the templates of a team that is gone."""
    folder = template(TOO_LARGE["501 resources"])
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {}}))
    check(folder)


def test_outputs_are_counted(template):
    """CloudFormation takes 200 of a stack."""
    folder = template({}, {f"O{number}": {"Value": "x"} for number in range(201)})
    assert list(exceeded(folder)) == ["vision-dev-data has 201 outputs, and AWS takes 200"]


def test_what_is_just_within_its_limit_is_taken(template):
    """A limit is the most that is allowed, not the first that is not."""
    folder = template(
        {
            "R": one(ROLE, Policies=inline(10_240), ManagedPolicyArns=[ARN] * 10),
            "P": one("AWS::IAM::ManagedPolicy", PolicyDocument=policy(6_144)),
            **{f"T{number}": one("AWS::SNS::Topic") for number in range(498)},
        }
    )
    check(folder)
