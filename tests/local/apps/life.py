"""A small stack at several versions, for the life of a stack: create, update, replace, fail, destroy."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm

app = cdk.App()
version = app.node.try_get_context("version")
stack = cdk.Stack(app, "life", env=cdk.Environment(account="111122223333", region="eu-west-1"))

s3.Bucket(
    stack,
    "Store",
    bucket_name="life-store",
    removal_policy=cdk.RemovalPolicy.DESTROY,
    auto_delete_objects=True,
)
function = lambda_.Function(
    stack,
    "Says",
    function_name="life-says",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline(f"def handler(event, context):\n    return {version!r}\n"),
)
# The name of a queue cannot change in place: another version is another queue.
queue = sqs.Queue(stack, "Queue", queue_name=f"life-queue-{'first' if version == 'one' else 'second'}")
parameter = ssm.StringParameter(stack, "Version", parameter_name="/life/version", string_value=version)
cdk.CfnOutput(stack, "QueueUrl", value=queue.queue_url)

if version == "broken":
    # Comes last and cannot be: the test took the name before.
    taken = s3.Bucket(stack, "Taken", bucket_name="life-taken")
    taken.node.add_dependency(function, queue, parameter)

app.synth()
