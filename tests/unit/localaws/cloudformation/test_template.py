"""A template: what is read, and what is refused."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.cloudformation.template import Template, TemplateError

_SHORT = """
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Condition: Wanted
    Properties:
      DisplayName: !Sub "${Name}-x"
      Arn: !GetAtt Other.Nested.Arn
      Picked: !Select [1, !Split [",", !Ref Names]]
      Version: 2012-10-17
      Text: !Join ["-", [a, !If [Wanted, b, !Ref "AWS::NoValue"]]]
"""


def test_short_forms_are_the_functions_they_stand_for() -> None:
    """`!Ref`, `!GetAtt A.B.C` and the others read as their long forms, and dates stay text."""
    properties = Template.parse(_SHORT).resources["Topic"]["Properties"]

    assert properties == {
        "DisplayName": {"Fn::Sub": "${Name}-x"},
        "Arn": {"Fn::GetAtt": ["Other", "Nested.Arn"]},
        "Picked": {"Fn::Select": [1, {"Fn::Split": [",", {"Ref": "Names"}]}]},
        "Version": "2012-10-17",
        "Text": {"Fn::Join": ["-", ["a", {"Fn::If": ["Wanted", "b", {"Ref": "AWS::NoValue"}]}]]},
    }


def test_the_text_is_kept_as_given() -> None:
    """The CDK command compares GetTemplate's text with its own: it must not be rewritten."""
    body = '{"Resources" :  {"A": {"Type": "AWS::SNS::Topic"}}}'

    assert Template.parse(body).body == body


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "JSON not well-formed. (line 1, column 2)"),
        ("Resources: [", "YAML not well-formed"),
        ("text", "unsupported structure"),
        ("{}", "At least one Resources member must be defined"),
        ('{"Resources": {"A": {}}}', "[/Resources/A] Every Resources object must contain a Type member"),
        ('{"Resources": {"A-b": {"Type": "X"}}}', "Resource name A-b is non alphanumeric"),
        ('{"Resources": {"A": {"Type": "X", "Depends": "B"}}}', "'Depends'"),
        ('{"Resources": {"A": {"Type": "X"}}, "Extra": 1}', "[Extra]"),
        ('{"Resources": {"A": {"Type": "X"}}, "Transform": "AWS::Serverless-2016-10-31"}', "AWS::Serverless"),
        ('{"Resources": {"A": {"Type": "X", "DeletionPolicy": "Snapshot"}}}', "Snapshot is not supported"),
        ('{"Resources": {"A": {"Type": "X"}}, "Outputs": {"O": {}}}', "[/Outputs/O]"),
        ('{"Resources": {"A": {"Type": "X"}}, "Parameters": {"P": {}}}', "[/Parameters/P]"),
    ],
)
def test_a_malformed_template_is_refused_with_its_place(body: str, message: str) -> None:
    """What cannot be a template is refused before anything else looks at it."""
    with pytest.raises(TemplateError) as refusal:
        Template.parse(body)

    assert refusal.value.code == "ValidationError"
    assert message in refusal.value.message


def test_too_many_resources_are_refused() -> None:
    """CloudFormation takes 500 resources."""
    resources = {f"R{number}": {"Type": "X"} for number in range(501)}

    with pytest.raises(TemplateError, match="501, is greater than maximum allowed, 500"):
        Template.parse(json.dumps({"Resources": resources}))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_refused(body: str) -> None:
    """No text, however odd, raises anything but the refusal."""
    with contextlib.suppress(TemplateError):
        Template.parse(body)
