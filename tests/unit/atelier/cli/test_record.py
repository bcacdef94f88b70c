"""`atelier record`."""

from __future__ import annotations

import json

import pytest

OTHER = """\
team: other
owners: [you@example.com]
environments:
  dev: {account: "111122223333", region: eu-west-1, network: {mode: created}}
  test: {account: "111122223333", region: eu-west-1, network: {mode: created, cidr: 10.1.0.0/16}}
studio: {users: {jane: {}}}
"""

NOTHING = {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
STACKS = {
    "network": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}},
    "studio": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.0.0/24"},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"Service": "sagemaker.amazonaws.com"},
                        }
                    ]
                }
            },
        },
        "Domain": {
            "Type": "AWS::SageMaker::Domain",
            "Properties": {
                "DomainName": "other",
                "AuthMode": "IAM",
                "DefaultUserSettings": {"ExecutionRole": {"Fn::GetAtt": ["Role", "Arn"]}},
                "VpcId": {"Ref": "Vpc"},
                "SubnetIds": [{"Ref": "Subnet"}],
            },
        },
        "Jane": {
            "Type": "AWS::SageMaker::UserProfile",
            "Properties": {"DomainId": {"Ref": "Domain"}, "UserProfileName": "jane"},
        },
    },
    "notebooks": NOTHING,
}
"""What of an environment's stacks the record is read from, in short."""


@pytest.fixture
def stacks(deployed):
    """Deploys an environment's stacks, those of these kinds."""
    cloudformation = deployed("cloudformation")

    def deploy(env: str, *kinds: str) -> None:
        for kind in kinds:
            name, body = f"other-{env}-{kind}", json.dumps({"Resources": STACKS[kind]})
            cloudformation.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
            waiter = cloudformation.get_waiter("stack_create_complete")
            waiter.wait(StackName=name, WaiterConfig={"Delay": 0.1})

    return deploy


def test_record_writes_what_is_deployed(atelier, project, stacks):
    """What AWS has, not what the file says by now; where they differ, it is said that the file is refused."""
    (project / "teams/other.yaml").write_text(
        OTHER.replace("mode: created}", "mode: created, cidr: 10.7.0.0/16}")
    )
    stacks("dev", "network", "studio", "notebooks")
    done = atelier("record", "other", "dev")
    assert done.exit_code == 0, done.output
    said, differs = done.stdout.splitlines()
    assert said == "teams/other.record.json: written; commit it with other.yaml"
    assert differs.startswith(
        "other.yaml differs from what is deployed: environments.dev.network.cidr is 10.0.0.0/16 there and"
        " 10.7.0.0/16 in the file;"
    )
    recorded = json.loads((project / "teams/other.record.json").read_text())
    assert recorded == {
        "dev": {
            "environments.dev.network.cidr": "10.0.0.0/16",
            "environments.dev.network.mode": "created",
            "studio.sign_in": "iam",
            "studio.users.jane.sso_user": None,
        }
    }


def test_what_is_not_deployed_is_not_recorded(atelier, project, stacks):
    """An environment of which a stack is missing, and where one is, all that were asked for."""
    (project / "teams/other.yaml").write_text(OTHER)
    stacks("test", "network")
    missing = "stack other-test-studio is not in account 111122223333, eu-west-1: deploy it with"
    assert missing in atelier("record", "other", "test").stderr
    assert atelier("record", "other").exit_code == 1
    assert not (project / "teams/other.record.json").exists()


def test_without_aws_nothing_is_recorded(atelier, project):
    """The file alone does not say what is deployed."""
    (project / "teams/other.yaml").write_text(OTHER)
    done = atelier("record", "other", "dev")
    assert done.exit_code == 1
    assert "no AWS credentials" in done.stderr
    assert not (project / "teams/other.record.json").exists()


def test_an_environment_that_is_not_there_is_told(atelier, project):
    """With those that are."""
    (project / "teams/other.yaml").write_text(OTHER)
    done = atelier("record", "other", "prod")
    assert done.exit_code == 1
    assert "team other has no environment prod: dev, test" in done.stderr
