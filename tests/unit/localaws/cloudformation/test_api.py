"""The API over HTTP, as boto3 and the CDK command call it."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from localaws.server import Server


@pytest.fixture
def session() -> boto3.session.Session:
    """Credentials of one account."""
    return boto3.session.Session("222233334444", "embedded", region_name="eu-west-1")


@pytest.fixture
def client(server: Server, session: boto3.session.Session) -> Any:
    """CloudFormation."""
    return session.client("cloudformation", endpoint_url=server.endpoint)


def _template(count: int = 1) -> str:
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    return json.dumps(
        {"Description": "words", "Resources": {f"R{number}": handle for number in range(count)}}
    )


def test_boto3s_waiters_and_paginators_work(client: Any) -> None:
    """A stack with more resources and events than one page holds."""
    stack_id = client.create_stack(StackName="pages", TemplateBody=_template(120))["StackId"]
    client.get_waiter("stack_create_complete").wait(StackName="pages")

    resources = client.get_paginator("list_stack_resources").paginate(StackName="pages").build_full_result()
    events = client.get_paginator("describe_stack_events").paginate(StackName=stack_id).build_full_result()

    assert len(resources["StackResourceSummaries"]) == 120
    assert len(events["StackEvents"]) == 2 + 3 * 120
    times = [event["Timestamp"] for event in events["StackEvents"]]
    assert times == sorted(times, reverse=True)
    assert len({time.replace(microsecond=time.microsecond // 1000 * 1000) for time in times}) == len(times)

    client.delete_stack(StackName="pages")
    client.get_waiter("stack_delete_complete").wait(StackName="pages")


def test_a_failed_creation_ends_the_waiter(client: Any) -> None:
    """With the status in its message."""
    bad = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": "x", "DataType": "aws:nonsense"},
    }
    client.create_stack(StackName="bad", TemplateBody=json.dumps({"Resources": {"Bad": bad}}))

    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        client.get_waiter("stack_create_complete").wait(StackName="bad")

    found = client.describe_events(StackName="bad", Filters={"FailedEvents": True})["OperationEvents"]
    assert [event["LogicalResourceId"] for event in found] == ["Bad"]


def test_a_template_is_read_from_s3(client: Any, session: Any, server: Server) -> None:
    """By each form of URL that clients build."""
    s3 = session.client("s3", endpoint_url=server.endpoint)
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="templates", Key="a b/t.json", Body=_template())

    for host in (
        "https://templates.s3.eu-west-1.amazonaws.com",
        "https://s3.eu-west-1.amazonaws.com/templates",
        f"{server.endpoint}/templates",
    ):
        summary = client.get_template_summary(TemplateURL=f"{host}/a%20b/t.json")
        assert summary["ResourceTypes"] == ["AWS::CloudFormation::WaitConditionHandle"]


@pytest.mark.parametrize(
    ("operation", "params", "code", "message"),
    [
        ("describe_stacks", {"StackName": "none"}, "ValidationError", "Stack with id none does not exist"),
        ("describe_stack_events", {"StackName": "none"}, "ValidationError", "Stack [none] does not exist"),
        (
            "update_stack",
            {"StackName": "none", "TemplateBody": _template()},
            "ValidationError",
            "does not exist",
        ),
        ("create_stack", {"StackName": "none"}, "ValidationError", "Either Template URL or Template Body"),
        ("detect_stack_drift", {"StackName": "none"}, "NotEmulated", "CloudFormation's DetectStackDrift"),
        ("list_stack_sets", {}, "NotEmulated", "CloudFormation's ListStackSets"),
        (
            "create_change_set",
            {"StackName": "none", "ChangeSetName": "c", "ChangeSetType": "IMPORT"},
            "NotEmulated",
            "IMPORT",
        ),
    ],
)
def test_an_error_has_the_code_and_words_that_clients_match(
    client: Any, operation: str, params: dict[str, Any], code: str, message: str
) -> None:
    """What is not emulated never reaches moto's own CloudFormation."""
    with pytest.raises(ClientError) as error:
        getattr(client, operation)(**params)

    assert error.value.response["Error"]["Code"] == code
    assert message in error.value.response["Error"]["Message"]


def test_a_stacks_name_is_taken_only_while_it_lives(client: Any) -> None:
    """And another account or region has names of its own."""
    first = client.create_stack(StackName="once", TemplateBody=_template())["StackId"]
    with pytest.raises(client.exceptions.AlreadyExistsException):
        client.create_stack(StackName="once", TemplateBody=_template())
    client.delete_stack(StackName="once")

    second = client.create_stack(StackName="once", TemplateBody=_template())["StackId"]

    assert first != second
    assert client.describe_stacks(StackName=first)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


def test_accounts_do_not_see_each_other(client: Any, server: Server) -> None:
    """Neither by name nor by id."""
    stack_id = client.create_stack(StackName="mine", TemplateBody=_template())["StackId"]
    other = boto3.client(
        "cloudformation",
        endpoint_url=server.endpoint,
        aws_access_key_id="999988887777",
        aws_secret_access_key="x",
        region_name="eu-west-1",
    )

    for name in ("mine", stack_id):
        with pytest.raises(ClientError, match="does not exist"):
            other.describe_stacks(StackName=name)


def test_dynamic_references_are_resolved(client: Any, session: Any, server: Server) -> None:
    """Stored parameters and secrets reach the resource; the secret stays out of the change set."""
    session.client("ssm", endpoint_url=server.endpoint).put_parameter(Name="/dyn/a", Value="1", Type="String")
    secrets = session.client("secretsmanager", endpoint_url=server.endpoint)
    arn = secrets.create_secret(Name="dyn", SecretString='{"key": "hunter2"}')["ARN"]
    value = f"{{{{resolve:ssm:/dyn/a}}}}-{{{{resolve:secretsmanager:{arn}:SecretString:key}}}}"
    resource = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Name": "/dyn/b", "Value": value},
    }
    made = client.create_change_set(
        StackName="dyn",
        ChangeSetName="c",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"A": resource}}),
    )

    found = client.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=True)
    client.execute_change_set(ChangeSetName=made["Id"])

    assert "hunter2" not in str(found["Changes"])
    stored = session.client("ssm", endpoint_url=server.endpoint).get_parameter(Name="/dyn/b")
    assert stored["Parameter"]["Value"] == "1-hunter2"


def test_lookups_in_cloudtrail_find_nothing(session: Any, server: Server) -> None:
    """The CDK command asks after a failure."""
    trail = session.client("cloudtrail", endpoint_url=server.endpoint)

    assert trail.lookup_events()["Events"] == []
