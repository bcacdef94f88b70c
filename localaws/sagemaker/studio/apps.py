"""Apps: one in a space, starting and stopping in their time. Nothing runs in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from moto.core.exceptions import ServiceException

from localaws.ec2 import attach_interface, detach_interface
from localaws.sagemaker.records import arn, invalid, listing, now
from localaws.sagemaker.studio import rules
from localaws.sagemaker.studio.catalog import (
    DELETED,
    DELETING,
    FAILED,
    IN_SERVICE,
    PENDING,
    UPDATING,
    Catalog,
    Staged,
    in_use,
    refuse_busy,
)
from localaws.sagemaker.studio.domains import Domain
from localaws.sagemaker.studio.spaces import Space
from localaws.service import AwsError, Call, Params, Result, Service, operation

_DEFAULT_INSTANCE = "ml.t3.medium"
_SHOWN_WHEN_DELETED = timedelta(hours=24)
_IN_BRIEF = ("DomainId", "SpaceName", "AppType", "AppName", "Status", "CreationTime", "ResourceSpec")


@dataclass
class App(Staged):
    """An app; its interface stands in the VPC until a while after it is deleted."""

    space: str = ""
    """The key of the space that it runs in."""
    interface: str | None = None

    def describe(self) -> Params:
        """As DescribeApp shows it."""
        times = {key: value for key, value in self.times().items() if key != "LastModifiedTime"}
        described: Params = {
            **times,
            "AppArn": self.arn,
            **{key: self.request[key] for key in ("DomainId", "SpaceName", "AppType", "AppName")},
            "ResourceSpec": self.request["ResourceSpec"],
            "RecoveryMode": self.request.get("RecoveryMode", False),
        }
        if self.status == IN_SERVICE:
            described |= {"LastHealthCheckTimestamp": now(), "LastUserActivityTimestamp": self.modified}
        return described


class Apps(Service):
    """CreateApp and its kin."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog

    def _find(self, call: Call, params: Params) -> App:
        key, place = _place(call, params)
        app: App = self._catalog.apps.get(call, key, place)
        return app

    @operation("CreateApp")
    def create(self, call: Call, params: Params) -> Result:
        """Start an app in a space that has none."""
        rules.refuse_classic("CreateApp", params["AppType"])
        if "UserProfileName" in params or "SpaceName" not in params:
            raise invalid(
                f"AppType [{params['AppType']}] runs in a space: name the SpaceName, and no UserProfileName."
            )
        key, place = _place(call, params)
        domain = self._catalog.domain(call, params["DomainId"])
        space = self._catalog.space(call, domain.name, params["SpaceName"])
        request = {**params, "ResourceSpec": self._resources(params, space)}
        app = App(call, key, place, request, label=params["AppName"], space=space.name)
        app.tags = {**domain.tags, **space.tags, **app.tags}
        with self._catalog.lock:
            refuse_busy("Domain", domain, IN_SERVICE, UPDATING)
            refuse_busy("Space", space, IN_SERVICE)
            self._make_room(app)
            self._catalog.apps.add(app)
        if self._attach(app, domain, space):
            self._catalog.settle(app, self._catalog.takes.app_start)
        return {"AppArn": app.arn}

    def _resources(self, params: Params, space: Space) -> Params:
        """Instance and lifecycle configuration: the request's, else the space's, user's or domain's."""
        kind = params["AppType"]
        own = space.settings.get("AppType", kind)
        if own != kind:
            raise invalid(f"Space [{space.arn}] is for AppType {own} and not for {kind}.")
        around = rules.settings_around(self._catalog, space)
        merged: Params = {"InstanceType": _DEFAULT_INSTANCE}
        for settings in (around, space.settings):
            merged |= settings.get(rules.APPS[kind], {}).get("DefaultResourceSpec", {})
        merged |= params.get("ResourceSpec", {})
        if merged["InstanceType"] == "system":
            raise invalid(f"InstanceType [system] is not supported for AppType [{kind}].")
        config = merged.get("LifecycleConfigArn")
        if config and config != "None":
            rules.check_lifecycle_config(self._catalog, space.call, config, kind)
        return merged

    def _make_room(self, app: App) -> None:
        """Forget deleted apps of that name or that are old; refuse where another app is in the space."""
        for other in self._catalog.apps.all(app.call):
            if other.status == DELETED:
                if other.name == app.name or now() - other.modified > _SHOWN_WHEN_DELETED:
                    self._catalog.apps.remove(other)
            elif other.space == app.space:
                raise in_use(f"App [{other.arn}] already exists in the space, in status {other.status}.")

    def _attach(self, app: App, domain: Domain, space: Space) -> bool:
        """Give the app of a VpcOnly domain its interface; whether the app has what it needs."""
        if not domain.vpc_only:
            return True
        around = rules.settings_around(self._catalog, space)
        defaults = domain.request["DefaultUserSettings"].get("SecurityGroups", [])
        groups = dict.fromkeys([*defaults, *around.get("SecurityGroups", [])])
        if domain.home is not None:
            groups[domain.home.outbound] = None
        try:
            app.interface = attach_interface(
                self.world,
                app.call.account,
                app.call.region,
                subnet_id=domain.request["SubnetIds"][0],
                group_ids=list(groups),
                description="[DO NOT DELETE] ENI managed by SageMaker for Studio "
                f"Domain({domain.name}) - {app.name}",
            )
        except (AwsError, ServiceException) as error:
            app.enter(FAILED, str(error))
            return False
        return True

    @operation("DescribeApp")
    def describe(self, call: Call, params: Params) -> Result:
        """The app in full."""
        return self._find(call, params).describe()

    @operation("ListApps")
    def list(self, call: Call, params: Params) -> Result:
        """The apps in brief, deleted ones included for a day."""
        found = [app for app in self._catalog.apps.all(call) if self._wanted(app, params)]
        return listing(
            found,
            params,
            lambda app: {key: app.describe()[key] for key in _IN_BRIEF},
            key="Apps",
            orders={"CreationTime": lambda app: app.created},
        )

    @staticmethod
    def _wanted(app: App, params: Params) -> bool:
        if app.status == DELETED and now() - app.modified > _SHOWN_WHEN_DELETED:
            return False
        filters = {"DomainIdEquals": "DomainId", "SpaceNameEquals": "SpaceName"}
        if "UserProfileNameEquals" in params:
            return False  # an app of a space is nobody's, not even in a private one
        return all(params[key] == app.request[name] for key, name in filters.items() if key in params)

    @operation("DeleteApp")
    def delete(self, call: Call, params: Params) -> Result:
        """Stop an app; it is listed as deleted for a day."""
        with self._catalog.lock:
            app = self._find(call, params)
            if app.status == DELETED:
                raise AwsError("ResourceNotFound", f"App [{app.arn}] does not exist.")
            refuse_busy("App", app, PENDING, IN_SERVICE, FAILED)
            app.enter(DELETING)
        self._catalog.later(self._catalog.takes.app_stop, self._gone, app)
        return None

    def _gone(self, app: App) -> None:
        app.enter(DELETED)
        self._catalog.later(self._catalog.takes.interface, self._detach, app)

    def _detach(self, app: App) -> None:
        if app.interface is not None:
            detach_interface(self.world, app.call.account, app.call.region, app.interface)


def _place(call: Call, params: Params) -> tuple[str, str]:
    """The key and ARN of the app that a request names."""
    owner: Any = params.get("SpaceName") or params.get("UserProfileName")
    if owner is None:
        raise invalid("One of UserProfileName and SpaceName must be specified.")
    key = "/".join((params["DomainId"], owner, params["AppType"], params["AppName"])).lower()
    return key, arn(call, "app", key)
