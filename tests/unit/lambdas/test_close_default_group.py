"""The default security group of a VPC: closed when the environment is made, and answered for."""

import pytest
from botocore.exceptions import ClientError

from lambdas.close_default_group.handler import close

GROUP = "sg-0a1b2c3d4e5f67890"


class Ec2:
    """EC2 with the rules of a new default group."""

    def __init__(self, refuses=None):
        self.rules = {"ingress": [[{"GroupId": GROUP}]], "egress": [[{"CidrIp": "0.0.0.0/0"}]]}
        self.refuses = refuses

    def _revoke(self, direction, group, permissions):
        [permission] = permissions
        peers = permission.get("UserIdGroupPairs") or permission.get("IpRanges")
        if self.refuses or peers not in self.rules[direction]:
            code = self.refuses or "InvalidPermission.NotFound"
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "Revoke")
        assert (group, permission["IpProtocol"]) == (GROUP, "-1")
        self.rules[direction].remove(peers)

    def revoke_security_group_ingress(self, GroupId, IpPermissions):  # noqa: N803 -- boto3's names
        self._revoke("ingress", GroupId, IpPermissions)

    def revoke_security_group_egress(self, GroupId, IpPermissions):  # noqa: N803 -- boto3's names
        self._revoke("egress", GroupId, IpPermissions)


def test_every_rule_of_a_new_group_is_taken():
    """And closing it again is no error."""
    ec2 = Ec2()
    for _ in range(2):
        close(ec2, GROUP)
        assert ec2.rules == {"ingress": [], "egress": []}


def test_what_ec2_refuses_is_raised():
    """Only that a rule is gone already is fine."""
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        close(Ec2(refuses="UnauthorizedOperation"), GROUP)
