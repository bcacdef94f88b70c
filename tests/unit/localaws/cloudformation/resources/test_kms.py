import json

import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation.resource import ResourceFailed

KEY = "AWS::KMS::Key"


def look_through(read):
    """A look at a key by `read`, which finds nothing once the key waits for its deletion."""

    def look(client, key):
        kms = client("kms")
        metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
        return None if metadata["KeyState"] == "PendingDeletion" else read(kms, metadata)

    return look


def metadata(name):
    """A look at one field of a key's metadata."""
    return look_through(lambda _, found: found[name])


def policy_of(kms, found):
    """The Sid of the first statement of a key's policy."""
    text = kms.get_key_policy(KeyId=found["KeyId"], PolicyName="default")["Policy"]
    return json.loads(text)["Statement"][0]["Sid"]


def rotation_of(kms, found):
    """Whether a key would rotate."""
    return kms.get_key_rotation_status(KeyId=found["KeyId"])["KeyRotationEnabled"]


def tags_of(kms, found):
    """A key's tags as a mapping."""
    return {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=found["KeyId"])["Tags"]}


POLICY = {
    "Statement": [{"Sid": "Own", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]
}


@pytest.mark.parametrize(
    ("look", "props", "seen", "default"),
    [
        (metadata("Description"), {"Description": "a"}, "a", ""),
        (metadata("Enabled"), {"Enabled": "false"}, False, True),
        (look_through(rotation_of), {"EnableKeyRotation": "true"}, True, False),
        (look_through(policy_of), {"KeyPolicy": POLICY}, "Own", "Enable IAM User Permissions"),
        (
            look_through(tags_of),
            {"Tags": [{"Key": "a", "Value": "b"}]},
            {"team": "vision", "a": "b"},
            {"team": "vision"},
        ),
    ],
)
def test_each_property_of_a_key_is_set_changed_and_taken_back(live, look, props, seen, default):
    """What a template says of a key is what KMS answers; its deletion is scheduled."""
    live(KEY, look, [(props, seen), ({}, default)])


def test_a_key_waits_as_long_as_the_template_says(types, context):
    """PendingWindowInDays is the time between the removal and the deletion."""
    key = types[KEY].create(context, {}).physical_id
    types[KEY].delete(context, key, {"PendingWindowInDays": "7"})
    found = context.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    assert 6 <= (found["DeletionDate"] - found["CreationDate"]).days <= 7


def test_the_kind_of_a_key_never_changes(types, context):
    """AWS fails the update rather than replace the key that data is encrypted with."""
    spec = {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}
    key = types[KEY].create(context, spec).physical_id
    assert context.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeySpec"] == "RSA_2048"
    with pytest.raises(ResourceFailed, match="KeySpec of a KMS key cannot be updated"):
        types[KEY].update(context, key, spec, {})


def test_an_alias_moves_between_keys(live, types, make_context):
    """Its target changes in place; the keys stay when it goes."""
    keys = [types[KEY].create(make_context(), {}).physical_id for _ in "ab"]

    def look(client, alias):
        found = {
            entry["AliasName"]: entry["TargetKeyId"]
            for entry in client("kms").list_aliases()["Aliases"]
            if "TargetKeyId" in entry
        }
        return found.get(alias)

    steps = [({"AliasName": "alias/moving", "TargetKeyId": key}, key) for key in keys]
    live("AWS::KMS::Alias", look, steps)


def test_an_alias_that_is_taken_is_refused(types, make_context):
    """By KMS itself."""
    context = make_context()
    props = {
        "AliasName": f"alias/{context.logical_id}",
        "TargetKeyId": types[KEY].create(context, {}).physical_id,
    }
    types["AWS::KMS::Alias"].create(context, props)
    with pytest.raises(ClientError, match="already exists"):
        types["AWS::KMS::Alias"].create(make_context(), props)
