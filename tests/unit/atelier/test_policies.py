"""Reads what synthesized roles may do: references resolved, policies found wherever they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from atelier.policies import Environments

ACCOUNT = "111122223333"
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
ACCESS = {
    "Resources": {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": []}}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/a/log"}},
        "Boundary": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DOCUMENT}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "PermissionsBoundary": {"Ref": "Boundary"},
                "Policies": [{"PolicyName": "Inline", "PolicyDocument": DOCUMENT}],
                "ManagedPolicyArns": [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/Theirs"}],
            },
        },
    },
    "Outputs": {
        "RoleName": {"Value": {"Ref": "Role"}, "Export": {"Name": "vision-dev-access:Role"}},
        "KeyArn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}},
    },
}
DATA = {
    "Parameters": {"BootstrapVersion": {"Type": "String", "Default": "/cdk/version"}},
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "vision-dev-data"}},
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": DOCUMENT},
        },
        "OnData": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyDocument": DOCUMENT,
                "Roles": [{"Fn::ImportValue": "vision-dev-access:Role"}],
            },
        },
    },
}


@pytest.fixture
def environments(tmp_path: Path) -> Environments:
    """An environment of two stacks."""
    artifacts = {}
    for kind, template in {"access": ACCESS, "data": DATA}.items():
        (tmp_path / f"{kind}.json").write_text(json.dumps(template))
        artifacts[kind] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/eu-west-1",
            "properties": {"stackName": f"vision-dev-{kind}", "templateFile": f"{kind}.json"},
        }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return Environments(tmp_path)


def test_a_role_has_all_its_policies_and_its_boundary(environments):
    """Inline, of another stack, managed here or by AWS."""
    [role] = environments.roles("vision-dev")
    assert {policy.name: bool(policy.document) for policy in role.policies} == {
        "Inline": True,
        "OnData": True,
        "arn:aws:iam::aws:policy/Theirs": False,
    }
    assert role.boundary is not None
    assert role.boundary.name == "Boundary"


def test_policies_of_resources_are_found_by_the_resources_arns(environments):
    """On the resource, or beside it."""
    assert set(environments.resource_policies("vision-dev")) == {
        f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/vision-dev-access-Key",
        "arn:aws:s3:::vision-dev-data",
    }


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "BootstrapVersion"}, "/cdk/version"),
        ({"Ref": "Bucket"}, "vision-dev-data"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::vision-dev-data"),
        ({"Fn::GetAtt": "Bucket.DomainName"}, "vision-dev-data.DomainName"),
        ({"Fn::Join": ["/", [{"Ref": "Bucket"}, "*"]]}, "vision-dev-data/*"),
        ({"Fn::Sub": "${Bucket}/${Bucket.Arn}"}, "vision-dev-data/arn:aws:s3:::vision-dev-data"),
        ({"Fn::Select": ["1", {"Fn::Split": ["-", {"Ref": "Bucket"}]}]}, "dev"),
        ({"Fn::ImportValue": "vision-dev-access:Role"}, "vision-dev-access-Role"),
        (
            {"Fn::GetStackOutput": {"StackName": "vision-dev-access", "OutputName": "KeyArn"}},
            f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/vision-dev-access-Key",
        ),
    ],
)
def test_references_become_what_they_stand_for(environments: Environments, value: Any, resolved: Any):
    """A name that CloudFormation will give begins with the stack's."""
    assert environments.resolved("vision-dev-data", value) == resolved


def test_the_arn_of_a_log_group_has_its_streams(environments):
    """As CloudFormation gives it."""
    expected = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/a/log:*"
    assert environments.resolved("vision-dev-access", {"Fn::GetAtt": ["Logs", "Arn"]}) == expected


def test_a_folder_without_templates_is_refused(tmp_path):
    """By its name."""
    with pytest.raises(FileNotFoundError, match="holds no synthesized environment"):
        Environments(tmp_path)
