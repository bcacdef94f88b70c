"""The settings of a Studio domain, its users and spaces, in SageMaker's words. No resources are made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atelier.spec import instances
from atelier.spec.studio import SWITCHED_TOOLS, Idle, Space, Storage, Studio, StudioApp, StudioUser

APPS: Mapping[StudioApp, str] = {"jupyterlab": "JupyterLab", "code_editor": "CodeEditor"}
"""The apps that are offered, as SageMaker calls them."""

RETIRED_APPS = ("JupyterServer", "Canvas", "RStudioServerPro")
"""Studio Classic, and apps that bring costs or licences of their own."""

UNKNOWN_TO_CLOUDFORMATION = ("ml.g7.",)
"""Families that SageMaker's API knows already and CloudFormation's schema of a domain does not yet."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What every app of a domain is given, whoever opens it."""

    lifecycle: Mapping[StudioApp, str] = field(default_factory=dict)
    """The ARN of the lifecycle configuration, for apps that have one."""
    images: Mapping[StudioApp, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    """The team's own images, as `CustomImages` takes them."""
    repositories: Sequence[str] = ()
    """Git repositories that JupyterLab proposes to clone."""


def app_settings(app: StudioApp, sizes: Sequence[str], idle: Idle, offer: Offer) -> dict[str, Any]:
    """What holds for one kind of app: the first of `sizes` is the default."""
    settings: dict[str, Any] = {
        "DefaultResourceSpec": _resource(app, sizes[0], offer),
        "AppLifecycleManagement": {
            "IdleSettings": {
                "LifecycleManagement": "ENABLED",
                "IdleTimeoutInMinutes": idle.default,
                "MinIdleTimeoutInMinutes": idle.min,
                "MaxIdleTimeoutInMinutes": idle.max,
            }
        },
    }
    if offer.lifecycle.get(app):
        settings["LifecycleConfigArns"] = [offer.lifecycle[app]]
    if offer.images.get(app):
        settings["CustomImages"] = [dict(image) for image in offer.images[app]]
    if app == "jupyterlab" and offer.repositories:
        settings["CodeRepositories"] = [{"RepositoryUrl": url} for url in offer.repositories]
    return settings


def all_apps(sizes: Sequence[str], idle: Idle, offer: Offer) -> dict[str, Any]:
    """What holds for every kind of app."""
    return {f"{name}AppSettings": app_settings(app, sizes, idle, offer) for app, name in APPS.items()}


def portal(studio: Studio, sizes: Sequence[str]) -> dict[str, Any]:
    """What Studio does not show: tools that are switched off, other apps, sizes that nobody may use.

    What is hidden is not forbidden: that is for IAM (see `stacks.people`).
    """
    off = {tool for key, tool in SWITCHED_TOOLS.items() if not getattr(studio, key)}
    hidden = {*studio.hidden_tools, *off}
    types = {one for one in instances.types("studio") if not one.startswith(UNKNOWN_TO_CLOUDFORMATION)}
    return {
        **({"HiddenMlTools": sorted(hidden)} if hidden else {}),
        "HiddenAppTypes": list(RETIRED_APPS),
        "HiddenInstanceTypes": sorted(types - set(sizes)),
    }


def storage(bounds: Storage) -> dict[str, Any]:
    """The bounds of a space's volume."""
    return {
        "DefaultEbsStorageSettings": {
            "DefaultEbsVolumeSizeInGb": bounds.default,
            "MaximumEbsVolumeSizeInGb": bounds.max,
        }
    }


def user_settings(studio: Studio, user: StudioUser, offer: Offer) -> dict[str, Any]:
    """Where a person's limits differ from the domain's.

    The block that holds a limit is given as a whole: SageMaker takes a block from the user or from the
    domain and mixes none.
    """
    sizes, idle = user.instances or studio.instances, user.idle_minutes or studio.idle_minutes
    settings: dict[str, Any] = {}
    if (sizes, idle) != (studio.instances, studio.idle_minutes):
        settings |= all_apps(sizes, idle, offer)
    if sizes != studio.instances:
        settings["StudioWebPortalSettings"] = portal(studio, sizes)
    if user.storage_gb and user.storage_gb != studio.storage_gb:
        settings["SpaceStorageSettings"] = storage(user.storage_gb)
    return settings


def space_settings(space: Space, offer: Offer) -> dict[str, Any]:
    """The app and size of a space, and its volume where the team file says it."""
    if space.instance is None:
        raise ValueError("a space's instance is filled in when its team file is loaded")
    name = APPS[space.app]
    settings: dict[str, Any] = {
        "AppType": name,
        f"{name}AppSettings": {"DefaultResourceSpec": _resource(space.app, space.instance, offer)},
    }
    if space.storage_gb is not None:
        settings["SpaceStorageSettings"] = {"EbsStorageSettings": {"EbsVolumeSizeInGb": space.storage_gb}}
    return settings


def _resource(app: StudioApp, size: str, offer: Offer) -> dict[str, str]:
    arn = offer.lifecycle.get(app)
    return {"InstanceType": size, **({"LifecycleConfigArn": arn} if arn else {})}
