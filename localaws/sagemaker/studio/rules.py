"""What the settings of domains, profiles and spaces must fulfil, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from localaws.sagemaker.records import invalid
from localaws.sagemaker.roles import check_role
from localaws.sagemaker.studio.catalog import Catalog, Staged
from localaws.service import Call, NotEmulated, Params

APPS = {"JupyterLab": "JupyterLabAppSettings", "CodeEditor": "CodeEditorAppSettings"}
CLASSIC = {"JupyterServer": "JupyterServerAppSettings", "KernelGateway": "KernelGatewayAppSettings"}
MAXIMUM_VOLUME_GB = 100
"""What a space's volume may have where neither user nor domain says it."""
_NOT_EMULATED = (
    "RStudioServerProDomainSettings",
    "UnifiedStudioSettings",
    "TrustedIdentityPropagationSettings",
)


def refuse_classic(where: str, app_type: str | None) -> None:
    """Raise AwsError for the apps of Studio Classic, and NotEmulated for others than the two of Studio."""
    if app_type in CLASSIC:
        raise invalid(
            f"{where}: AppType {app_type} belongs to Studio Classic, which AWS has retired. Use JupyterLab "
            "or CodeEditor, each in a space."
        )
    if app_type is not None and app_type not in APPS:
        raise NotEmulated(f"{where}: AppType {app_type}")


def check_domain_settings(settings: Params) -> None:
    """Raise NotEmulated for a part of DomainSettings that would have to do something."""
    for name in _NOT_EMULATED:
        if name in settings or f"{name}ForUpdate" in settings:
            raise NotEmulated(f"DomainSettings.{name}")


def check_settings(catalog: Catalog, call: Call, settings: Params) -> None:
    """Raise AwsError for UserSettings, DefaultSpaceSettings or SpaceSettings that AWS would refuse."""
    if settings.get("RStudioServerProAppSettings", {}).get("AccessStatus") == "ENABLED":
        raise NotEmulated("UserSettings.RStudioServerProAppSettings")
    if role := settings.get("ExecutionRole"):
        check_role(catalog.world, call, role)
    ebs = settings.get("SpaceStorageSettings", {}).get("DefaultEbsStorageSettings")
    if ebs and ebs["DefaultEbsVolumeSizeInGb"] > ebs["MaximumEbsVolumeSizeInGb"]:
        raise invalid(
            f"DefaultEbsVolumeSizeInGb [{ebs['DefaultEbsVolumeSizeInGb']}] must not be greater than "
            f"MaximumEbsVolumeSizeInGb [{ebs['MaximumEbsVolumeSizeInGb']}]."
        )
    for app_type, name in {**APPS, **CLASSIC}.items():
        app = settings.get(name, {})
        for config_arn in _lifecycle_configs(app):
            check_lifecycle_config(catalog, call, config_arn, app_type)
        for image in app.get("CustomImages", []):
            _check_custom_image(catalog, call, image)
        _check_idle(idle_settings(app))


def _lifecycle_configs(app: Params) -> Iterator[str]:
    own = app.get("DefaultResourceSpec", {}).get("LifecycleConfigArn")
    yield from (arn for arn in [*app.get("LifecycleConfigArns", []), own] if arn and arn != "None")


def check_lifecycle_config(catalog: Catalog, call: Call, arn: str, app_type: str) -> None:
    """Raise AwsError unless the lifecycle configuration exists and is made for `app_type`."""
    config = catalog.lifecycle_configs.find(call, arn.rpartition("/")[2].lower())
    if config is None:
        raise invalid(f"StudioLifecycleConfig [{arn}] does not exist.")
    own = config.request["StudioLifecycleConfigAppType"]
    if own != app_type:
        raise invalid(f"StudioLifecycleConfig [{arn}] is for AppType {own} and not for {app_type}.")


def _check_custom_image(catalog: Catalog, call: Call, image: Params) -> None:
    name, config = image["ImageName"], image["AppImageConfigName"]
    if catalog.images.find(call, name.lower()) is None:
        raise invalid(f"Image [{name}] does not exist.")
    if catalog.app_image_configs.find(call, config.lower()) is None:
        raise invalid(f"AppImageConfig [{config}] does not exist.")
    version = image.get("ImageVersionNumber")
    if version is not None and catalog.image_versions.find(call, f"{name.lower()}/{version}") is None:
        raise invalid(f"ImageVersion [{name}/{version}] does not exist.")


