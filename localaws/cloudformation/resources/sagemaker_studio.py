"""Resource types of Amazon SageMaker Studio."""

from __future__ import annotations

from typing import Any

from localaws.cloudformation.resource import Context, ResourceType
from localaws.cloudformation.resources._common import Api, Props, given
from localaws.cloudformation.resources._sagemaker import Kept, pairs

_APP_CONFIGS = ("JupyterLabAppImageConfig", "CodeEditorAppImageConfig")
_IMAGE_NAMES = {
    "ImageDescription": "Description",
    "ImageDisplayName": "DisplayName",
    "ImageRoleArn": "RoleArn",
}
_VERSION_FACTS = (
    "Horovod",
    "JobType",
    "MLFramework",
    "Processor",
    "ProgrammingLang",
    "ReleaseNotes",
    "VendorGuidance",
)


class Domain(Kept):
    """A domain. Its home file system and the groups around it outlive it, as on AWS."""

    type_name = "AWS::SageMaker::Domain"
    replaces = frozenset({"AuthMode", "DomainName", "KmsKeyId", "VpcId"})
    properties = replaces | {
        "AppNetworkAccessType",
        "AppSecurityGroupManagement",
        "DefaultSpaceSettings",
        "DefaultUserSettings",
        "DomainSettings",
        "HomeEfsFileSystemCreation",
        "SubnetIds",
        "TagPropagation",
        "Tags",
    }
    kind, arn, identifiers = "domain", "DomainArn", ("DomainId",)
    attributes = (
        "DomainArn",
        "DomainId",
        "HomeEfsFileSystemId",
        "SecurityGroupIdForDomainBoundary",
        "SingleSignOnApplicationArn",
        "SingleSignOnManagedApplicationInstanceId",
        "Url",
    )

    def change(self, context: Context, physical_id: str, old: Props, new: Props) -> None:
        """Tell SageMaker the settings; what a template leaves out keeps its value, as on AWS."""
        settings = given(new, *self.properties - self.replaces - {"Tags", "DomainSettings"})
        Api(context, "sagemaker")(
            "update_domain",
            DomainId=physical_id,
            DomainSettingsForUpdate=new.get("DomainSettings"),
            **settings,
        )


class UserProfile(Kept):
    """A user profile; `Ref` is its name and its domain's id."""

    type_name = "AWS::SageMaker::UserProfile"
    replaces = frozenset(
        {"DomainId", "SingleSignOnUserIdentifier", "SingleSignOnUserValue", "UserProfileName"}
    )
    properties = replaces | {"Tags", "UserSettings"}
    kind, arn, identifiers = "user_profile", "UserProfileArn", ("UserProfileName", "DomainId")
    attributes = ("UserProfileArn",)


class Space(Kept):
    """A space; `Ref` is its domain's id and its name."""

    type_name = "AWS::SageMaker::Space"
    replaces = frozenset({"DomainId", "OwnershipSettings", "SpaceName", "SpaceSharingSettings"})
    properties = replaces | {"SpaceDisplayName", "SpaceSettings", "Tags"}
    kind, arn, identifiers = "space", "SpaceArn", ("DomainId", "SpaceName")
    attributes = ("SpaceArn", "Url")


class StudioLifecycleConfig(Kept):
    """A script for the start of apps: nothing of it changes in place, not even the tags."""

    type_name = "AWS::SageMaker::StudioLifecycleConfig"
    replaces = frozenset(
        {
            "StudioLifecycleConfigAppType",
            "StudioLifecycleConfigContent",
            "StudioLifecycleConfigName",
            "Tags",
        }
    )
    properties = replaces
    kind, arn = "studio_lifecycle_config", "StudioLifecycleConfigArn"
    identifiers = ("StudioLifecycleConfigName",)
    attributes = ("StudioLifecycleConfigArn",)


