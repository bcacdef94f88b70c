import json

import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation.resource import ResourceFailed

BUCKET = "AWS::S3::Bucket"


def setting(operation, key=None, missing=None):
    """A look at one setting of a bucket: `key` of the answer, or None where S3 says that there is none."""

    def look(client, bucket):
        s3 = client("s3")
        s3.head_bucket(Bucket=bucket)
        try:
            answer = getattr(s3, operation)(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] == missing:
                return "none"
            raise
        answer.pop("ResponseMetadata")
        return answer.get(key, "none") if key else answer

    return look


def event_bridge(client, bucket):
    """Whether the bucket tells EventBridge."""
    return "EventBridgeConfiguration" in client("s3").get_bucket_notification_configuration(Bucket=bucket)


def tags(client, bucket):
    """The bucket's tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"]}


NO_BLOCK = "NoSuchPublicAccessBlockConfiguration"
KMS_RULE = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:key"}
RULES = [
    {"Id": "old", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": "30"}},
    {
        "Id": "logs",
        "Status": "Enabled",
        "Prefix": "logs/",
        "TagFilters": [{"Key": "a", "Value": "b"}],
        "ExpirationInDays": 3,
        "Transition": {"StorageClass": "GLACIER", "TransitionInDays": 1},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    },
]
RULES_SEEN = [
    {
        "ID": "old",
        "Filter": {"Prefix": ""},
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    },
    {
        "ID": "logs",
        "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "b"}]}},
        "Status": "Enabled",
        "Expiration": {"Days": 3},
        "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}],
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    },
]
CORS = {"Id": "z", "AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposedHeaders": ["q"], "MaxAge": 4}
CORS_SEEN = {
    "ID": "z",
    "AllowedMethods": ["GET"],
    "AllowedOrigins": ["*"],
    "ExposeHeaders": ["q"],
    "MaxAgeSeconds": 4,
}


@pytest.mark.parametrize(
    ("look", "properties", "seen", "default"),
    [
        (
            setting(
                "get_bucket_encryption",
                "ServerSideEncryptionConfiguration",
                "ServerSideEncryptionConfigurationNotFoundError",
            ),
            {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": KMS_RULE, "BucketKeyEnabled": "true"}
                    ]
                }
            },
            {"Rules": [{"ApplyServerSideEncryptionByDefault": KMS_RULE, "BucketKeyEnabled": True}]},
            "none",
        ),
        (
            setting("get_bucket_versioning", "Status"),
            {"VersioningConfiguration": {"Status": "Enabled"}},
            "Enabled",
            "Suspended",
        ),
        (
            setting("get_public_access_block", "PublicAccessBlockConfiguration", NO_BLOCK),
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": "true", "BlockPublicPolicy": True}},
            {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": False,
                "RestrictPublicBuckets": False,
            },
            "none",
        ),
        (
            setting("get_bucket_lifecycle_configuration", "Rules", "NoSuchLifecycleConfiguration"),
            {"LifecycleConfiguration": {"Rules": RULES}},
            RULES_SEEN,
            "none",
        ),
        (
            setting("get_bucket_cors", "CORSRules", "NoSuchCORSConfiguration"),
            {"CorsConfiguration": {"CorsRules": [CORS]}},
            [CORS_SEEN],
            "none",
        ),
        (
            event_bridge,
            {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": "true"}}},
            True,
            False,
        ),
        (
            event_bridge,
            {"NotificationConfiguration": {"EventBridgeConfiguration": {}}},
            True,
            False,
        ),
        (
            event_bridge,
            {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": False}}},
            False,
            False,
        ),
        (
            setting("get_bucket_ownership_controls", "OwnershipControls", "OwnershipControlsNotFoundError"),
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
            {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "none",
        ),
        (
            lambda client, bucket: sorted(
                grant["Permission"] for grant in client("s3").get_bucket_acl(Bucket=bucket)["Grants"]
            ),
            {"AccessControl": "PublicRead"},
            ["FULL_CONTROL", "READ"],
            ["FULL_CONTROL"],
        ),
        (
            tags,
            {"Tags": [{"Key": "team", "Value": "own"}, {"Key": "b", "Value": 1}]},
            {"team": "own", "b": "1"},
            {"team": "vision"},
        ),
    ],
)
def test_each_property_of_a_bucket_is_set_changed_and_taken_back(live, look, properties, seen, default):
    """What a template says of a bucket is what S3 answers, and its absence restores S3's default."""
    live(BUCKET, look, [(properties, seen), ({}, default)])


