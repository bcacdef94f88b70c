"""Two teams in one account: what a simulator of IAM says of each one's roles and the other's things."""

from __future__ import annotations

import pytest

from tools.isolation.__main__ import PAGE, page_with
from tools.isolation.cases import KINDS
from tools.isolation.matrix import Matrix, matrix

# Actions of a role that work on nothing of the team's, by the end of the action.
WITHOUT_A_THING = {
    "sts:AssumeRole": "asked for all roles, allowed to none: trust is the role's business",
    "logs:DescribeLogStreams": "asks for a group with all its streams, or one that the account's teams share",
}


@pytest.fixture(scope="module")
def found() -> Matrix:
    """What the example with everything switched on may do, to itself and to its twin."""
    return matrix()


def test_no_role_reaches_anything_of_the_other_team(found):
    """Every action that a role holds is denied on all that the other team owns, whatever the request says."""
    assert [request for cell in found.cells.values() for request in cell.reached] == []
    assert sum(cell.refused for cell in found.cells.values()) > 1000


def test_every_kind_of_thing_was_tried_from_outside_and_opens_from_inside(found):
    """A test of nothing would pass too: each kind is of use to some role of its own team."""
    for kind in KINDS:
        cells = [cell for (one, _), cell in found.cells.items() if one == kind]
        assert any(cell.own for cell in cells), kind
        assert any(cell.refused for cell in cells), kind


def test_what_roles_are_allowed_works_within_boundary_and_guardrails(found):
    """An action that a policy allows and nothing of the team's own can be used for is a mistake."""
    idle = {(role, action) for role, action in found.idle if action not in WITHOUT_A_THING}
    # What a build reads lies in the bucket of CDK's bootstrap, which belongs to the account.
    assert {action for role, action in idle if "Build" in role} <= {"s3:GetObject", "s3:GetObjectVersion"}
    assert {role for role, _ in idle if "Build" not in role} == set()


def test_the_matrix_in_the_documentation_is_current(found):
    """`python -m tools.isolation` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page_with(found)
