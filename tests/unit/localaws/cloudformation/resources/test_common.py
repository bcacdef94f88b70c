"""What the resource types share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.cloudformation.resource import ResourceFailed
from localaws.cloudformation.resources._common import Api, Tags, partition, renamed, undone_on_failure

TAGS = Tags("sns", "ResourceArn")


@pytest.mark.parametrize(
    ("params", "seen"),
    [
        ({"Attributes": {"DelaySeconds": 5}}, "5"),
        ({"attributes": {"DelaySeconds": "5"}}, "5"),
        ({"Attributes": {"DelaySeconds": "5"}, "Tags": None}, "5"),
    ],
)
def test_a_call_takes_what_a_template_writes(context, params, seen):
    """Numbers for strings, another case of a name, and None for what is left out."""
    sqs = Api(context, "sqs")
    url = sqs("create_queue", QueueName=context.logical_id, **params)["QueueUrl"]
    found = sqs("get_queue_attributes", QueueUrl=url, AttributeNames=["DelaySeconds"])
    assert found["Attributes"]["DelaySeconds"] == seen


def test_a_wrong_parameter_is_named(context):
    """Neither an unknown name nor a value of no use gets through."""
    with pytest.raises(ResourceFailed, match="QueueNam"):
        Api(context, "sqs")("create_queue", QueueNam="x")
    with pytest.raises(ResourceFailed, match="failed: Invalid type for parameter PendingWindowInDays"):
        Api(context, "kms")("schedule_key_deletion", KeyId="k", PendingWindowInDays="soon")


NAMES = {"A": "a", "B": ("b", {"C": "c"})}
nested = st.fixed_dictionaries({}, optional={"C": st.integers()})


@given(st.fixed_dictionaries({}, optional={"A": st.text(), "B": nested | st.lists(nested)}))
def test_renaming_keeps_every_value(value):
    """Only the names change, at every level and in lists."""

    def back(part):
        if isinstance(part, list):
            return [back(each) for each in part]
        if isinstance(part, dict):
            return {name.upper(): back(each) for name, each in part.items()}
        return part

    assert back(renamed("Thing", value, NAMES)) == value


def test_renaming_refuses_what_has_no_name():
    """By its whole path, so that the template's author finds it."""
    with pytest.raises(ResourceFailed, match=r"^Thing\.B\.D is not emulated"):
        renamed("Thing", {"B": [{"C": 1}, {"D": 2}]}, NAMES)


def test_tags_become_the_stacks_and_the_templates(make_context):
    """The template's wins over the stack's; a tag that neither names goes, but AWS's own stay."""
    context = make_context(stack_tags={"team": "vision", "stage": "dev"})
    sns = Api(context, "sns")
    tags = [{"Key": key, "Value": "old"} for key in ("team", "gone", "aws:x")]
    arn = sns("create_topic", Name=context.logical_id, Tags=tags)["TopicArn"]
    TAGS.settle(context, arn, {"Tags": [{"Key": "stage", "Value": "own"}]})
    found = sns("list_tags_for_resource", ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {"team": "vision", "stage": "own", "aws:x": "old"}


def test_a_half_made_resource_is_deleted_and_the_reason_kept(context):
    """Even where the deletion fails too, what people read is why the creation failed."""
    deleted = []

    class Fragile:
        def delete(self, context, physical_id, props):
            deleted.append(physical_id)
            raise RuntimeError

    with (
        pytest.raises(ResourceFailed, match="the first reason"),
        undone_on_failure(Fragile(), context, "thing", {}),
    ):
        raise ResourceFailed("the first reason")
    assert deleted == ["thing"]


@pytest.mark.parametrize(
    ("region", "expected"),
    [("eu-west-1", "aws"), ("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_a_region_lies_in_its_partition(region, expected):
    """ARNs of China and GovCloud begin otherwise."""
    assert partition(region) == expected
