"""Custom resources, through a real Lambda function that answers at the URL it is given."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from localaws.server import Server

# The function answers as its properties ask, and keeps every event it got as a log line.
_CODE = """
import json
from urllib.request import Request, urlopen

def handler(event, context):
    print("EVENT " + json.dumps(event))
    props = event["ResourceProperties"]
    if props.get("Silent") == "true" and event["RequestType"] != "Delete":
        return
    fails = props.get("Fail") == "true" and event["RequestType"] != "Delete"
    answer = {
        "Status": "FAILED" if fails else "SUCCESS",
        "Reason": "the size is wrong",
        "PhysicalResourceId": "thing-" + props["Name"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Said": event["RequestType"] + " " + props["Name"]},
    }
    if props.get("Nameless") == "true":
        del answer["PhysicalResourceId"]
    body = json.dumps(answer).encode()
    urlopen(Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""}))
"""


class Customs:
    """A stack with one function and one custom resource."""

    def __init__(self, server: Server, name: str) -> None:
        self._session = boto3.session.Session("444455556666", "embedded", region_name="eu-west-1")
        self._endpoint = server.endpoint
        self.name = name
        self.client = self._client("cloudformation")

    def _client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint)

    def template(self, **props: Any) -> str:
        """The template, with the custom resource's properties."""
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        resources = {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": self.name,
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Code": {"ZipFile": _CODE},
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                },
            },
        }
        if props:
            token = {"Fn::GetAtt": ["Function", "Arn"]}
            resources["Thing"] = {"Type": "Custom::Thing", "Properties": {"ServiceToken": token, **props}}
            outputs = {"Said": {"Value": {"Fn::GetAtt": ["Thing", "Said"]}}}
            return json.dumps({"Resources": resources, "Outputs": outputs})
        return json.dumps({"Resources": resources})

    def deploy(self, operation: Callable[..., Any], **props: Any) -> Any:
        """Create or update the stack and return its description."""
        operation(StackName=self.name, TemplateBody=self.template(**props), Capabilities=["CAPABILITY_IAM"])
        return self.client.describe_stacks(StackName=self.name)["Stacks"][0]

    def events(self) -> list[dict[str, Any]]:
        """What the function was asked, in order."""
        logs = self._client("logs")
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}")["events"]
        lines = [event["message"] for event in found if event["message"].startswith("EVENT ")]
        return [json.loads(line.removeprefix("EVENT ")) for line in lines]

    def asked(self) -> list[tuple[str, str | None, str]]:
        """Request type, physical id and the name asked for, in order."""
        return [
            (event["RequestType"], event.get("PhysicalResourceId"), event["ResourceProperties"]["Name"])
            for event in self.events()
        ]


@pytest.fixture
def customs(server: Server, request: pytest.FixtureRequest) -> Customs:
    """A stack of its own for each test."""
    return Customs(server, request.node.name.replace("_", "-")[5:60])


def test_the_function_gets_the_event_that_aws_sends(customs: Customs) -> None:
    """Every scalar as text, the service token among the properties; the answer's data are attributes."""
    stack = customs.deploy(customs.client.create_stack, Name="a", Flag=True, Sizes=[1, {"Deep": 2.5}])

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"] == "Create a"
    (event,) = customs.events()
    token = event["ServiceToken"]
    assert event["ResourceProperties"] == {
        "ServiceToken": token,
        "Name": "a",
        "Flag": "true",
        "Sizes": ["1", {"Deep": "2.5"}],
    }
    assert token.endswith(f":function:{customs.name}")
    assert (event["RequestType"], event["ResourceType"], event["LogicalResourceId"]) == (
        "Create",
        "Custom::Thing",
        "Thing",
    )
    assert event["StackId"] == stack["StackId"]
    assert "PhysicalResourceId" not in event
    assert event["ResponseURL"].startswith("http")


def test_another_physical_id_is_a_replacement(customs: Customs) -> None:
    """The old one gets its Delete event in the clean-up; the same id is an update in place."""
    customs.deploy(customs.client.create_stack, Name="a")
    customs.deploy(customs.client.update_stack, Name="a", Size=2)
    stack = customs.deploy(customs.client.update_stack, Name="b")

    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"] == "Update b"
    assert customs.asked() == [
        ("Create", None, "a"),
        ("Update", "thing-a", "a"),
        ("Update", "thing-a", "b"),
        ("Delete", "thing-a", "a"),
    ]
    assert customs.events()[2]["OldResourceProperties"]["Size"] == "2"


def test_a_failed_update_is_undone_by_another(customs: Customs) -> None:
    """The reason that the function gave is told; then it is asked to go back."""
    customs.deploy(customs.client.create_stack, Name="a")

    stack = customs.deploy(customs.client.update_stack, Name="b", Fail=True)

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert customs.asked()[1:] == [("Update", "thing-a", "b"), ("Update", "thing-a", "a")]
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in customs.client.describe_stack_events(StackName=customs.name)["StackEvents"]
        if event["ResourceStatus"] == "UPDATE_FAILED"
    ]
    assert "the size is wrong" in reasons[0]


def test_a_failed_creation_is_followed_by_a_deletion(customs: Customs) -> None:
    """The function may have made something before it failed."""
    stack = customs.deploy(customs.client.create_stack, Name="a", Fail=True)

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    # Its own log lines go with its function, which the rollback deletes too: a second stack keeps one.
    customs.client.delete_stack(StackName=customs.name)
    customs.deploy(customs.client.create_stack)
    customs.deploy(customs.client.update_stack, Name="b", Fail=True)
    assert customs.asked()[-2:] == [("Create", None, "b"), ("Delete", "thing-b", "b")]


def test_an_answer_without_a_physical_id_is_refused(customs: Customs) -> None:
    """As on AWS."""
    customs.deploy(customs.client.create_stack)

    stack = customs.deploy(customs.client.update_stack, Name="a", Nameless=True)

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_no_answer_in_time_fails_the_resource(customs: Customs) -> None:
    """ServiceTimeout says how long to wait; the reason names the request to look for in the log."""
    customs.deploy(customs.client.create_stack)

    stack = customs.deploy(customs.client.update_stack, Name="a", Silent=True, ServiceTimeout=1)

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in customs.client.describe_stack_events(StackName=customs.name)["StackEvents"]
        if event["ResourceStatus"] == "CREATE_FAILED"
    ]
    assert customs.events()[0]["RequestId"] in reasons[0]


def test_a_topic_as_service_token_is_refused_by_name(server: Server, customs: Customs) -> None:
    """Only functions can serve a custom resource here."""
    token = "arn:aws:sns:eu-west-1:444455556666:topic"
    resource = {"Type": "AWS::CloudFormation::CustomResource", "Properties": {"ServiceToken": token}}

    customs.client.create_stack(
        StackName=customs.name, TemplateBody=json.dumps({"Resources": {"Thing": resource}})
    )

    events = customs.client.describe_stack_events(StackName=customs.name)["StackEvents"]
    assert any("SNS topic is not emulated" in event.get("ResourceStatusReason", "") for event in events)


def test_the_answers_leave_no_bucket_in_the_account(server: Server, customs: Customs) -> None:
    """CloudFormation's own bucket is not the user's."""
    customs.deploy(customs.client.create_stack, Name="a")

    buckets = customs._client("s3").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets if "cloudformation" in bucket["Name"]] == []