def test_a_bucket_logs_to_another(types, context, make_context):
    """Access logging names the other bucket and the prefix, and ends when the property goes."""
    bucket, s3 = types[BUCKET], context.client("s3")
    logs = bucket.create(make_context(), {"AccessControl": "LogDeliveryWrite"}).physical_id
    wanted = {"LoggingConfiguration": {"DestinationBucketName": logs, "LogFilePrefix": "data/"}}
    name = bucket.create(context, wanted).physical_id
    assert s3.get_bucket_logging(Bucket=name)["LoggingEnabled"] == {
        "TargetBucket": logs,
        "TargetPrefix": "data/",
    }
    bucket.update(context, name, wanted, {})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=name)


def test_a_bucket_notifies_queues_by_event_and_filter(types, context):
    """CloudFormation's one event a rule and its filter's names become those of the API."""
    sqs = context.client("sqs")
    url = sqs.create_queue(QueueName=f"{context.logical_id}-arrivals")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = {
        "Event": "s3:ObjectCreated:*",
        "Queue": arn,
        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}},
    }
    wanted = {"NotificationConfiguration": {"QueueConfigurations": [rule]}}
    name = types[BUCKET].create(context, wanted).physical_id
    (seen,) = context.client("s3").get_bucket_notification_configuration(Bucket=name)["QueueConfigurations"]
    assert (seen["QueueArn"], seen["Events"]) == (arn, ["s3:ObjectCreated:*"])
    assert seen["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "in/"}]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_bucket_name_that_is_taken_is_refused(types, make_context, region):
    """Also in us-east-1, where S3 itself takes a second creation by the owner for success."""
    bucket, context = types[BUCKET], make_context(region=region)
    name = bucket.create(context, {}).physical_id
    with pytest.raises(ResourceFailed, match=f"{name} already exists"):
        bucket.create(make_context(region=region), {"BucketName": name})


def test_a_bucket_name_with_a_capital_is_refused(types, make_context):
    """In CloudFormation's words, which say more than S3's."""
    with pytest.raises(ResourceFailed, match="Bucket name should not contain uppercase characters"):
        types[BUCKET].create(make_context(), {"BucketName": "Bucket-A"})


@pytest.mark.parametrize("versioned", [False, True])
def test_a_bucket_that_holds_something_is_not_deleted(types, context, versioned):
    """Neither objects nor the versions behind a delete marker are lost; once they are gone, it goes."""
    bucket, s3 = types[BUCKET], context.client("s3")
    name = bucket.create(context, {}).physical_id
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=name, Key="x", Body=b"1").get("VersionId")
    if versioned:
        marker = s3.delete_object(Bucket=name, Key="x")["VersionId"]
    with pytest.raises(ResourceFailed, match=f"BucketNotEmpty.*{name}"):
        bucket.delete(context, name, {})
    s3.delete_object(Bucket=name, Key="x", **({"VersionId": version} if version else {}))
    if versioned:
        s3.delete_object(Bucket=name, Key="x", VersionId=marker)
    bucket.delete(context, name, {})


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (
            {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ObjectSizeLessThan": "9"}]}},
            "LifecycleConfiguration.Rules.ObjectSizeLessThan is not emulated",
        ),
        ({"AccessControl": "private"}, "AccessControl: 'private'"),
        ({"VersioningConfiguration": {"State": "Enabled"}}, "State"),
    ],
)
def test_a_wrong_property_fails_by_name_and_leaves_no_bucket(types, make_context, properties, reason):
    """A failed creation removes the half-made bucket, so that a second attempt finds its name free."""
    context = make_context()
    for _ in range(2):
        with pytest.raises(ResourceFailed, match=reason):
            types[BUCKET].create(context, {"BucketName": context.logical_id.lower(), **properties})


def test_a_bucket_policy_lives_apart_from_its_bucket(live, types, make_context):
    """The policy is put, replaced and taken off; a second one for the same bucket is refused."""
    bucket = types[BUCKET].create(make_context(), {}).physical_id

    def look(client, name):
        return client("s3").get_bucket_policy(Bucket=name)["Policy"]

    def policy(sid):
        statement = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
        return {"Version": "2012-10-17", "Statement": [statement]}

    steps = [({"Bucket": bucket, "PolicyDocument": policy(sid)}, json.dumps(policy(sid))) for sid in "ab"]
    live("AWS::S3::BucketPolicy", look, steps)
    kind = types["AWS::S3::BucketPolicy"]
    kind.create(make_context(), steps[0][0])
    with pytest.raises(ResourceFailed, match="already exists"):
        kind.create(make_context(), steps[1][0])
