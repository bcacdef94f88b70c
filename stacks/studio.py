"""Where a team works: its Studio domain, with its people, spaces and images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from atelier.spec.studio import StudioUser
from stacks import template_permissions as templates
from stacks.access import Access
from stacks.arns import Arns
from stacks.constructs import studio_settings
from stacks.constructs.guardrail_conditions import Place
from stacks.constructs.lifecycle_config import studio_config
from stacks.constructs.permission import allow, allow_in_managed_policies
from stacks.constructs.project_templates import ProjectTemplates
from stacks.constructs.role import service_role
from stacks.constructs.studio_image import CustomImage, CustomImageProps
from stacks.constructs.studio_permissions import own_domain, workplace
from stacks.constructs.studio_roles import StudioRoles, StudioRolesProps, only_sizes
from stacks.data import Data
from stacks.grants import own_images, unscoped
from stacks.personas import Subject, permissions_of
from stacks.registry import Registry
from stacks.team_stack import TeamStack

SHARING_PREFIX = "studio/sharing"
"""Where in the artifacts bucket people put what they share of their notebooks."""

SIGN_IN = {"iam": "IAM", "sso": "SSO"}
INTERNET = {"vpc_only": "VpcOnly", "public": "PublicInternetOnly"}


@dataclass(frozen=True, kw_only=True)
class StudioProps:
    """What the studio stack is built from."""

    spec: TeamEnvironment
    access: Access
    vpc_id: str
    place: Place
    """Where its apps run, in that VPC."""
    data: Data
    registry: Registry


class Studio(TeamStack):
    """The domain, a profile for each user, the spaces that the team file declares.

    What would replace the domain if it changed (its name, way to sign in, key and VPC) follows from the
    environment, or is refused while the team file is read (see `atelier.spec.record`).
    """

    def __init__(self, scope: Construct, id_: names.StackKind, props: StudioProps) -> None:
        super().__init__(scope, id_, props.spec)
        if props.spec.studio is None:
            raise ValueError(f"{self.stack_name}: the team file has no studio")
        self._props, self._spec, self._studio = props, props.spec, props.spec.studio
        # Images are named in words, not by reference, which would hold the registry fast.
        self.add_stack_dependency(props.registry)
        self.roles = self._execution_roles()
        self._images = self._custom_images()
        self._offer = self._what_apps_are_offered()
        self.domain = self._domain()
        # Apart from the roles' other permissions, which stand before the domain: these name it by its id.
        allow_in_managed_policies(self, "InDomain", self.roles.all, own_domain(self._spec, self.domain_id))
        if templates.are_on(self._spec):
            ProjectTemplates(
                self, "Templates", spec=self._spec, key=self._props.data.key, roles=self.roles.all
            )
        removal = self._removal_of_domain()
        self.profiles = {name: self._profile(name, user) for name, user in self._studio.users.items()}
        self.spaces = {name: self._space(name) for name in self._studio.spaces}
        self._remove_in_order(removal)

    @property
    def domain_id(self) -> str:
        """The id that SageMaker gives the domain, `d-…`; a token."""
        return self.domain.ref

    def _execution_roles(self) -> StudioRoles:
        spec, studio, props = self._spec, self._studio, self._props
        subject = Subject(
            spec=spec,
            key_arn=props.data.key.key_arn,
            execution_role_arn=props.access.execution_role.role_arn,
        )
        basics = workplace(spec, props.place, props.data.key.key_arn)
        sizes = only_sizes(
            studio.instances, {name: user.instances or [] for name, user in studio.users.items()}
        )
        return StudioRoles(
            self,
            "Roles",
            StudioRolesProps(
                whose=f"Studio of team {spec.team} in {spec.name}",
                permissions_of=lambda persona: [
                    *permissions_of(persona, subject, inside=True),
                    *basics,
                    *sizes,
                ],
                personas={name: user.persona for name, user in studio.users.items()},
                per_user=studio.roles == "user",
            ),
        )

    def _custom_images(self) -> list[CustomImage]:
        spec = self._spec
        if not self._studio.images:
            return []
        role = service_role(
            self,
            "ImageRole",
            service="sagemaker.amazonaws.com",
            description=f"Looks at the images that Studio offers team {spec.team} in {spec.name}",
        )
        allow(
            role,
            own_images(Arns(spec)),
            unscoped("LogInToRegistries", "ecr:GetAuthorizationToken"),
        )
        return [
            CustomImage(
                self,
                f"Image-{name}",
                CustomImageProps(spec=spec, name=name, image=image, role=role),
            )
            for name, image in self._studio.images.items()
        ]

    def _what_apps_are_offered(self) -> studio_settings.Offer:
        scripts = {
            "jupyterlab": self._studio.lifecycle.jupyterlab,
            "code_editor": self._studio.lifecycle.code_editor,
        }
        configs = {
            app: studio_config(self, self._spec, app, scripts[app])
            for app in studio_settings.APPS
            if scripts[app]
        }
        return studio_settings.Offer(
            lifecycle={
                app: config.get_att("StudioLifecycleConfigArn").to_string() for app, config in configs.items()
            },
            images={
                app: [image.custom_image for image in self._images if image.app == app]
                for app in studio_settings.APPS
            },
            repositories=self._studio.repositories,
        )

    def _domain(self) -> cdk.CfnResource:
        spec, studio, props = self._spec, self._studio, self._props
        domain = cdk.CfnResource(
            self,
            "Domain",
            type="AWS::SageMaker::Domain",
            properties={
                "DomainName": names.domain(spec.team, spec.name),
                "AuthMode": SIGN_IN[studio.sign_in],
                "AppNetworkAccessType": INTERNET[studio.internet],
                "VpcId": props.vpc_id,
                "SubnetIds": list(props.place.subnets),
                "KmsKeyId": props.data.key.key_arn,
                # What people make in Studio carries the tags of their profile: whose it is, and who pays.
                "TagPropagation": "ENABLED",
                "DomainSettings": {
                    # CloudTrail names the person behind each call of a role, shared or not.
                    "ExecutionRoleIdentityConfig": "USER_PROFILE_NAME",
                    "DockerSettings": self._docker(),
                },
                "DefaultUserSettings": self._default_user_settings(),
                "DefaultSpaceSettings": self._default_space_settings(),
            },
        )
        domain.node.add_dependency(*self.roles.policies, *(image.version for image in self._images))
        return domain

    def _removal_of_domain(self) -> cdk.CfnResource:
        """With which the domain goes, and what SageMaker made around it."""
        removal, domain_id = self._props.registry.removal, self.domain_id
        allowed = removal.let_remove_domain(self, "MayRemove", domain_id=domain_id, vpc_id=self._props.vpc_id)
        return removal.of_domain(self, "Removal", domain_id=domain_id, after=[self.domain, *allowed])

    def _remove_in_order(self, removal: cdk.CfnResource) -> None:
        """First all that is in the domain goes, then profiles and spaces as CloudFormation knows them.

        CloudFormation finds them gone, as it does the domain, and takes that for deleted. The removal of the
        domain comes before them in a deployment: one that fails half way leaves nothing in the network.
        """
        for profile in self.profiles.values():
            profile.node.add_dependency(removal)
        self._props.registry.removal.of_workplaces(
            self,
            "Workplaces",
            domain_id=self.domain_id,
            users=sorted(self.profiles),
            spaces=sorted(self.spaces),
            after=[removal, *self.profiles.values(), *self.spaces.values()],
        )

    def _docker(self) -> dict[str, Any]:
        if not self._studio.docker:
            return {"EnableDockerAccess": "DISABLED"}
        if self._studio.internet == "public":
            return {"EnableDockerAccess": "ENABLED"}
        own = [self._spec.account, *self._spec.other_accounts]
        return {"EnableDockerAccess": "ENABLED", "VpcOnlyTrustedAccounts": own}

    def _default_user_settings(self) -> dict[str, Any]:
        studio, key = self._studio, self._props.data.key.key_arn
        spec = self._spec
        bucket = names.bucket(spec.team, spec.name, "artifacts", spec.account, spec.region)
        shared = {
            "NotebookOutputOption": "Allowed",
            "S3OutputPath": f"s3://{bucket}/{SHARING_PREFIX}",
            "S3KmsKeyId": key,
        }
        return {
            "ExecutionRole": self.roles.default.role_arn,
            "SecurityGroups": list(self._props.place.security_groups),
            "StudioWebPortal": "ENABLED",
            "DefaultLandingUri": "studio::",
            "StudioWebPortalSettings": studio_settings.portal(studio, studio.instances),
            "SharingSettings": shared if studio.sharing else {"NotebookOutputOption": "Disabled"},
            "SpaceStorageSettings": studio_settings.storage(studio.storage_gb),
            **studio_settings.all_apps(studio.instances, studio.idle_minutes, self._offer),
        }

    def _default_space_settings(self) -> dict[str, Any]:
        """What holds in shared spaces, which belong to nobody."""
        studio = self._studio
        return {
            "ExecutionRole": self.roles.default.role_arn,
            "SecurityGroups": list(self._props.place.security_groups),
            "JupyterLabAppSettings": studio_settings.app_settings(
                "jupyterlab", studio.instances, studio.idle_minutes, self._offer
            ),
            "SpaceStorageSettings": studio_settings.storage(studio.storage_gb),
        }

    def _profile(self, name: str, user: StudioUser) -> cdk.CfnResource:
        sign_in = {"SingleSignOnUserIdentifier": "UserName", "SingleSignOnUserValue": user.sso_user}
        role = self.roles.of(name)
        own_role = {} if role is self.roles.default else {"ExecutionRole": role.role_arn}
        settings = own_role | studio_settings.user_settings(self._studio, user, self._offer)
        profile = cdk.CfnResource(
            self,
            f"User-{name}",
            type="AWS::SageMaker::UserProfile",
            properties={
                "DomainId": self.domain_id,
                "UserProfileName": name,
                **(sign_in if user.sso_user else {}),
                **({"UserSettings": settings} if settings else {}),
            },
        )
        if "JupyterLabAppSettings" in settings:
            # The user guide has it, and both readers of schemas know it of a domain.
            reason = "CloudFormation takes AppLifecycleManagement of a user; its published schema lacks it"
            profile.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3002"]}})
            cdk.Validations.of(profile).acknowledge(
                cdk.Acknowledgment(id="CloudFormation-Validate::F3002", reason=reason)
            )
        return profile

    def _space(self, name: str) -> cdk.CfnResource:
        space = self._studio.spaces[name]
        resource = cdk.CfnResource(
            self,
            f"Space-{name}",
            type="AWS::SageMaker::Space",
            properties={
                "DomainId": self.domain_id,
                "SpaceName": name,
                "OwnershipSettings": {"OwnerUserProfileName": space.owner},
                "SpaceSharingSettings": {"SharingType": "Shared" if space.shared else "Private"},
                "SpaceSettings": studio_settings.space_settings(space, self._offer),
            },
        )
        resource.node.add_dependency(self.profiles[space.owner])
        return resource
