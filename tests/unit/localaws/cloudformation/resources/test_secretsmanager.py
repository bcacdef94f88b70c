import json

import pytest

from localaws.cloudformation.resource import ResourceFailed

SECRET = "AWS::SecretsManager::Secret"


def value(client, arn):
    """The secret's value."""
    return client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]


def described(read):
    """A look at a secret by `read`, which finds nothing once the secret is deleted."""

    def look(client, arn):
        found = client("secretsmanager").describe_secret(SecretId=arn)
        return None if "DeletedDate" in found else read(found)

    return look


def tags(found):
    """A secret's tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (value, [({"SecretString": "a"}, "a"), ({"SecretString": {"user": "b"}}, '{"user": "b"}')]),
        (
            described(lambda found: found.get("Description")),
            [({"SecretString": "a", "Description": "x"}, "x"), ({"SecretString": "a"}, None)],
        ),
        (
            described(lambda found: found.get("KmsKeyId")),
            [
                ({"SecretString": "a", "KmsKeyId": "arn:k"}, "arn:k"),
                ({"SecretString": "a"}, None),
            ],
        ),
        (
            described(tags),
            [
                ({"SecretString": "a", "Tags": [{"Key": "a", "Value": "b"}]}, {"team": "vision", "a": "b"}),
                ({"SecretString": "a"}, {"team": "vision"}),
            ],
        ),
    ],
)
def test_each_property_of_a_secret_is_set_changed_and_taken_back(live, look, steps):
    """What a template says of a secret is what Secrets Manager answers."""
    live(SECRET, look, steps)


def test_a_secret_is_generated_once(types, context):
    """Inside the template's JSON, of the length asked for; an update of something else keeps it."""
    props = {
        "GenerateSecretString": {
            "SecretStringTemplate": '{"user": "a"}',
            "GenerateStringKey": "password",
            "PasswordLength": "20",
            "ExcludePunctuation": True,
        }
    }
    arn = types[SECRET].create(context, props).physical_id
    generated = json.loads(value(context.client, arn))
    assert generated["user"] == "a"
    assert len(generated["password"]) == 20
    types[SECRET].update(context, arn, props, {**props, "Description": "b"})
    assert json.loads(value(context.client, arn)) == generated


def test_a_secret_given_and_generated_is_refused(types, context):
    """Which of the two would be the value?"""
    with pytest.raises(ResourceFailed, match="not both"):
        types[SECRET].create(context, {"SecretString": "a", "GenerateSecretString": {}})
