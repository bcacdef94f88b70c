"""Spaces: private ones belong to a user profile, shared ones to the domain; each holds one app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localaws.sagemaker.records import arn, invalid, listing
from localaws.sagemaker.studio import rules
from localaws.sagemaker.studio.catalog import (
    DELETED,
    IN_SERVICE,
    UPDATING,
    Catalog,
    Staged,
    merged,
    refuse_busy,
    refuse_dependents,
)
from localaws.sagemaker.studio.profiles import BY_TIME
from localaws.service import Call, NotEmulated, Params, Result, Service, operation

_SHOWN = (
    "DomainId",
    "SpaceName",
    "SpaceSettings",
    "OwnershipSettings",
    "SpaceSharingSettings",
    "SpaceDisplayName",
)
_SUMMARIES = {
    "SpaceSettingsSummary": ("SpaceSettings", ("AppType", "RemoteAccess", "SpaceStorageSettings")),
    "SpaceSharingSettingsSummary": ("SpaceSharingSettings", ("SharingType",)),
    "OwnershipSettingsSummary": ("OwnershipSettings", ("OwnerUserProfileName",)),
}
_IN_BRIEF = ("DomainId", "SpaceName", "Status", "CreationTime", "LastModifiedTime", "SpaceDisplayName")


@dataclass
class Space(Staged):
    """A space."""

    @property
    def settings(self) -> Params:
        """Its settings."""
        found: Params = self.request.get("SpaceSettings", {})
        return found

    @property
    def shared(self) -> bool:
        """Whether every user of the domain may work in it."""
        return bool(self.request.get("SpaceSharingSettings", {}).get("SharingType", "Shared") == "Shared")

    @property
    def owner(self) -> str | None:
        """The key of the profile without which a private space cannot be."""
        owner: str | None = self.request.get("OwnershipSettings", {}).get("OwnerUserProfileName")
        return None if self.shared or owner is None else owner.lower()

    def describe(self) -> Params:
        """As DescribeSpace shows it."""
        shown = {name: self.request[name] for name in _SHOWN if name in self.request}
        domain, name = self.name.split("/")
        url = f"https://{domain}.studio.{self.call.region}.sagemaker.aws/{self.app_path}/spaces/{name}"
        return {**shown, **self.times(), "SpaceArn": self.arn, "Url": url}

    @property
    def app_path(self) -> str:
        """The part of its URL that names the app."""
        return str(self.settings.get("AppType", "jupyterlab")).lower()

    def brief(self) -> Params:
        """As ListSpaces shows it."""
        described = self.describe()
        parts = {
            name: {key: described[part][key] for key in keys if key in described[part]}
            for name, (part, keys) in _SUMMARIES.items()
            if part in described
        }
        return {**{key: described[key] for key in _IN_BRIEF if key in described}, **parts}


class Spaces(Service):
    """CreateSpace and its kin."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog

    def _get(self, call: Call, params: Params) -> Space:
        space: Space = self._catalog.space(call, params["DomainId"], params["SpaceName"])
        return space

    @operation("CreateSpace")
    def create(self, call: Call, params: Params) -> Result:
        """Record a space in a domain that is in service."""
        domain_id = params["DomainId"]
        domain = self._catalog.domain(call, domain_id)
        key = f"{domain_id}/{params['SpaceName'].lower()}"
        space = Space(call, key, arn(call, "space", key), params, label=params["SpaceName"])
        self._check(space, domain)
        with self._catalog.lock:
            refuse_busy("Domain", domain, IN_SERVICE)
            if space.owner is not None:
                owner = self._catalog.profile(call, domain_id, space.owner)
                refuse_busy("UserProfile", owner, IN_SERVICE, UPDATING)
            self._catalog.spaces.add(space)
        self._catalog.settle(space, self._catalog.takes.space)
        return {"SpaceArn": space.arn}

    def _check(self, space: Space, domain: Any) -> None:
        params, settings = space.request, space.settings
        if settings.get("SpaceManagedResources") == "ENABLED":
            raise NotEmulated("CreateSpace: SpaceManagedResources")
        rules.refuse_classic("CreateSpace", settings.get("AppType"))
        if ("OwnershipSettings" in params) != ("SpaceSharingSettings" in params):
            raise invalid("OwnershipSettings and SpaceSharingSettings must be specified together.")
        if "AppType" in settings and "OwnershipSettings" not in params:
            raise invalid(
                f"OwnershipSettings and SpaceSharingSettings are required for AppType {settings['AppType']}."
            )
        if not space.shared and "AppType" not in settings:
            raise invalid("SpaceSettings must name the AppType of a private space.")
        if space.shared and "ExecutionRole" not in domain.request.get("DefaultSpaceSettings", {}):
            raise invalid(
                "Shared spaces run with the ExecutionRole of the domain's DefaultSpaceSettings, which "
                f"Domain [{domain.arn}] has not."
            )
        rules.check_space_settings(self._catalog, space, settings)

    @operation("DescribeSpace")
    def describe(self, call: Call, params: Params) -> Result:
        """The space in full."""
        return self._get(call, params).describe()

    @operation("ListSpaces")
    def list(self, call: Call, params: Params) -> Result:
        """The spaces in brief."""
        domain, text = params.get("DomainIdEquals"), params.get("SpaceNameContains", "").lower()
        found = [
            space
            for space in self._catalog.spaces.all(call)
            if domain in (None, space.request["DomainId"]) and text in space.label.lower()
        ]
        return listing(found, params, Space.brief, key="Spaces", orders=BY_TIME)

    @operation("UpdateSpace")
    def update(self, call: Call, params: Params) -> Result:
        """Change settings; never the app type, and the volume only upwards while no app runs."""
        space = self._get(call, params)
        request = merged(space.request, params, "SpaceSettings")
        request |= {key: params[key] for key in ("SpaceDisplayName",) if key in params}
        settings = request.get("SpaceSettings", {})
        if settings.get("AppType") != space.settings.get("AppType"):
            raise invalid(f"The AppType of Space [{space.arn}] cannot be changed.")
        old, new = rules.volume(space.settings), rules.volume(settings)
        if old is not None and new is not None and new < old:
            raise invalid(f"EbsVolumeSizeInGb cannot be decreased from [{old}] to [{new}].")
        rules.check_space_settings(self._catalog, space, settings)
        with self._catalog.lock:
            if old != new:
                refuse_dependents(
                    "update the storage of", f"Space [{space.arn}]", _dependents(self._catalog, space)
                )
            self._catalog.change("Space", space, request, self._catalog.takes.space)
        return {"SpaceArn": space.arn}

    @operation("DeleteSpace")
    def delete(self, call: Call, params: Params) -> Result:
        """Delete a space in which no app is."""
        with self._catalog.lock:
            space = self._get(call, params)
            self._catalog.leave("Space", space, _dependents(self._catalog, space))
        self._catalog.later(self._catalog.takes.space, self._catalog.spaces.remove, space)
        return None


def _dependents(catalog: Catalog, space: Space) -> list[tuple[str, list[Any]]]:
    apps = catalog.apps.all(space.call)
    return [("App", [app for app in apps if app.space == space.name and app.status != DELETED])]
