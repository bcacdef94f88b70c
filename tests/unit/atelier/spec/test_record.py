"""What is deployed and holds what people made is on record: a change that would replace it is refused."""

from __future__ import annotations

import json

import pytest

from atelier.spec import SpecError, load_team, record

TEAM = """\
team: other
owners: [you@example.com]
environments:
  dev:
    account: "111122223333"
    region: eu-west-1
    network: {mode: created, cidr: 10.1.0.0/16}
  prod:
    account: "444455556666"
    region: eu-west-1
    network: {mode: existing, vpc: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]}
studio:
  users: {ana: {}, ben: {}}
  spaces:
    lab: {owner: ana}
notebooks: {bench: {}}
"""

IDENTITY_CENTER = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
SSO_USERS = "{ana: {sso_user: a}, ben: {sso_user: b}}"


@pytest.fixture
def team(tmp_path):
    """A team file of which both environments are on record."""
    path = tmp_path / "teams/other.yaml"
    path.parent.mkdir()
    path.write_text(TEAM)
    record.write(path, {name: _fixed(one) for name, one in load_team(path).environments.items()})
    return path


def _fixed(one):
    return record.fixed(one.name, one.network, one.studio, notebooks=bool(one.notebooks))


@pytest.mark.parametrize(
    ("old", "new", "place", "gone"),
    [
        ("cidr: 10.1.0.0/16", "cidr: 10.2.0.0/16", "environments.dev.network.cidr", "the VPC"),
        ("vpc-0a1b2c3d", "vpc-1a1b2c3d", "environments.prod.network.vpc", "the VPC"),
        (
            "[subnet-0a1b2c3d, subnet-1a1b2c3d]",
            "[subnet-1a1b2c3d, subnet-0a1b2c3d]",
            "environments.prod.network.subnets[0]",
            "the notebook instances",
        ),
        (
            "subnet-1a1b2c3d]",
            "subnet-1a1b2c3d], security_groups: [sg-0a1b2c3d]",
            "environments.prod.network.security_groups",
            "the notebook instances",
        ),
        (
            "studio:\n  users: {ana: {}, ben: {}}",
            f"studio:\n  sign_in: sso\n  identity_center: {IDENTITY_CENTER}\n  users: {SSO_USERS}",
            "studio.sign_in",
            "the domain, with the home folders",
        ),
        ("owner: ana", "owner: ben", "studio.spaces.lab.owner", "the space, with its volume"),
        ("owner: ana", "owner: ana, shared: true", "studio.spaces.lab.shared", "the space, with its volume"),
    ],
)
def test_what_would_replace_what_people_made_is_refused(team, old, new, place, gone):
    """With the place, what would go, and what to do, before anything is synthesized."""
    team.write_text(TEAM.replace(old, new))
    with pytest.raises(SpecError) as refused:
        load_team(team)
    problem, *_ = [one for one in refused.value.problems if one.path == place]
    assert problem.line
    assert f"another value would replace {gone}" in problem.reason
    assert "run  atelier record other " in problem.remedy


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ben: {}", "ben: {}, cem: {}"),
        ("lab: {owner: ana}", "lab: {owner: ana, instance: ml.t3.medium, storage_gb: 50}"),
        ("    lab: {owner: ana}", "    lab-2: {owner: ana}"),
        ("studio:\n", "studio:\n  internet: public\n  docker: true\n"),
        ("mode: created, ", "mode: created, zones: 3, "),
        ("subnet-1a1b2c3d]", "subnet-1a1b2c3d, subnet-2a1b2c3d]"),
    ],
)
def test_what_changes_in_place_is_allowed(team, old, new):
    """New users and spaces, sizes, ways to the internet, and spaces that go."""
    assert old in TEAM
    team.write_text(TEAM.replace(old, new))
    load_team(team)


def test_a_record_holds_each_environment_apart(team):
    """What is written of one leaves the other as it was."""
    before = record.read(team)
    record.write(team, {"dev": {("studio", "sign_in"): "iam"}})
    assert record.read(team) == {"dev": {"studio.sign_in": "iam"}, "prod": before["prod"]}
    assert (
        json.loads(record.file_of(team).read_text())["prod"]["environments.prod.network.vpc"]
        == "vpc-0a1b2c3d"
    )


def test_without_notebook_instances_subnets_and_security_groups_change_in_place(team):
    """They are on record for these alone: SageMaker moves a domain."""
    team.write_text(
        TEAM.replace("notebooks: {bench: {}}\n", "").replace(
            "[subnet-0a1b2c3d, subnet-1a1b2c3d]", "[subnet-1a1b2c3d, subnet-0a1b2c3d]"
        )
    )
    load_team(team)


def test_where_people_work_asks_to_be_recorded(team):
    """Whether its data outlives it or not: until then a change that replaces them goes unnoticed."""
    assert load_team(team).warnings == []
    record.file_of(team).unlink()
    warnings = load_team(team).warnings
    assert [warning.split(":")[0] for warning in warnings] == ["environments.dev", "environments.prod"]
    assert warnings[1].endswith("run  atelier record other prod")
    team.write_text(TEAM.partition("studio:")[0])
    assert load_team(team).warnings == []
