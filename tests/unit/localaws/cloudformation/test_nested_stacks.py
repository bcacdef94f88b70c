"""Nested stacks, their templates in S3."""

import json
from typing import Any

import boto3
import pytest

from localaws.server import Server


class Nest:
    """A parent stack with one nested stack, over HTTP."""

    def __init__(self, server: Server, name: str) -> None:
        self._session = boto3.session.Session("777788889999", "embedded", region_name="eu-west-1")
        self._endpoint = server.endpoint
        self.name = name
        self.client = self.service("cloudformation")
        self.service("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )

    def service(self, name: str) -> Any:
        """A client."""
        return self._session.client(name, endpoint_url=self._endpoint)

    def url(self, value: Any) -> str:
        """The URL of a child's template that stores `value` in the Parameter Store."""
        child = {
            "Parameters": {"Prefix": {"Type": "String"}},
            "Resources": {
                "Stored": {
                    "Type": "AWS::SSM::Parameter",
                    "Properties": {
                        "Type": "String",
                        "Name": {"Fn::Sub": "/${Prefix}/stored"},
                        "Value": value,
                    },
                }
            },
            "Outputs": {"Name": {"Value": {"Ref": "Stored"}}},
        }
        self.service("s3").put_object(Bucket=self.name, Key=f"{value}.json", Body=json.dumps(child))
        return f"https://s3.eu-west-1.amazonaws.com/{self.name}/{value}.json"

    def template(self, url: str, size: str = "x", **more: Any) -> str:
        """The parent's template; the resource after the child gets what it gives."""
        child = {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": url, "Parameters": {"Prefix": self.name}},
        }
        after = {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Type": "String",
                "Value": {"Fn::Sub": f"{size} of ${{Child.Outputs.Name}}"},
                **more,
            },
        }
        outputs = {"Got": {"Value": {"Fn::GetAtt": ["After", "Value"]}}, "Child": {"Value": {"Ref": "Child"}}}
        return json.dumps({"Resources": {"Child": child, "After": after}, "Outputs": outputs})

    def stack(self, name: str | None = None) -> Any:
        """A stack's description, its outputs by name."""
        found = self.client.describe_stacks(StackName=name or self.name)["Stacks"][0]
        return {
            **found,
            "Outputs": {out["OutputKey"]: out["OutputValue"] for out in found.get("Outputs", [])},
        }

    def stored(self) -> str | None:
        """What the child stored."""
        ssm = self.service("ssm")
        found = ssm.get_parameters(Names=[f"/{self.name}/stored"])["Parameters"]
        return str(found[0]["Value"]) if found else None


@pytest.fixture
def nest(server: Server, request: pytest.FixtureRequest) -> Nest:
    """A parent stack of its own for each test."""
    return Nest(server, request.node.name.replace("_", "-")[5:50].strip("-"))


def test_a_nested_stack_lives_and_dies_with_its_parent(nest: Nest) -> None:
    """Its outputs are attributes, it names its parent, and goes with it."""
    nest.client.create_stack(StackName=nest.name, TemplateBody=nest.template(nest.url("one")))

    parent = nest.stack()
    child = nest.stack(parent["Outputs"]["Child"])
    assert parent["StackStatus"] == child["StackStatus"] == "CREATE_COMPLETE"
    assert parent["Outputs"]["Got"] == f"x of /{nest.name}/stored"
    assert child["ParentId"] == child["RootId"] == parent["StackId"]

    nest.client.delete_stack(StackName=nest.name)
    assert nest.stack(child["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert nest.stored() is None


def test_a_nested_stack_is_updated_and_goes_back_with_its_parent(nest: Nest) -> None:
    """A failure after it takes its change back."""
    nest.client.create_stack(StackName=nest.name, TemplateBody=nest.template(nest.url("one")))
    nest.client.update_stack(StackName=nest.name, TemplateBody=nest.template(nest.url("two")))
    assert nest.stored() == "two"

    broken = nest.template(nest.url("three"), size="y", DataType="aws:nonsense")
    nest.client.update_stack(StackName=nest.name, TemplateBody=broken)

    assert nest.stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert nest.stored() == "two"


def test_a_nested_stack_that_cannot_be_made_fails_its_parent(nest: Nest) -> None:
    """A template that is not there, or is wrong, is told at the resource; nothing is left."""
    missing = f"https://s3.eu-west-1.amazonaws.com/{nest.name}/missing.json"

    nest.client.create_stack(StackName=nest.name, TemplateBody=nest.template(missing))

    assert nest.stack()["StackStatus"] == "ROLLBACK_COMPLETE"
    events = nest.client.describe_stack_events(StackName=nest.name)["StackEvents"]
    reasons = [
        event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"
    ]
    assert any("S3 error" in reason and "missing.json" in reason for reason in reasons)
    living = nest.client.describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in living if stack["StackName"].startswith(f"{nest.name}-")] == []
