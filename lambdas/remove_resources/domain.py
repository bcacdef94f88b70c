"""Removes a Studio domain: what people keep in it, and what SageMaker made around it.

CloudFormation knows neither the apps and spaces that people make, nor the home file system with its mount
targets, nor the two security groups that let apps reach it. Each of these keeps the domain, its subnets or
their VPC from going.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from lambdas.remove_resources import kinds
from lambdas.remove_resources.kinds import Account, Description, Kind, things
from lambdas.remove_resources.patience import Clock, Look, Refused, Thing, until_gone

Properties: TypeAlias = Mapping[str, Any]
OWNER_TAG = "ManagedByAmazonSageMakerResource"
"""On what SageMaker makes around a domain; its value is the domain's ARN."""
WAYS = ("inbound", "outbound")


def remove_workplaces(properties: Properties, account: Account, clock: Clock) -> None:
    """Remove all apps, spaces and user profiles of a domain, whoever made them."""
    until_gone(clock, *_workplaces(account, _domain_id(properties)))


def remove_dropped(old: Properties, new: Properties, account: Account, clock: Clock) -> None:
    """Remove what holds the profiles and spaces that a domain is to have no more.

    CloudFormation deletes these at the end of the update, and would leave them where apps or private spaces
    are in the way.
    """
    domain = _domain_id(new)
    if old["Name"] != domain:
        return  # another domain: the old one goes as a whole
    users, spaces = ({*old.get(key, ())} - {*new.get(key, ())} for key in ("Users", "Spaces"))

    def look(kind: Kind) -> Iterator[Thing]:
        where = {"DomainIdEquals": domain}
        inside = [one for one in account.find(kinds.SPACES, **where) if one["DomainId"] == domain]
        dropped = spaces | {one["SpaceName"] for one in inside if _owner(one) in users}

        def own(found: Description) -> bool:
            return found["DomainId"] == domain and found.get("SpaceName") in dropped

        return things(account, kind, own, **where)

    if users or spaces:
        until_gone(clock, partial(look, kinds.APPS), partial(look, kinds.SPACES))


def _owner(space: Description) -> str | None:
    """Whose a private space is; a shared one, as without any settings, outlives who made it."""
    if space.get("SpaceSharingSettingsSummary", {}).get("SharingType") != "Private":
        return None
    return str(space["OwnershipSettingsSummary"]["OwnerUserProfileName"])


def remove_domain(properties: Properties, account: Account, clock: Clock) -> None:
    """Remove a domain with all that is in it and around it, save the home file system if that is to be kept.

    A domain that is gone already, as after a removal that came half way, leaves what was around it: that is
    found by its tag and its name.
    """
    domain, keep = _domain_id(properties), properties["Homes"] == "Retain"
    until_gone(
        clock,
        *_workplaces(account, domain),
        partial(_domain, account, domain, keep=keep),
        partial(_mount_targets, account, domain),
        *([] if keep else [partial(_homes, account, domain)]),
        partial(_groups, account, domain),
    )


def _domain_id(properties: Properties) -> str:
    name = str(properties["Name"])
    # An empty one would be every domain's.
    if not re.fullmatch(r"d-[0-9a-z]+(-[0-9a-z]+)*", name):
        raise ValueError(f"{name!r} is no id of a domain: it begins with d- and holds letters and digits")
    return name


def _workplaces(account: Account, domain: str) -> list[Look]:
    def within(description: Description) -> bool:
        return bool(description["DomainId"] == domain)

    return [
        partial(things, account, kind, within, DomainIdEquals=domain)
        for kind in (kinds.APPS, kinds.SPACES, kinds.PROFILES)
    ]


def _domain(account: Account, domain: str, *, keep: bool) -> Iterator[Thing]:
    for description in account.find(kinds.DOMAINS, DomainId=domain):
        delete = partial(
            account.ask,
            "sagemaker",
            "delete_domain",
            DomainId=domain,
            RetentionPolicy={"HomeEfsFileSystem": "Retain" if keep else "Delete"},
        )
        status = description["Status"]
        yield Thing(f"domain {domain}", status, delete if status in kinds.DELETABLE else None)


def _own(domain: str) -> Callable[[Description], bool]:
    """Whether SageMaker made something around this domain."""
    return lambda description: any(
        tag["Key"] == OWNER_TAG and tag["Value"].endswith(f":domain/{domain}")
        for tag in description.get("Tags", ())
    )


def _homes(account: Account, domain: str) -> Iterator[Thing]:
    return things(account, kinds.FILE_SYSTEMS, _own(domain))


def _mount_targets(account: Account, domain: str) -> Iterator[Thing]:
    """They hold no data, but interfaces in the subnets."""
    for home in filter(_own(domain), account.find(kinds.FILE_SYSTEMS)):
        where = {"FileSystemId": home["FileSystemId"]}
        yield from things(account, kinds.MOUNT_TARGETS, lambda _: True, **where)


def _groups(account: Account, domain: str) -> Iterator[Thing]:
    named = [f"security-group-for-{way}-nfs-{domain}" for way in WAYS]
    where = {"Filters": [{"Name": "group-name", "Values": named}]}
    for group in filter(_own(domain), account.find(kinds.GROUPS, **where)):
        what = f"security group {group['GroupId']} ({group['GroupName']})"
        yield Thing(what, "", partial(_delete_group, account, group))


def _delete_group(account: Account, group: Mapping[str, Any]) -> None:
    """Its rules name the other group, and the other's name it: neither goes before both are without."""
    for way, rules in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        if group[rules]:
            with suppress(Refused):
                revoke = f"revoke_security_group_{way}"
                account.ask("ec2", revoke, GroupId=group["GroupId"], IpPermissions=group[rules])
    account.ask("ec2", "delete_security_group", GroupId=group["GroupId"])
