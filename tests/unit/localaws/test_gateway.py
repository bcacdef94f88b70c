"""Many requests at once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.localaws.cloud import Cloud

WORKERS, ROLES = 8, 25
POLICY = """{
  "Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]
}"""


@pytest.fixture
def iam(tmp_path):
    """IAM, of a process that lets its threads interrupt each other all the time."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with Cloud.running(tmp_path) as cloud:
        yield cloud.client("iam")
    sys.setswitchinterval(interval)


def test_roles_are_made_and_looked_at_side_by_side(iam):
    """As CloudFormation does for a large team."""

    def work(worker):
        for number in range(ROLES):
            name = f"role-{worker}-{number}"
            iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=POLICY)
            assert iam.get_role(RoleName=name)["Role"]["RoleName"] == name

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
