import json

import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation.resource import ResourceFailed

GROUP, POLICY = "AWS::Logs::LogGroup", "AWS::Logs::ResourcePolicy"


def group(client, name):
    """The description of a log group, or None."""
    found = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return found[0] if found else None


def field(name):
    """A look at one field of a log group."""

    def look(client, physical_id):
        found = group(client, physical_id)
        return found and found.get(name, "none")

    return look


def tags(client, name):
    """A log group's tags."""
    arn = group(client, name)["arn"].removesuffix(":*") if group(client, name) else None
    return arn and client("logs").list_tags_for_resource(resourceArn=arn)["tags"]


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (
            field("retentionInDays"),
            [({"RetentionInDays": "7"}, 7), ({"RetentionInDays": 30}, 30), ({}, "none")],
        ),
        (
            field("kmsKeyId"),
            [({"KmsKeyId": "arn:a"}, "arn:a"), ({"KmsKeyId": "arn:b"}, "arn:b"), ({}, "none")],
        ),
        (
            tags,
            [
                ({"Tags": [{"Key": "a", "Value": "b"}]}, {"team": "vision", "a": "b"}),
                ({}, {"team": "vision"}),
            ],
        ),
    ],
)
def test_each_property_of_a_log_group_is_set_changed_and_taken_back(live, look, steps):
    """What a template says of a log group is what CloudWatch Logs answers."""
    created = live(GROUP, look, steps)
    where = "arn:aws:logs:eu-west-1:111122223333:log-group"
    assert created.attributes["Arn"] == f"{where}:{created.physical_id}:*"


def test_a_log_group_name_that_is_taken_is_refused(types, make_context):
    """By CloudWatch Logs itself."""
    name = {"LogGroupName": types[GROUP].create(make_context(), {}).physical_id}
    with pytest.raises(ClientError, match="ResourceAlreadyExists"):
        types[GROUP].create(make_context(), name)


def test_a_resource_policy_is_put_replaced_and_deleted(live, types, make_context):
    """A second resource of the same name is refused: it would overwrite the first."""

    def look(client, name):
        found = {
            policy["policyName"]: json.loads(policy["policyDocument"])
            for policy in client("logs").describe_resource_policies()["resourcePolicies"]
        }
        return found.get(name)

    steps = [({"PolicyName": "events", "PolicyDocument": {"Id": each}}, {"Id": each}) for each in "ab"]
    live(POLICY, look, steps)
    types[POLICY].create(make_context(), steps[0][0])
    with pytest.raises(ResourceFailed, match="events already exists"):
        types[POLICY].create(make_context(), steps[0][0])
