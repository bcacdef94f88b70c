import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation.resource import ResourceFailed

PARAMETER = "AWS::SSM::Parameter"
BASE = {"Type": "String", "Value": "1"}


def value(client, name):
    """The value and the type of a parameter."""
    found = client("ssm").get_parameter(Name=name)["Parameter"]
    return found["Value"], found["Type"]


def described(field):
    """A look at one field of a parameter's description."""

    def look(client, name):
        wanted = [{"Key": "Name", "Values": [name]}]
        found = client("ssm").describe_parameters(ParameterFilters=wanted)["Parameters"]
        return found[0].get(field, "") if found else None

    return look


def tags(client, name):
    """A parameter's tags as a mapping."""
    ssm = client("ssm")
    ssm.get_parameter(Name=name)
    found = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    return {tag["Key"]: tag["Value"] for tag in found}


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (
            value,
            [
                ({}, ("1", "String")),
                ({"Value": 33}, ("33", "String")),
                ({"Type": "StringList", "Value": "a,b"}, ("a,b", "StringList")),
            ],
        ),
        (described("Description"), [({"Description": "a"}, "a"), ({}, "")]),
        (described("AllowedPattern"), [({"AllowedPattern": "[0-9]"}, "[0-9]"), ({}, "")]),
        (tags, [({"Tags": {"a": "b"}}, {"team": "vision", "a": "b"}), ({}, {"team": "vision"})]),
    ],
)
def test_each_property_of_a_parameter_is_set_changed_and_taken_back(live, look, steps):
    """What a template says of a parameter is what Systems Manager answers."""
    live(PARAMETER, look, [({**BASE, **props}, seen) for props, seen in steps])


def test_a_parameter_answers_its_name_and_arn(types, context):
    """A path keeps one slash in the ARN."""
    created = types[PARAMETER].create(context, {**BASE, "Name": "/cdk/version"})
    assert created.physical_id == "/cdk/version"
    assert created.attributes == {"Arn": "arn:aws:ssm:eu-west-1:111122223333:parameter/cdk/version", **BASE}


def test_a_name_that_is_taken_is_refused(types, make_context):
    """By Systems Manager itself."""
    name = {"Name": types[PARAMETER].create(make_context(), BASE).physical_id}
    with pytest.raises(ClientError, match="ParameterAlreadyExists"):
        types[PARAMETER].create(make_context(), {**BASE, **name})


def test_a_secure_string_is_refused(types, context):
    """As by CloudFormation."""
    with pytest.raises(ResourceFailed, match="SecureString"):
        types[PARAMETER].create(context, {"Type": "SecureString", "Value": "x"})


def test_a_change_of_the_stacks_tags_makes_no_new_version(types, make_context):
    """Only a changed parameter gets one."""
    context = make_context()
    name = types[PARAMETER].create(context, BASE).physical_id
    other = make_context(stack_tags={"team": "speech"})
    types[PARAMETER].update(other, name, BASE, BASE)
    assert tags(context.client, name) == {"team": "speech"}
    assert context.client("ssm").get_parameter(Name=name)["Parameter"]["Version"] == 1
