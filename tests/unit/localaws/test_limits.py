"""Names, sizes and numbers that IAM and S3 do not take."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from localaws.server import Server


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """Clients of a server of their own, by service."""
    folder = tmp_path_factory.mktemp("limits")
    server = Server(folder / "data", folder / "cache")
    server.start()
    yield lambda service: server.world.client(service, "777700003333", "us-east-1")
    server.stop()


@pytest.fixture(scope="module")
def iam(aws):
    """IAM, with the role `r`."""
    client = aws("iam")
    client.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
    return client


def trust(size=0):
    """A trust policy, with an id of so many characters."""
    who = {"Service": "sagemaker.amazonaws.com"}
    statement = {"Sid": "s" * size, "Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(size):
    """A policy of exactly so many characters, and white space, which does not count."""
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    document = {"Version": "2012-10-17", "Statement": [allowed]}
    compact = json.dumps(document, separators=(",", ":"))
    allowed["Resource"] += "x" * (size - len(compact))
    return json.dumps(document, indent=8)


def refusal(call, **params):
    """The error's code and message, and its HTTP status."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error, answer = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
    return error["Code"], error["Message"], answer["HTTPStatusCode"]


def test_roles_have_names_and_trust_policies_that_aws_takes(iam):
    """A name of 64 characters is the longest."""
    iam.create_role(RoleName="a" * 64, AssumeRolePolicyDocument=trust())
    code, message, status = refusal(iam.create_role, RoleName="a" * 65, AssumeRolePolicyDocument=trust())
    assert (code, status) == ("ValidationError", 400)
    assert message.endswith(
        "at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64"
    )
    code, message, _ = refusal(iam.create_role, RoleName="a/b", AssumeRolePolicyDocument=trust())
    assert (code, message[:43]) == ("ValidationError", "The specified value for roleName is invalid")
    expected = ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", 409)
    assert refusal(iam.create_role, RoleName="b", AssumeRolePolicyDocument=trust(2_048)) == expected
    assert refusal(iam.update_assume_role_policy, RoleName="r", PolicyDocument=trust(2_048)) == expected


def test_a_managed_policy_has_at_most_6144_characters(iam):
    """Each version; white space does not count."""
    made = iam.create_policy(PolicyName="full", PolicyDocument=policy(6_144))["Policy"]
    expected = ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409)
    assert refusal(iam.create_policy, PolicyName="fuller", PolicyDocument=policy(6_145)) == expected
    again = {"PolicyArn": made["Arn"], "PolicyDocument": policy(6_145)}
    assert refusal(iam.create_policy_version, **again) == expected


def test_inline_policies_of_a_role_have_at_most_10240_characters_together(iam):
    """A policy that takes the place of another counts alone."""
    iam.put_role_policy(RoleName="r", PolicyName="one", PolicyDocument=policy(6_000))
    iam.put_role_policy(RoleName="r", PolicyName="one", PolicyDocument=policy(5_240))
    iam.put_role_policy(RoleName="r", PolicyName="two", PolicyDocument=policy(5_000))
    expected = ("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role r", 409)
    more = {"RoleName": "r", "PolicyName": "two", "PolicyDocument": policy(5_001)}
    assert refusal(iam.put_role_policy, **more) == expected


def test_a_role_has_at_most_10_managed_policies(iam):
    """To attach one again is no error."""
    iam.create_role(RoleName="many", AssumeRolePolicyDocument=trust())
    made = [iam.create_policy(PolicyName=f"p{n}", PolicyDocument=policy(200)) for n in range(11)]
    arns = [one["Policy"]["Arn"] for one in made]
    for arn in [*arns[:10], arns[0]]:
        iam.attach_role_policy(RoleName="many", PolicyArn=arn)
    expected = ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10", 409)
    assert refusal(iam.attach_role_policy, RoleName="many", PolicyArn=arns[10]) == expected


@pytest.mark.parametrize(
    "name", ["Bucket-A", "a_b", "a..b", "-ab", "ab-", "192.168.5.4", "xn--a", "a-s3alias", "a" * 64]
)
def test_a_bucket_name_that_s3_does_not_take_is_refused(aws, name):
    """With S3's one message for all of them."""
    expected = ("InvalidBucketName", "The specified bucket is not valid.", 400)
    assert refusal(aws("s3").create_bucket, Bucket=name) == expected


@pytest.mark.parametrize("name", ["abc", "1.2.3.4.5", "a.b-c", "b" * 63])
def test_a_bucket_name_that_s3_takes_is_taken(aws, name):
    """At the limits of what is allowed."""
    aws("s3").create_bucket(Bucket=name)
