"""What S3 tells of changed objects, and that bucket policies deny nothing here."""

from __future__ import annotations

import json
import time

import pytest


@pytest.fixture(scope="module")
def bucket(cloud):
    """A versioned bucket with EventBridge on; gives a queue that hears of every object in it."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="watched", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="watched", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="watched", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    url, arn = cloud.queue("watching")
    cloud.rule("watching", {"source": ["aws.s3"], "detail": {"bucket": {"name": ["watched"]}}}, {"Arn": arn})
    return url


def test_a_put_is_told_once_with_all_that_aws_tells(cloud, bucket):
    """With tags and ACL, which moto would tell of as well."""
    put = cloud.client("s3").put_object(
        Bucket="watched", Key="data/a b+ü.csv", Body=b"12345", Tagging="a=b", ACL="private"
    )
    event = cloud.body(bucket)
    assert event["detail-type"] == "Object Created"
    assert event["resources"] == ["arn:aws:s3:::watched"]
    detail = event["detail"]
    sequencer, request_id = detail["object"].pop("sequencer"), detail.pop("request-id")
    assert detail == {
        "version": "0",
        "bucket": {"name": "watched"},
        "object": {
            "key": "data/a b+ü.csv",
            "size": 5,
            "etag": put["ETag"].strip('"'),
            "version-id": put["VersionId"],
        },
        "requester": "111122223333",
        "source-ip-address": "127.0.0.1",
        "reason": "PutObject",
    }
    assert len(request_id) == 16
    assert cloud.silent(bucket)
    cloud.client("s3").put_object(Bucket="watched", Key="data/a b+ü.csv", Body=b"2")
    assert cloud.body(bucket)["detail"]["object"]["sequencer"] > sequencer


def test_copies_and_uploads_in_parts_are_told_once(cloud, bucket):
    """With the API call as the reason."""
    s3 = cloud.client("s3")
    s3.put_object(Bucket="watched", Key="source", Body=b"x")
    assert cloud.body(bucket)["detail"]["reason"] == "PutObject"
    s3.copy_object(Bucket="watched", Key="copy", CopySource="watched/source")
    assert cloud.body(bucket)["detail"]["reason"] == "CopyObject"
    upload = s3.create_multipart_upload(Bucket="watched", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="watched", Key="parts", UploadId=upload, PartNumber=1, Body=b"y")
    s3.complete_multipart_upload(
        Bucket="watched",
        Key="parts",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    detail = cloud.body(bucket)["detail"]
    assert (detail["reason"], detail["object"]["key"]) == ("CompleteMultipartUpload", "parts")
    s3.copy_object(Bucket="watched", Key="copy-of-parts", CopySource="watched/parts")
    assert cloud.body(bucket)["detail"]["reason"] == "CopyObject"
    assert cloud.silent(bucket)


def test_deletions_are_told(cloud, bucket):
    """A delete marker, a version for good, and several at once."""
    s3 = cloud.client("s3")
    version = s3.put_object(Bucket="watched", Key="gone", Body=b"x")["VersionId"]
    cloud.body(bucket)
    s3.delete_object(Bucket="watched", Key="gone")
    event = cloud.body(bucket)
    assert event["detail-type"] == "Object Deleted"
    assert event["detail"]["deletion-type"] == "Delete Marker Created"
    s3.delete_objects(Bucket="watched", Delete={"Objects": [{"Key": "gone", "VersionId": version}]})
    detail = cloud.body(bucket)["detail"]
    assert (detail["deletion-type"], detail["object"]["version-id"]) == ("Permanently Deleted", version)
    assert detail["reason"] == "DeleteObject"
    s3.delete_object(Bucket="watched", Key="never-there")
    assert cloud.silent(bucket)


def test_a_function_hears_of_a_put_within_a_second_and_once(cloud):
    """The bucket's own notifications: filter, record as AWS writes it, key URL-encoded."""
    url, queue_arn = cloud.queue("direct")
    function = cloud.relay("direct", url)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="direct", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    events = {"Events": ["s3:ObjectCreated:*"]}
    only = {"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}
    s3.put_bucket_notification_configuration(
        Bucket="direct",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, "Id": "mine", **events, **only}],
            "QueueConfigurations": [{"QueueArn": queue_arn, "Events": ["s3:ObjectRemoved:Delete"]}],
        },
    )
    assert cloud.body(url)["Event"] == "s3:TestEvent"
    s3.put_object(Bucket="direct", Key="out/a", Body=b"x")
    s3.put_object(Bucket="direct", Key="in/first", Body=b"x")
    cloud.body(url)  # the function has started
    begun = time.monotonic()
    s3.put_object(Bucket="direct", Key="in/a b+c.csv", Body=b"xyz")
    (record,) = cloud.body(url)["Records"]
    assert time.monotonic() - begun < 1
    assert (record["eventName"], record["awsRegion"]) == ("ObjectCreated:Put", "eu-west-1")
    assert record["s3"]["configurationId"] == "mine"
    assert record["s3"]["object"]["key"] == "in/a+b%2Bc.csv"
    assert record["s3"]["object"]["size"] == 3
    assert "versionId" not in record["s3"]["object"]
    assert cloud.silent(url)
    s3.delete_object(Bucket="direct", Key="in/first")
    assert cloud.body(url)["Records"][0]["eventName"] == "ObjectRemoved:Delete"


def test_a_bucket_shows_that_event_bridge_is_on(cloud, bucket):
    """GetBucketNotificationConfiguration gives what was put."""
    found = cloud.client("s3").get_bucket_notification_configuration(Bucket="watched")
    assert found["EventBridgeConfiguration"] == {}


def test_a_bucket_without_notifications_is_silent(cloud, bucket):
    """EventBridge hears only of buckets that ask for it."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="quiet", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    url, arn = cloud.queue("quiet")
    cloud.rule("quiet", {"source": ["aws.s3"], "detail": {"bucket": {"name": ["quiet"]}}}, {"Arn": arn})
    s3.put_object(Bucket="quiet", Key="a", Body=b"x")
    assert cloud.silent(url)


def test_a_policy_that_asks_for_tls_does_not_shut_the_bucket(cloud):
    """Policies are kept and shown, not enforced: the embedded AWS speaks plain HTTP on purpose."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="tls-only", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    s3.put_bucket_policy(Bucket="tls-only", Policy=json.dumps(policy))
    s3.put_object(Bucket="tls-only", Key="a", Body=b"x")
    assert s3.get_object(Bucket="tls-only", Key="a")["Body"].read() == b"x"
    deleted = s3.delete_objects(Bucket="tls-only", Delete={"Objects": [{"Key": "a"}]})
    assert [one["Key"] for one in deleted["Deleted"]] == ["a"]
    assert json.loads(s3.get_bucket_policy(Bucket="tls-only")["Policy"]) == policy
