"""A Lambda function as all are, and what it carries."""

from __future__ import annotations

import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from atelier.spec import load_teams
from stacks.app import PROJECT, new_app
from stacks.constructs.function import LambdaFunction, LambdaFunctionProps


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack to put functions into."""
    app = new_app(outdir=str(tmp_path_factory.mktemp("cdk.out")))
    return cdk.Stack(app, "functions", env=cdk.Environment(account="111122223333", region="eu-west-1"))


def props(stack, **given):
    """The properties of a function in `stack`."""
    [spec] = load_teams(PROJECT / "teams", "vision", "dev")
    key = stack.node.try_find_child("Key") or kms.Key(stack, "Key")
    return LambdaFunctionProps(spec=spec, verb_noun="start_training", description="Starts", key=key, **given)


def test_every_function_runs_ours_with_traces_and_a_log_of_its_own(assembly):
    """arm64, Python 3.13, its folder's handler, traced, logging into the group that its stack makes."""
    functions = [
        one for one in assembly.resources("AWS::Lambda::Function") if "FunctionName" in one.properties
    ]
    groups = {
        (one.stack, one.logical_id): one.properties for one in assembly.resources("AWS::Logs::LogGroup")
    }
    assert {one.properties["FunctionName"] for one in functions} >= {"vision-dev-start-training"}
    for one in functions:
        name = one.properties["FunctionName"]
        folder = name.removeprefix(one.stack.rpartition("-")[0] + "-").replace("-", "_")
        assert one.properties["Handler"] == f"lambdas.{folder}.handler.handler"
        assert (PROJECT / "lambdas" / folder / "handler.py").is_file()
        assert one.properties["Runtime"] == "python3.13"
        assert one.properties["Architectures"] == ["arm64"]
        assert one.properties["TracingConfig"] == {"Mode": "Active"}
        group = groups[one.stack, one.properties["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["LogGroupName"] == f"/aws/lambda/{name}"
        assert group["RetentionInDays"] == 90
        assert "KmsKeyId" in group


def test_a_functions_role_comes_with_all_that_it_may_do(assembly):
    """A function that is invoked before a policy of its role is attached would be refused."""
    roles = {
        (one.stack, one.logical_id): one.properties.get("Policies")
        for one in assembly.resources("AWS::IAM::Role")
    }
    later = {
        (one.stack, role.get("Ref"))
        for one in assembly.resources("AWS::IAM::Policy")
        for role in one.properties["Roles"]
    }
    for one in assembly.resources("AWS::Lambda::Function"):
        if "FunctionName" in one.properties:
            role = one.properties["Role"]["Fn::GetAtt"][0]
            assert roles[one.stack, role], one.where
            assert (one.stack, role) not in later, one.where


def test_all_functions_share_one_archive_of_lambdas_alone(assembly, checked):
    """One asset holds lambdas/ and nothing else of the project, no bytecode either."""
    keys = {
        json.dumps(one.properties["Code"]["S3Key"])
        for one in assembly.resources("AWS::Lambda::Function")
        if "FunctionName" in one.properties
    }
    assert len(keys) == 1
    [archive] = checked.glob(f"asset.{json.loads(keys.pop()).removesuffix('.zip')}")
    held = {path.relative_to(archive) for path in archive.rglob("*") if path.is_file()}
    expected = {
        path.relative_to(PROJECT)
        for path in (PROJECT / "lambdas").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == expected


def test_an_environment_that_lambda_would_refuse_is_refused_first(stack):
    """4 KB are the most; the message names the function and the largest variable."""
    environment = {"SMALL": "x", "JOBS": "y" * 5000}
    with pytest.raises(
        ValueError, match=r"vision-dev-start-training: its environment has 5010 bytes .* JOBS with 5000"
    ):
        LambdaFunction(stack, "Large", props(stack, environment=environment))


def test_tokens_count_as_they_stand(stack):
    """A reference is short in the template, whatever it becomes: four of them fit beside 3 KB."""
    environment = {f"ARN_{number}": cdk.Aws.STACK_ID for number in range(4)} | {"JOBS": "y" * 3000}
    LambdaFunction(stack, "Tokens", props(stack, environment=environment))
