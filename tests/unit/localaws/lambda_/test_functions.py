"""What a deployment does to functions: create, read, update, list, delete, tag, permit, limit."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError

SOURCE = "def handler(event, context): return 1"


def refused(error) -> str:
    """The code of the error that a client raised."""
    return error.value.response["Error"]["Code"]


def test_a_new_function_is_active_and_shows_its_settings(cloud):
    """GetFunction gives what CreateFunction took, AWS's defaults, and where the code lies."""
    code = cloud.zip(index__py=SOURCE)
    cloud.function("shown", SOURCE, Code={"ZipFile": code}, Description="d", Tags={"team": "vision"})
    found = cloud.client("lambda").get_function(FunctionName="shown")
    config = found["Configuration"]
    assert config["State"] == "Active"
    assert config["LastUpdateStatus"] == "Successful"
    assert config["Version"] == "$LATEST"
    assert (config["MemorySize"], config["Timeout"], config["Description"]) == (128, 20, "d")
    assert config["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert config["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/shown"}
    assert found["Tags"] == {"team": "vision"}
    with urllib.request.urlopen(found["Code"]["Location"]) as archive:  # noqa: S310 -- a file URL of ours
        assert archive.read() == code
    cloud.client("lambda").get_waiter("function_active_v2").wait(FunctionName="shown")


@pytest.mark.parametrize("name", ["named", "111122223333:function:named", None])
def test_a_function_has_three_names(cloud, name):
    """Name, partial ARN and full ARN all mean it."""
    client = cloud.client("lambda")
    try:
        arn = cloud.function("named", SOURCE)
    except client.exceptions.ResourceConflictException:
        arn = client.get_function(FunctionName="named")["Configuration"]["FunctionArn"]
    assert client.get_function_configuration(FunctionName=name or arn)["FunctionArn"] == arn
    assert client.get_function_configuration(FunctionName=f"{arn}:$LATEST")["FunctionArn"] == arn


def test_code_comes_from_s3_by_version(cloud):
    """S3Bucket, S3Key and S3ObjectVersion name the zip; a missing one is told by name."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="code", Key="a.zip", Body=cloud.zip(index__py=SOURCE))["VersionId"]
    s3.put_object(Bucket="code", Key="a.zip", Body=cloud.zip(index__py=SOURCE.replace("1", "2")))
    where = {"S3Bucket": "code", "S3Key": "a.zip"}
    cloud.function("from-s3", SOURCE, Code={**where, "S3ObjectVersion": old})
    assert cloud.invoke("from-s3").payload == 1
    cloud.client("lambda").update_function_code(FunctionName="from-s3", **where)
    assert cloud.invoke("from-s3").payload == 2
    with pytest.raises(ClientError, match=r"S3 Error Code: NoSuchKey.*code/b.zip") as error:
        cloud.client("lambda").update_function_code(FunctionName="from-s3", S3Bucket="code", S3Key="b.zip")
    assert refused(error) == "InvalidParameterValueException"


def test_new_code_and_new_settings_reach_the_next_event(cloud):
    """After an update no event runs on what was before, warm worker or not."""
    client = cloud.client("lambda")
    cloud.function("changes", "import os\ndef handler(event, context): return ['old', os.environ.get('X')]")
    assert cloud.invoke("changes").payload == ["old", None]
    before = client.get_function_configuration(FunctionName="changes")
    client.update_function_configuration(FunctionName="changes", Environment={"Variables": {"XX": "1"}})
    source = "import os\ndef handler(event, context): return ['new', os.environ.get('XX')]"
    after = client.update_function_code(FunctionName="changes", ZipFile=cloud.zip(index__py=source))
    assert cloud.invoke("changes").payload == ["new", "1"]
    assert after["RevisionId"] != before["RevisionId"]
    assert after["CodeSha256"] != before["CodeSha256"]
    with pytest.raises(client.exceptions.PreconditionFailedException):
        client.update_function_configuration(
            FunctionName="changes", Timeout=9, RevisionId=before["RevisionId"]
        )


def test_permissions_of_files_survive_the_zip(cloud):
    """An executable in the zip can be executed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        program = zipfile.ZipInfo("tool.sh")
        program.external_attr = 0o755 << 16
        archive.writestr(program, "#!/bin/sh\necho ran\n")
        archive.writestr(
            "index.py",
            "import subprocess\ndef handler(e, c): return subprocess.check_output(['./tool.sh'], text=True)",
        )
    cloud.function("tool", "", Code={"ZipFile": buffer.getvalue()})
    assert cloud.invoke("tool").payload == "ran\n"


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"FunctionName": "x" * 65}, "ValidationException", "less than or equal to 64"),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"MemorySize": 10241}, "ValidationException", "less than or equal to 10240"),
        ({"Runtime": "java21"}, "NotEmulated", "java21"),
        ({"Layers": ["arn:aws:lambda:eu-west-1:111122223333:layer:l:1"]}, "NotEmulated", "Layers"),
        ({"PackageType": "Image", "Code": {"ImageUri": "x"}}, "NotEmulated", "container image"),
        ({"Publish": True}, "NotEmulated", "version"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException", "Could not unzip"),
        ({"Code": {}}, "InvalidParameterValueException", "provide a source"),
        (
            {"Environment": {"Variables": {"AWS_REGION": "x"}}},
            "InvalidParameterValueException",
            "Reserved keys used in this request: AWS_REGION",
        ),
        ({"Environment": {"Variables": {"BIG": "x" * 4094}}}, "InvalidParameterValueException", "4KB"),
        ({"Environment": {"Variables": {"9A": "x"}}}, "ValidationException", "9A"),
    ],
)
def test_what_lambda_does_not_take_is_refused(cloud, settings, code, words):
    """Limits of AWS, and what is not emulated, by name; nothing is created."""
    name = settings.get("FunctionName", "refused")
    with pytest.raises(ClientError, match=words) as error:
        cloud.function(name, SOURCE, **settings)
    assert refused(error) == code
    assert name not in [one["FunctionName"] for one in cloud.client("lambda").list_functions()["Functions"]]


