"""What an environment keeps, and how."""

from __future__ import annotations

import json

import pytest

KEPT = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::ECR::Repository")


def buckets(assembly):
    """Every bucket by its name."""
    return {one.properties["BucketName"]: one for one in assembly.resources("AWS::S3::Bucket")}


def test_every_bucket_is_private_versioned_and_owned_by_its_account(assembly):
    """No public access, by no object's ACL either; what is overwritten can be had back."""
    assert buckets(assembly)
    for name, bucket in buckets(assembly).items():
        assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert len(bucket.properties["PublicAccessBlockConfiguration"]) == 4, name
        assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}, name
        rules = bucket.properties["OwnershipControls"]["Rules"]
        assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}], name


def test_every_bucket_refuses_plain_http_and_old_tls(assembly):
    """Each bucket has a policy that denies everyone without TLS 1.2."""
    conditions = {}
    for policy in assembly.resources("AWS::S3::BucketPolicy"):
        denied = [
            statement["Condition"]
            for statement in policy.properties["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
            and statement["Action"] == "s3:*"
            and statement["Principal"] == {"AWS": "*"}
        ]
        conditions[policy.stack, policy.properties["Bucket"]["Ref"]] = denied
    for bucket in assembly.resources("AWS::S3::Bucket"):
        denied = conditions[bucket.stack, bucket.logical_id]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied


def test_data_and_artifacts_are_encrypted_with_the_environments_key(assembly):
    """With a bucket key, and by S3 itself where access logs are written, which cannot use another key."""
    for name, bucket in buckets(assembly).items():
        [rule] = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        algorithm = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert algorithm == ("AES256" if "-logs-" in name else "aws:kms"), name
        assert rule.get("BucketKeyEnabled", False) is ("-logs-" not in name), name


def test_access_to_data_and_artifacts_is_logged(assembly):
    """Each bucket but the one that takes the logs writes them there, under its own name."""
    for name, bucket in buckets(assembly).items():
        if "-logs-" not in name:
            logging = bucket.properties["LoggingConfiguration"]
            assert logging["LogFilePrefix"] == f"{name}/"
            target = logging["DestinationBucketName"]["Ref"]
            assert [one.logical_id for key, one in buckets(assembly).items() if "-logs-" in key].count(target)


def test_every_bucket_drops_what_nobody_asked_to_keep(assembly):
    """Unfinished uploads and old versions expire everywhere, access logs after a year."""
    for name, bucket in buckets(assembly).items():
        [rule] = bucket.properties["LifecycleConfiguration"]["Rules"]
        assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
        assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
        assert rule.get("ExpirationInDays") == (365 if "-logs-" in name else None)


def test_only_the_data_bucket_tells_eventbridge(assembly):
    """An upload of data starts runs; models and logs start nothing. No function stands between."""
    for name, bucket in buckets(assembly).items():
        configuration = bucket.properties.get("NotificationConfiguration")
        expected = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}} if "-data-" in name else None
        assert configuration == expected
    assert not assembly.resources("Custom::S3BucketNotifications")


def test_bucket_names_say_whose_they_are_and_fit(assembly):
    """Names are global: account and region make them unique, 63 characters are the most."""
    assert "vision-dev-data-111122223333-eu-west-1" in buckets(assembly)
    assert all(len(name) <= 63 for name in buckets(assembly))


def test_keys_rotate_and_go_by_the_environments_alias(assembly):
    """One key per environment, rotated every year, called by its alias."""
    keys = assembly.resources("AWS::KMS::Key")
    assert {key.properties["EnableKeyRotation"] for key in keys} == {True}
    aliases = [one.properties["AliasName"] for one in assembly.resources("AWS::KMS::Alias")]
    assert {"alias/vision-dev", "alias/vision-prod", "alias/audio-dev", "alias/audio-prod"} <= set(aliases)
    assert len(keys) == len(aliases)


def test_services_use_the_key_for_this_account_alone(assembly):
    """Every service in the key's policy is bound to the account by a condition."""
    for key in assembly.resources("AWS::KMS::Key"):
        for statement in key.properties["KeyPolicy"]["Statement"]:
            if "Service" in statement["Principal"]:
                account = "111122223333" if "-dev-" in key.stack or "audio" in key.stack else "444455556666"
                assert account in json.dumps(statement["Condition"]), key.where


@pytest.mark.parametrize(
    ("stage", "policy", "protected"),
    [("vision-dev", "Delete", False), ("vision-prod", "Retain", True), ("audio-prod", "Retain", False)],
)
def test_what_holds_state_stays_exactly_where_the_team_file_says_so(assembly, stage, policy, protected):
    """`retain` keeps buckets, key and repositories, unless their creation is rolled back.

    `termination_protection` guards every stack.
    """
    kept = [one for one in assembly.resources(stage=stage) if one.type in KEPT]
    deletion = "RetainExceptOnCreate" if policy == "Retain" else policy
    assert {one.definition["DeletionPolicy"] for one in kept} == {deletion}
    assert {one.definition["UpdateReplacePolicy"] for one in kept} == {policy}
    guarded = {
        name: properties.get("terminationProtection", False)
        for name, properties in assembly.properties.items()
        if name.startswith(stage)
    }
    assert set(guarded.values()) == {protected}


def test_buckets_are_emptied_before_they_go_unless_they_stay(assembly):
    """CloudFormation deletes no bucket that holds objects, so CDK's function empties those that are to go."""
    assert len(assembly.resources("Custom::S3AutoDeleteObjects", stage="vision-dev")) == 3
    assert not assembly.resources("Custom::S3AutoDeleteObjects", stage="vision-prod")


def test_what_empties_buckets_leaves_no_log_behind(assembly):
    """Every function writes to a log group that goes with its stack: Lambda's own would stay for ever."""
    for function in assembly.resources("AWS::Lambda::Function"):
        group = function.properties["LoggingConfig"]["LogGroup"]["Ref"]
        [found] = [
            one
            for one in assembly.resources("AWS::Logs::LogGroup")
            if (one.stack, one.logical_id) == (function.stack, group)
        ]
        assert found.definition["DeletionPolicy"] == "Delete", function.where