class AppImageConfig(Kept):
    """How an image of the team runs as an app."""

    type_name = "AWS::SageMaker::AppImageConfig"
    replaces = frozenset({"AppImageConfigName"})
    properties = replaces | {*_APP_CONFIGS, "KernelGatewayImageConfig", "Tags"}
    kind, arn, identifiers = "app_image_config", "AppImageConfigArn", ("AppImageConfigName",)
    attributes = ("AppImageConfigArn",)

    def request(self, context: Context, props: Props) -> dict[str, Any]:
        """Environment variables are a list in templates, and a mapping in the API."""
        return {**super().request(context, props), **_app_configs(props)}

    def change(self, context: Context, physical_id: str, old: Props, new: Props) -> None:
        """Put the whole configuration."""
        super().change(context, physical_id, old, {**new, **_app_configs(new)})


def _app_configs(props: Props) -> dict[str, Any]:
    configs = {}
    for name in _APP_CONFIGS:
        config = props.get(name) or {}
        container = config.get("ContainerConfig", {})
        if "ContainerEnvironmentVariables" in container:
            variables = {"ContainerEnvironmentVariables": pairs(container["ContainerEnvironmentVariables"])}
            configs[name] = {**config, "ContainerConfig": {**container, **variables}}
    return configs


class Image(Kept):
    """An image; it takes its versions along when it goes."""

    type_name = "AWS::SageMaker::Image"
    replaces = frozenset({"ImageName"})
    properties = replaces | {*_IMAGE_NAMES, "Tags"}
    kind, arn, identifiers, by_arn = "image", "ImageArn", ("ImageName",), True
    attributes = ("ImageArn",)
    status = "ImageStatus"

    def request(self, context: Context, props: Props) -> dict[str, Any]:
        """The API's names for the properties."""
        return {"ImageName": props["ImageName"], **_renamed(props)}

    def change(self, context: Context, physical_id: str, old: Props, new: Props) -> None:
        """Change or drop the texts, change the role."""
        dropped = [_IMAGE_NAMES[name] for name in _IMAGE_NAMES if old.get(name) and not new.get(name)]
        Api(context, "sagemaker")(
            "update_image",
            **self.names(physical_id),
            **_renamed(new),
            DeleteProperties=dropped or None,
        )


def _renamed(props: Props) -> dict[str, Any]:
    return {_IMAGE_NAMES[name]: value for name, value in given(props, *_IMAGE_NAMES).items()}


class ImageVersion(Kept):
    """A version of an image; it fails where ECR has no such image."""

    type_name = "AWS::SageMaker::ImageVersion"
    replaces = frozenset({"BaseImage", "ImageName"})
    properties = replaces | {*_VERSION_FACTS, "Alias", "Aliases"}
    kind, arn, identifiers, by_arn = "image_version", "ImageVersionArn", ("ImageName", "Version"), True
    attributes = ("ContainerImage", "ImageArn", "ImageVersionArn", "Version")
    status = "ImageVersionStatus"

    def names(self, physical_id: str) -> dict[str, Any]:
        """Name and number, the last two parts of the ARN."""
        _, name, number = physical_id.rsplit("/", 2)
        return {"ImageName": name, "Version": number}

    def request(self, context: Context, props: Props) -> dict[str, Any]:
        """Both ways to give aliases are one to the API."""
        given_settings = super().request(context, {**props, "Alias": None, "Aliases": None})
        token = context.generated_name(36)
        return {**given_settings, "Aliases": _aliases(props) or None, "ClientToken": token}

    def change(self, context: Context, physical_id: str, old: Props, new: Props) -> None:
        """Change the facts, add and remove aliases."""
        was, wanted = _aliases(old), _aliases(new)
        Api(context, "sagemaker")(
            "update_image_version",
            **self.names(physical_id),
            **given(new, *_VERSION_FACTS),
            AliasesToAdd=[alias for alias in wanted if alias not in was] or None,
            AliasesToDelete=[alias for alias in was if alias not in wanted] or None,
        )


def _aliases(props: Props) -> list[str]:
    one = [props["Alias"]] if props.get("Alias") else []
    return list(dict.fromkeys([*one, *(props.get("Aliases") or [])]))


TYPES: tuple[type[ResourceType], ...] = (
    Domain,
    UserProfile,
    Space,
    StudioLifecycleConfig,
    AppImageConfig,
    Image,
    ImageVersion,
)
