"""Domains: created with what they leave in a VPC, updated in place, deleted when nothing is in them."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localaws.sagemaker.records import BY_NAME_AND_TIME, arn, invalid, listing
from localaws.sagemaker.studio import rules
from localaws.sagemaker.studio.catalog import (
    DELETED,
    FAILED,
    IN_SERVICE,
    UPDATING,
    Catalog,
    Staged,
    in_use,
    merged,
    refuse_busy,
    refuse_dependents,
)
from localaws.sagemaker.studio.network import Home, check_places, create_home, delete_home, settle_targets
from localaws.service import AwsError, Call, Params, Result, Service, operation

QUOTA = "LOCALAWS_STUDIO_DOMAINS"
"""The environment variable that says how many domains an account may have in a region."""
_QUOTA = 5
_ID_BYTES = 6
_DEFAULTS = {
    "AppNetworkAccessType": "PublicInternetOnly",
    "HomeEfsFileSystemCreation": "Enabled",
    "TagPropagation": "DISABLED",
}
_SHOWN = (
    *_DEFAULTS,
    "DomainName",
    "AuthMode",
    "DefaultUserSettings",
    "DefaultSpaceSettings",
    "DomainSettings",
    "SubnetIds",
    "VpcId",
    "KmsKeyId",
    "AppSecurityGroupManagement",
)
_UPDATED = ("SubnetIds", "AppNetworkAccessType", "AppSecurityGroupManagement", "TagPropagation")
_IN_BRIEF = ("DomainArn", "DomainId", "DomainName", "Status", "CreationTime", "LastModifiedTime", "Url")


@dataclass
class Domain(Staged):
    """A domain, and what it has made in the VPC."""

    home: Home | None = None

    @property
    def vpc_only(self) -> bool:
        """Whether apps reach nothing but the VPC."""
        return bool(self.request["AppNetworkAccessType"] == "VpcOnly")

    def describe(self) -> Params:
        """As DescribeDomain shows it."""
        shown = {name: self.request[name] for name in _SHOWN if name in self.request}
        described: Params = {
            **shown,
            **self.times(),
            "DomainId": self.name,
            "DomainArn": self.arn,
            "Url": f"https://{self.name}.studio.{self.call.region}.sagemaker.aws",
        }
        if "KmsKeyId" in shown:
            described["HomeEfsFileSystemKmsKeyId"] = shown["KmsKeyId"]
        if self.home is not None:
            described["HomeEfsFileSystemId"] = self.home.file_system
        if shown["AuthMode"] == "SSO":
            described["SingleSignOnManagedApplicationInstanceId"] = f"ins-{self.name[2:]}"
        return described


class Domains(Service):
    """CreateDomain and its kin, and CreatePresignedDomainUrl."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog

    def _get(self, call: Call, name: str) -> Domain:
        domain: Domain = self._catalog.domain(call, name)
        return domain

    @operation("CreateDomain")
    def create(self, call: Call, params: Params) -> Result:
        """Record the domain; its file system, mount targets and groups stand when it is in service."""
        request = {**_DEFAULTS, **params}
        if "HomeEfsFileSystemKmsKeyId" in params:
            request.setdefault("KmsKeyId", params["HomeEfsFileSystemKmsKeyId"])
        self._check_settings(call, request)
        if "ExecutionRole" not in params["DefaultUserSettings"]:
            raise invalid("DefaultUserSettings must name an ExecutionRole.")
        for name in ("VpcId", "SubnetIds"):
            if not params.get(name):
                raise invalid(f"{name} is required to create a domain.")
        self._check_places(call, request)
        with self._catalog.lock:
            self._check_name_and_quota(call, params["DomainName"])
            name = f"d-{secrets.token_hex(_ID_BYTES)}"
            domain = Domain(call, name, arn(call, "domain", name), request, label=params["DomainName"])
            self._catalog.domains.add(domain)
        self._catalog.later(self._catalog.takes.domain_creation, self._open, domain)
        return {"DomainArn": domain.arn, "DomainId": name, "Url": domain.describe()["Url"]}

    def _check_settings(self, call: Call, request: Params) -> None:
        rules.check_domain_settings(request.get("DomainSettings", {}))
        for name in ("DefaultUserSettings", "DefaultSpaceSettings"):
            rules.check_settings(self._catalog, call, request.get(name, {}))

    def _check_places(self, call: Call, request: Params) -> None:
        groups = {
            group
            for name, key in (
                ("DefaultUserSettings", "SecurityGroups"),
                ("DefaultSpaceSettings", "SecurityGroups"),
                ("DomainSettings", "SecurityGroupIds"),
            )
            for group in request.get(name, {}).get(key, [])
        }
        check_places(self.world, call, request["SubnetIds"], sorted(groups), request["VpcId"])

    def _check_name_and_quota(self, call: Call, name: str) -> None:
        present = self._catalog.domains.all(call)
        if name in {domain.label for domain in present}:
            raise in_use(f"Domain with name [{name}] already exists in account {call.account}.")
        quota = int(os.environ.get(QUOTA, _QUOTA))
        if len(present) >= quota:
            raise AwsError(
                "ResourceLimitExceeded",
                f"The account-level service limit 'Total domains' is {quota} Domains, with current "
                f"utilization of {len(present)} Domains and a request delta of 1 Domains. Please contact AWS "
                "support to request an increase for this limit.",
            )

    def _open(self, domain: Domain) -> None:
        self._work(domain, FAILED, self._make_home)

    def _reopen(self, domain: Domain) -> None:
        self._work(domain, "Update_Failed", self._make_home)

    def _make_home(self, domain: Domain) -> None:
        if domain.request["HomeEfsFileSystemCreation"] == "Disabled":
            return
        if domain.home is None:
            domain.home = create_home(self.world, domain)
        else:
            settle_targets(self.world, domain, domain.home)

    def _work(self, domain: Domain, failed: str, work: Any) -> None:
        try:
            work(domain)
        except (ClientError, AwsError) as error:
            domain.enter(failed, str(error))
        else:
            domain.enter(IN_SERVICE)

    @operation("DescribeDomain")
    def describe(self, call: Call, params: Params) -> Result:
        """The domain in full."""
        return self._get(call, params["DomainId"]).describe()

    @operation("ListDomains")
    def list(self, call: Call, params: Params) -> Result:
        """The domains in brief."""
        return listing(
            self._catalog.domains.all(call),
            params,
            lambda domain: {key: domain.describe()[key] for key in _IN_BRIEF},
            key="Domains",
            orders=BY_NAME_AND_TIME,
        )

    @operation("UpdateDomain")
    def update(self, call: Call, params: Params) -> Result:
        """Change settings in place; where apps may reach changes only while none runs."""
        domain = self._get(call, params["DomainId"])
        given = {**params, "DomainSettings": params.get("DomainSettingsForUpdate", {})}
        request = merged(
            domain.request, given, "DefaultUserSettings", "DefaultSpaceSettings", "DomainSettings"
        )
        request |= {name: params[name] for name in _UPDATED if name in params}
        if params.get("VpcId", request["VpcId"]) != request["VpcId"]:
            raise invalid("The VPC of a domain that has one cannot be changed.")
        self._check_settings(call, request)
        self._check_places(call, request)
        with self._catalog.lock:
            refuse_busy("Domain", domain, IN_SERVICE, "Update_Failed")
            request["HomeEfsFileSystemCreation"] = _home_wanted(domain, params)
            lost = set(domain.request["SubnetIds"]) - set(request["SubnetIds"])
            if lost or request["AppNetworkAccessType"] != domain.request["AppNetworkAccessType"]:
                refuse_dependents(
                    "update", f"Domain [{domain.arn}]", [("App", self._inside(self._catalog.apps, domain))]
                )
            domain.request = request
            domain.enter(UPDATING)
        self._catalog.later(self._catalog.takes.domain_update, self._reopen, domain)
        return {"DomainArn": domain.arn}

    @operation("DeleteDomain")
    def delete(self, call: Call, params: Params) -> Result:
        """Delete a domain that is empty; its groups stay, and so does the file system unless given up."""
        with self._catalog.lock:
            domain = self._get(call, params["DomainId"])
            inside = [
                ("UserProfile", self._inside(self._catalog.profiles, domain)),
                ("Space", self._inside(self._catalog.spaces, domain)),
                ("App", self._inside(self._catalog.apps, domain)),
            ]
            self._catalog.leave("Domain", domain, inside)
        keeps = params.get("RetentionPolicy", {}).get("HomeEfsFileSystem", "Retain") == "Retain"
        work = self._forget if keeps else self._clear
        self._catalog.later(self._catalog.takes.domain_deletion, work, domain)
        return None

    def _clear(self, domain: Domain) -> None:
        if domain.home is not None:
            delete_home(self.world, domain, domain.home)
        self._forget(domain)

    def _forget(self, domain: Domain) -> None:
        with self._catalog.lock:
            for app in self._catalog.apps.all(domain.call):
                if app.request["DomainId"] == domain.name:
                    self._catalog.apps.remove(app)
            self._catalog.domains.remove(domain)

    @staticmethod
    def _inside(table: Any, domain: Domain) -> Any:
        return [
            record
            for record in table.all(domain.call)
            if record.request["DomainId"] == domain.name and record.status != DELETED
        ]

    @operation("CreatePresignedDomainUrl")
    def create_url(self, call: Call, params: Params) -> Result:
        """A URL for a user of the domain; nothing of Studio answers there, as its path says."""
        domain = self._get(call, params["DomainId"])
        if domain.request["AuthMode"] != "IAM":
            raise invalid("CreatePresignedDomainUrl is only supported for domains with AuthMode IAM.")
        refuse_busy("Domain", domain, IN_SERVICE)
        profile = self._catalog.profile(call, domain.name, params["UserProfileName"])
        path = f"studio-is-not-emulated/{profile.name}?token={secrets.token_urlsafe()}"
        return {"AuthorizedUrl": f"{self.world.endpoint}/{path}"}


def _home_wanted(domain: Domain, params: Params) -> str:
    """Whether the domain has a file system from now on: one that it has, it keeps."""
    was: str = domain.request["HomeEfsFileSystemCreation"]
    wanted: str = params.get("HomeEfsFileSystemCreation", was)
    if was == "Enabled" and wanted == "Disabled":
        raise invalid("HomeEfsFileSystemCreation cannot be changed from Enabled to Disabled.")
    return wanted