def idle_settings(app: Params) -> Params:
    """When an app's settings let it be shut down."""
    found: Params = app.get("AppLifecycleManagement", {}).get("IdleSettings", {})
    return found


def _check_idle(idle: Params) -> None:
    if idle.get("LifecycleManagement") == "ENABLED" and "IdleTimeoutInMinutes" not in idle:
        raise invalid("IdleTimeoutInMinutes is required when LifecycleManagement is ENABLED.")
    names = ("MinIdleTimeoutInMinutes", "IdleTimeoutInMinutes", "MaxIdleTimeoutInMinutes")
    given = [(name, idle[name]) for name in names if name in idle]
    for (lower, least), (upper, most) in pairwise(given):
        if least > most:
            raise invalid(f"{lower} [{least}] must not be greater than {upper} [{most}].")


def check_space_settings(catalog: Catalog, space: Staged, settings: Params) -> None:
    """Raise AwsError for SpaceSettings that AWS, or the settings that hold for the space, do not allow."""
    check_settings(catalog, space.call, settings)
    around = settings_around(catalog, space)
    size = volume(settings)
    bounds = around.get("SpaceStorageSettings", {}).get("DefaultEbsStorageSettings", {})
    most = bounds.get("MaximumEbsVolumeSizeInGb", MAXIMUM_VOLUME_GB)
    if size is not None and size > most:
        raise invalid(
            f"EbsVolumeSizeInGb [{size}] must not be greater than MaximumEbsVolumeSizeInGb [{most}]."
        )
    for name in APPS.values():
        minutes = idle_settings(settings.get(name, {})).get("IdleTimeoutInMinutes")
        idle = idle_settings(around.get(name, {}))
        if minutes is not None and idle:
            _check_idle({**idle, "IdleTimeoutInMinutes": minutes})


def volume(settings: Params) -> int | None:
    """The size of a space's volume in GB, where its settings name one."""
    size: int | None = (
        settings.get("SpaceStorageSettings", {}).get("EbsStorageSettings", {}).get("EbsVolumeSizeInGb")
    )
    return size


def settings_around(catalog: Catalog, space: Staged) -> Params:
    """What holds for a space: its owner's settings over the domain's, or the domain's for shared spaces."""
    request = space.request
    domain = catalog.domain(space.call, request["DomainId"])
    if request.get("SpaceSharingSettings", {}).get("SharingType", "Shared") == "Shared":
        shared: Params = domain.request.get("DefaultSpaceSettings", {})
        return shared
    owner = request["OwnershipSettings"]["OwnerUserProfileName"]
    profile = catalog.profile(space.call, domain.name, owner)
    return {**domain.request["DefaultUserSettings"], **profile.request.get("UserSettings", {})}


def mentions(value: Any, name: str) -> bool:
    """Whether settings refer, at any depth, to something by this name or ARN."""
    if isinstance(value, dict):
        return any(mentions(item, name) for item in value.values())
    if isinstance(value, list):
        return any(mentions(item, name) for item in value)
    return isinstance(value, str) and value.lower() == name.lower()


def users_of(catalog: Catalog, call: Call, name: str) -> Iterator[tuple[str, list[Staged]]]:
    """Which domains, profiles, spaces and running apps refer to a lifecycle configuration or image."""
    for kind, table in (
        ("Domain", catalog.domains),
        ("UserProfile", catalog.profiles),
        ("Space", catalog.spaces),
        ("App", catalog.apps),
    ):
        settings = (
            "DefaultUserSettings",
            "DefaultSpaceSettings",
            "UserSettings",
            "SpaceSettings",
            "ResourceSpec",
        )
        yield (
            kind,
            [
                record
                for record in table.all(call)
                if record.status != "Deleted"
                and any(mentions(record.request.get(part, {}), name) for part in settings)
            ],
        )
