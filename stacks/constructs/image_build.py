"""Builds one of the team's own images where no container engine is at hand: a CodeBuild project.

Written as plain CloudFormation resources, as the functions are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from atelier.spec import instances, names
from atelier.spec.hyperparameters import CONTAINERS
from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.permission import Permission, allow
from stacks.constructs.role import service_role
from stacks.grants import PULL_ACTIONS, PUSH_ACTIONS, images_of_aws, unscoped

PROJECT = Path(__file__).parents[2]
LOG_RETENTION = logs.RetentionDays.THREE_MONTHS
TIMEOUT_MINUTES = 60
BUILDER = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
BUILD = (
    "aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY",
    "docker build --tag $REPOSITORY:$TAG .",
    "docker push $REPOSITORY:$TAG",
)
"""What a build runs, in the image's folder; each only once the one before has succeeded."""
ACKNOWLEDGED = {
    "AwsSolutions-CB3": "Docker needs it; the project builds the team's own Dockerfile and nothing else",
    "NIST.800.53.R5-CodeBuildProjectPrivilegedModeDisabled": "the same",
}


@dataclass(frozen=True, kw_only=True)
class ImageBuildProps:
    """Which image, and what encrypts its log and source."""

    spec: TeamEnvironment
    image: str
    key: kms.IKey


class ImageBuild(Construct):
    """A project that builds containers/<image> as it is when the stack is deployed, and pushes it.

    `atelier image push <image> --codebuild` starts it, with the tag as its variable TAG.
    """

    def __init__(self, scope: Construct, id_: str, props: ImageBuildProps) -> None:
        super().__init__(scope, id_)
        spec = props.spec
        name = names.image_build(spec.team, spec.name, props.image)
        source = assets.Asset(self, "Source", path=str(PROJECT / CONTAINERS / props.image))
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/codebuild/{name}",
            retention=LOG_RETENTION,
            encryption_key=props.key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        role = service_role(
            self, "Role", service="codebuild.amazonaws.com", description=f"Builds and pushes {props.image}"
        )
        allow(role, *self._permissions(props, source))
        registry = f"{spec.account}.dkr.ecr.{spec.region}.{instances.domain(spec.region)}"
        repository = f"{registry}/{names.repository(spec.team, spec.name, props.image)}"
        variables = {"REGISTRY": registry, "REPOSITORY": repository, "TAG": "latest"}
        project = cdk.CfnResource(
            self,
            "Project",
            type="AWS::CodeBuild::Project",
            properties={
                "Name": name,
                "Description": f"Builds image {props.image} of team {spec.team} in {spec.name}",
                "ServiceRole": role.role_arn,
                "Artifacts": {"Type": "NO_ARTIFACTS"},
                "Source": {
                    "Type": "S3",
                    "Location": f"{source.s3_bucket_name}/{source.s3_object_key}",
                    "BuildSpec": json.dumps(
                        {"version": 0.2, "phases": {"build": {"commands": [" && ".join(BUILD)]}}}
                    ),
                },
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": "BUILD_GENERAL1_MEDIUM",
                    "Image": BUILDER,
                    "PrivilegedMode": True,
                    "EnvironmentVariables": [{"Name": key, "Value": one} for key, one in variables.items()],
                },
                "EncryptionKey": props.key.key_arn,
                "LogsConfig": {
                    "CloudWatchLogs": {"Status": "ENABLED", "GroupName": log_group.log_group_name}
                },
                "TimeoutInMinutes": TIMEOUT_MINUTES,
            },
        )
        # A build that is started before the role's policy is attached fails.
        project.node.add_dependency(role)
        cdk.Validations.of(project).acknowledge(
            *(cdk.Acknowledgment(id=id_, reason=reason) for id_, reason in ACKNOWLEDGED.items())
        )

    def _permissions(self, props: ImageBuildProps, source: assets.Asset) -> list[Permission]:
        spec, arns = props.spec, Arns(props.spec)
        repository = names.repository(spec.team, spec.name, props.image)
        name = names.image_build(spec.team, spec.name, props.image)
        return [
            Permission(
                sid="ReadSource",
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[f"{source.bucket.bucket_arn}/{source.s3_object_key}"],
            ),
            Permission(
                sid="PushImage",
                actions=[*PULL_ACTIONS, *PUSH_ACTIONS],
                resources=[arns.of("ecr", f"repository/{repository}")],
            ),
            images_of_aws(arns, spec),
            unscoped("LogInToRegistries", "ecr:GetAuthorizationToken"),
            Permission(
                sid="WriteLog",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[arns.of("logs", f"log-group:/aws/codebuild/{name}:log-stream:*")],
                because="a stream is named when a build begins",
            ),
            Permission(
                sid="UseKey", actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[props.key.key_arn]
            ),
        ]
