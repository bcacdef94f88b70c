"""One of the team's own images, to choose in Studio."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from atelier.spec.studio import StudioApp, StudioImage
from stacks.constructs.studio_settings import APPS


@dataclass(frozen=True, kw_only=True)
class CustomImageProps:
    """Which image, and where it is offered."""

    spec: TeamEnvironment
    name: str
    image: StudioImage
    role: iam.Role
    """The role with which SageMaker looks at the image in its repository."""


class CustomImage(Construct):
    """The image, the version that the tag names, and how it starts.

    `custom_image` is its entry in the settings of its `app`. It names no version, so that a new tag, which is
    a new version, leaves the domain as it is: apps take the newest when they start.
    """

    def __init__(self, scope: Construct, id_: str, props: CustomImageProps) -> None:
        super().__init__(scope, id_)
        spec, image = props.spec, props.image
        name = names.studio_image(spec.team, spec.name, props.name)
        self.app: StudioApp = image.app
        resource = self._resource(
            "Image",
            {
                "ImageName": name,
                "ImageDescription": f"{image.image} of team {spec.team}",
                "ImageRoleArn": props.role.role_arn,
            },
        )
        registry = f"{spec.account}.dkr.ecr.{spec.region}.{cdk.Aws.URL_SUFFIX}"
        repository = names.repository(spec.team, spec.name, image.image)
        # The repository must hold the tag when this is deployed: SageMaker looks for it.
        version = self._resource(
            "ImageVersion",
            {
                "ImageName": name,
                "BaseImage": f"{registry}/{repository}:{image.tag}",
            },
        )
        version.node.add_dependency(resource)
        config = self._resource(
            "AppImageConfig",
            {"AppImageConfigName": name, f"{APPS[image.app]}AppImageConfig": {}},
        )
        # By reference, so that the domain is made after the first version and removed before the last.
        self.custom_image = {"ImageName": name, "AppImageConfigName": config.ref}
        self.version = version

    def _resource(self, kind: str, properties: dict[str, object]) -> cdk.CfnResource:
        return cdk.CfnResource(self, kind, type=f"AWS::SageMaker::{kind}", properties=properties)
