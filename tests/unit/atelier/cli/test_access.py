"""`atelier access`: policies in words, from the templates or from IAM."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from atelier.cli.permission_words import Words, actions, conditions, things, words

SAGEMAKER = "arn:aws:sagemaker:eu-west-1:111122223333:"
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "RoleName": "tiny-dev-reviewer",
        "AssumeRolePolicyDocument": {"Statement": []},
        "Policies": [
            {
                "PolicyName": "Own",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sagemaker:UpdateModelPackage",
                            "Resource": f"{SAGEMAKER}model-package/tiny-dev-*",
                            "Condition": {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
                        }
                    ],
                },
            }
        ],
        "ManagedPolicyArns": [{"Ref": "Guardrails"}],
    },
}
GUARDRAILS = {
    "Type": "AWS::IAM::ManagedPolicy",
    "Properties": {
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Deny",
                    "Action": "sagemaker:CreateTrainingJob",
                    "Resource": "*",
                    "Condition": {"Null": {"sagemaker:InstanceTypes": "true"}},
                }
            ],
        }
    },
}
ROWS = [
    {
        "role": "tiny-dev-reviewer",
        "service": "SageMaker",
        "may": "update model package",
        "never": "",
        "on": "model-package tiny-dev-*",
        "condition": "model approval status is Approved",
    },
    {
        "role": "whoever creates",
        "service": "SageMaker",
        "may": "",
        "never": "create training job",
        "on": "everything",
        "condition": "instance types is missing",
    },
]
TEMPLATE = {"Resources": {"Reviewer": ROLE, "Guardrails": GUARDRAILS}}


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["GetObject", "ListBucket"], "read object; list bucket"),
        (["CreateTrainingJob", "CreateProcessingJob", "StopTrainingJob"],
         "create processing job, training job; stop training job"),
        (["Decrypt", "GenerateDataKey*"], "decrypt; generate data key…"),
        (["*"], "*"),
    ],
)  # fmt: skip
def test_actions_are_grouped_by_what_they_do(names, says):
    """The verb once, then what it is about."""
    assert actions(names) == says


@pytest.mark.parametrize(
    ("arn", "says"),
    [
        ("*", "all: AWS lets none be named"),
        (f"{SAGEMAKER}endpoint/tiny-dev-*", "endpoint tiny-dev-*"),
        ("arn:aws:s3:::tiny-dev-data/curve/*", "tiny-dev-data/curve/*"),
        ("arn:aws:lambda:eu-west-1:111122223333:function:tiny-dev-x", "function tiny-dev-x"),
        ("arn:aws:sqs:eu-west-1:111122223333:tiny-dev-x", "tiny-dev-x"),
        ("arn:aws:ecr:eu-west-1:*:repository/*", "repository * of other accounts"),
        (
            "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/jobs:log-stream:a",
            "log-group /aws/jobs stream a",
        ),
    ],
)
def test_resources_say_what_differs(arn, says):
    """Region and account are those of the environment."""
    assert things([arn]) == says


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({}, ""),
        ({"Null": {"sagemaker:VolumeKmsKey": "true"}}, "volume kms key is missing"),
        ({"Null": {"sagemaker:VolumeKmsKey": "false"}}, "volume kms key is given"),
        ({"ForAnyValue:StringNotLike": {"sagemaker:InstanceTypes": ["ml.m5.*", "ml.c5.*"]}},
         "any instance types is not like ml.m5.* or ml.c5.*"),
        ({"BoolIfExists": {"sagemaker:NetworkIsolation": "false"}},
         "network isolation is false, or is missing"),
        ({"StringEquals": {"aws:ResourceTag/team": "tiny"}, "NumericGreaterThan": {"a:MaxRuntime": "60"}},
         "resource tag team is tiny and max runtime is more than 60"),
    ],
)  # fmt: skip
def test_conditions_are_sentences(block, says):
    """Operators and keys in words, all of them joined."""
    assert conditions(block) == says


def test_a_statement_on_two_services_is_two_rows():
    """An action means nothing without its service."""
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "kms:Decrypt"], "Resource": "*"}
    assert words(statement) == [
        Words("S3", "read object", "", "all: AWS lets none be named", ""),
        Words("KMS", "decrypt", "", "all: AWS lets none be named", ""),
    ]


@pytest.fixture
def synthesized(project: Path) -> Path:
    """cdk.out, with the templates of an environment of one role."""
    folder = project / "cdk.out/assembly-tiny-dev"
    folder.mkdir(parents=True)
    (folder / "access.template.json").write_text(json.dumps(TEMPLATE))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-west-1",
        "properties": {"stackName": "tiny-dev-access", "templateFile": "access.template.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"access": stack}}))
    os.utime(folder / "manifest.json", (2**31, 2**31))
    return folder


def test_the_templates_say_who_may_do_what(atelier, synthesized):
    """What a role may, then once, for everybody, what the guardrails refuse."""
    assert json.loads(atelier("access", "tiny", "dev", "--json").stdout) == ROWS


def test_iam_says_the_same_of_what_is_deployed(atelier, deployed):
    """`--deployed` asks for the roles of the environment's stacks."""
    stacks = deployed("cloudformation")
    stacks.create_stack(
        StackName="tiny-dev-access", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    stacks.get_waiter("stack_create_complete").wait(
        StackName="tiny-dev-access", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    assert json.loads(atelier("access", "--deployed", "--json").stdout) == ROWS


def test_the_table_names_each_role_once(atelier, synthesized):
    """People read rows below a role's name."""
    text = atelier("access", "tiny", "dev").stdout
    assert text.count("tiny-dev-reviewer") == 1
    assert "never create training job" in text


def test_a_role_that_is_not_there_is_refused_with_those_that_are(atelier, synthesized):
    """`--role` takes a part of a name."""
    assert json.loads(atelier("access", "--role", "reviewer", "--json").stdout) == ROWS
    failed = atelier("access", "--role", "editor")
    assert failed.exit_code == 1
    assert "no role with 'editor' in its name; there are tiny-dev-reviewer" in failed.stderr


def test_old_templates_are_not_believed(atelier, synthesized, project):
    """A team file that is newer than cdk.out asks for a synthesis, which takes the project's folder."""
    os.utime(synthesized / "manifest.json", (1, 1))
    failed = atelier("access")
    assert failed.exit_code == 1
    assert "there is no app.py here" in failed.stderr
