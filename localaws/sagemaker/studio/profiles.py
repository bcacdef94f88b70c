"""User profiles of a domain."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from localaws.sagemaker.records import arn, invalid, listing
from localaws.sagemaker.studio import rules
from localaws.sagemaker.studio.catalog import (
    DELETED,
    IN_SERVICE,
    Catalog,
    Staged,
    merged,
    refuse_busy,
)
from localaws.sagemaker.studio.network import check_places
from localaws.service import Call, Params, Result, Service, operation

BY_TIME = {
    "CreationTime": lambda record: record.created,
    "LastModifiedTime": lambda record: record.modified,
}
_FIRST_UID = 200_005
_SHOWN = (
    "DomainId",
    "UserProfileName",
    "SingleSignOnUserIdentifier",
    "SingleSignOnUserValue",
    "UserSettings",
)
_IN_BRIEF = ("DomainId", "UserProfileName", "Status", "CreationTime", "LastModifiedTime")


@dataclass
class Profile(Staged):
    """A user profile."""

    uid: int = 0

    def describe(self) -> Params:
        """As DescribeUserProfile shows it."""
        shown = {name: self.request[name] for name in _SHOWN if name in self.request}
        return {**shown, **self.times(), "UserProfileArn": self.arn, "HomeEfsFileSystemUid": str(self.uid)}


class Profiles(Service):
    """CreateUserProfile and its kin."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog
        self._uids = itertools.count(_FIRST_UID, 5)

    def _get(self, call: Call, params: Params) -> Profile:
        profile: Profile = self._catalog.profile(call, params["DomainId"], params["UserProfileName"])
        return profile

    @operation("CreateUserProfile")
    def create(self, call: Call, params: Params) -> Result:
        """Record a profile in a domain that is in service."""
        name = params["DomainId"]
        domain = self._catalog.domain(call, name)
        _check_sign_in(domain.request["AuthMode"], params)
        settings = params.get("UserSettings", {})
        self._check_settings(call, domain, settings)
        key = f"{name}/{params['UserProfileName'].lower()}"
        with self._catalog.lock:
            refuse_busy("Domain", domain, IN_SERVICE)
            profile = Profile(
                call,
                key,
                arn(call, "user-profile", key),
                params,
                label=params["UserProfileName"],
                uid=next(self._uids),
            )
            self._catalog.profiles.add(profile)
        self._catalog.settle(profile, self._catalog.takes.profile)
        return {"UserProfileArn": profile.arn}

    def _check_settings(self, call: Call, domain: Any, settings: Params) -> None:
        rules.check_settings(self._catalog, call, settings)
        request = domain.request
        groups = settings.get("SecurityGroups", [])
        if domain.vpc_only and not groups and not request["DefaultUserSettings"].get("SecurityGroups"):
            raise invalid(
                "SecurityGroups is required in UserSettings or in the domain's DefaultUserSettings when "
                "AppNetworkAccessType is VpcOnly."
            )
        if groups:
            check_places(self.world, call, request["SubnetIds"], groups, request["VpcId"])

    @operation("DescribeUserProfile")
    def describe(self, call: Call, params: Params) -> Result:
        """The profile in full."""
        return self._get(call, params).describe()

    @operation("ListUserProfiles")
    def list(self, call: Call, params: Params) -> Result:
        """The profiles in brief."""
        domain, text = params.get("DomainIdEquals"), params.get("UserProfileNameContains", "").lower()
        found = [
            profile
            for profile in self._catalog.profiles.all(call)
            if domain in (None, profile.request["DomainId"]) and text in profile.label.lower()
        ]
        return listing(
            found,
            params,
            lambda profile: {key: profile.describe()[key] for key in _IN_BRIEF},
            key="UserProfiles",
            orders=BY_TIME,
        )

    @operation("UpdateUserProfile")
    def update(self, call: Call, params: Params) -> Result:
        """Change settings in place."""
        profile = self._get(call, params)
        request = merged(profile.request, params, "UserSettings")
        domain = self._catalog.domain(call, params["DomainId"])
        self._check_settings(call, domain, request.get("UserSettings", {}))
        self._catalog.change("UserProfile", profile, request, self._catalog.takes.profile)
        return {"UserProfileArn": profile.arn}

    @operation("DeleteUserProfile")
    def delete(self, call: Call, params: Params) -> Result:
        """Delete a profile that owns no space and no app."""
        with self._catalog.lock:
            profile = self._get(call, params)
            self._catalog.leave("UserProfile", profile, _dependents(self._catalog, profile))
        self._catalog.later(self._catalog.takes.profile, self._catalog.profiles.remove, profile)
        return None


def _dependents(catalog: Catalog, profile: Profile) -> list[tuple[str, list[Any]]]:
    """The apps and private spaces of a profile; a shared space outlives who made it."""
    domain, label = profile.request["DomainId"], profile.label.lower()
    spaces = [
        space
        for space in catalog.spaces.all(profile.call)
        if space.request["DomainId"] == domain and space.owner == label
    ]
    keys = {space.name for space in spaces}
    apps = [app for app in catalog.apps.all(profile.call) if app.space in keys and app.status != DELETED]
    return [("App", apps), ("Space", spaces)]


def _check_sign_in(mode: str, params: Params) -> None:
    """Profiles of SSO domains belong to a user of the directory, others must not name one."""
    given = [name for name in ("SingleSignOnUserIdentifier", "SingleSignOnUserValue") if params.get(name)]
    if mode == "SSO" and len(given) < 2:  # noqa: PLR2004 -- both
        raise invalid(
            "SingleSignOnUserIdentifier and SingleSignOnUserValue are required when the Domain's AuthMode "
            "is SSO."
        )
    if mode != "SSO" and given:
        raise invalid(f"{given[0]} cannot be specified when the Domain's AuthMode is {mode}.")