def test_an_operation_that_is_not_emulated_says_so(cloud):
    """Nothing of Lambda is answered by anything but this service."""
    with pytest.raises(ClientError, match="CreateFunctionUrlConfig is not emulated"):
        cloud.client("lambda").create_function_url_config(FunctionName="x", AuthType="NONE")


def test_a_name_is_taken_once_and_free_after_deletion(cloud):
    """CreateFunction twice conflicts; DeleteFunction frees the name and ends its worker."""
    client = cloud.client("lambda")
    cloud.function("again", SOURCE)
    cloud.invoke("again")
    with pytest.raises(client.exceptions.ResourceConflictException, match="Function already exist: again"):
        cloud.function("again", SOURCE)
    client.delete_function(FunctionName="again")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_function(FunctionName="again")
    cloud.function("again", SOURCE)


def test_functions_are_listed_in_pages(cloud):
    """ListFunctions gives every function once, however small the pages."""
    for number in range(5):
        cloud.function(f"page-{number}", SOURCE)
    pages = cloud.client("lambda").get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    names = [one["FunctionName"] for page in pages for one in page["Functions"]]
    assert names == sorted(set(names))
    assert {f"page-{number}" for number in range(5)} <= set(names)


def test_permissions_make_the_policy(cloud):
    """AddPermission, GetPolicy, RemovePermission: statements as AWS writes them."""
    client = cloud.client("lambda")
    arn = cloud.function("permitted", SOURCE)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="permitted")
    given = {
        "FunctionName": "permitted",
        "StatementId": "one",
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/r",
    }
    client.add_permission(**given)
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.add_permission(**given)
    client.add_permission(**{**given, "StatementId": "two", "Principal": "444455556666"})
    first, second = json.loads(client.get_policy(FunctionName="permitted")["Policy"])["Statement"]
    assert first == {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
        "Condition": {"ArnLike": {"AWS:SourceArn": given["SourceArn"]}},
    }
    assert second["Principal"] == {"AWS": "arn:aws:iam::444455556666:root"}
    client.remove_permission(FunctionName="permitted", StatementId="one")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.remove_permission(FunctionName="permitted", StatementId="one")


def test_tags_come_and_go(cloud):
    """TagResource, UntagResource, ListTags."""
    client = cloud.client("lambda")
    arn = cloud.function("tagged", SOURCE, Tags={"a": "1"})
    client.tag_resource(Resource=arn, Tags={"b": "2"})
    client.untag_resource(Resource=arn, TagKeys=["a"])
    assert client.list_tags(Resource=arn)["Tags"] == {"b": "2"}


def test_reserved_concurrency_is_a_limit(cloud):
    """At most so many events run at once; the next is throttled with 429, and 0 stops the function."""
    client = cloud.client("lambda")
    cloud.function("limited", "import time\ndef handler(event, context): time.sleep(event)")
    client.put_function_concurrency(FunctionName="limited", ReservedConcurrentExecutions=1)
    assert client.get_function(FunctionName="limited")["Concurrency"]["ReservedConcurrentExecutions"] == 1
    client.invoke(FunctionName="limited", InvocationType="Event", Payload=b"3")

    def throttled():
        try:
            client.invoke(FunctionName="limited", Payload=b"0")
        except ClientError as error:
            return error.response
        return None

    response = cloud.until(throttled, 2)
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    client.put_function_concurrency(FunctionName="limited", ReservedConcurrentExecutions=0)
    assert throttled()
    client.delete_function_concurrency(FunctionName="limited")
    assert throttled() is None
