"""Route 53 Resolver's DNS Firewall, which moto lacks: domain lists, rule groups, their VPCs.

All of it is kept and shown; names are resolved by the laptop, so nothing is blocked.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from localaws.service import AwsError, Call, Params, Result, Service, operation
from localaws.world import World

Record: TypeAlias = dict[str, Any]
LOWEST_PRIORITY, HIGHEST_PRIORITY = 101, 8999
_KINDS = {
    "firewall-domain-list": "rslvr-fdl",
    "firewall-rule-group": "rslvr-frg",
    "firewall-rule-group-association": "rslvr-frgassoc",
}


class Route53Resolver(Service):
    """The firewall's operations; moto answers those of endpoints, rules and query logs."""

    name = "route53resolver"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._records: dict[Call, dict[str, Record]] = {}
        self._domains: dict[str, list[str]] = {}
        self._rules: dict[str, list[Record]] = {}
        self._tags: dict[str, dict[str, str]] = {}

    @operation("CreateFirewallDomainList")
    def create_domain_list(self, call: Call, params: Params) -> Result:
        """Make an empty list."""
        made = self._add(call, "firewall-domain-list", params, DomainCount=0)
        self._domains[made["Id"]] = []
        return {"FirewallDomainList": made}

    @operation("GetFirewallDomainList")
    def get_domain_list(self, call: Call, params: Params) -> Result:
        """A list without its domains."""
        return {"FirewallDomainList": self._get(call, params["FirewallDomainListId"])}

    @operation("UpdateFirewallDomains")
    def update_domains(self, call: Call, params: Params) -> Result:
        """Add to a list, take from it, or replace what it holds."""
        found = self._get(call, params["FirewallDomainListId"])
        told = [f"{domain.rstrip('.')}." for domain in params["Domains"]]
        held = self._domains[found["Id"]]
        changed = {
            "ADD": [*held, *(domain for domain in told if domain not in held)],
            "REMOVE": [domain for domain in held if domain not in told],
            "REPLACE": list(dict.fromkeys(told)),
        }[params["Operation"]]
        self._domains[found["Id"]] = changed
        found |= {"DomainCount": len(changed), "ModificationTime": _now()}
        return {name: found[name] for name in ("Id", "Name", "Status", "StatusMessage")}

    @operation("ListFirewallDomains")
    def list_domains(self, call: Call, params: Params) -> Result:
        """What a list holds, each with the dot at its end."""
        found = self._get(call, params["FirewallDomainListId"])
        return {"Domains": self._domains[found["Id"]]}

    @operation("ListFirewallDomainLists")
    def list_domain_lists(self, call: Call, params: Params) -> Result:
        """Every list of the account and region."""
        del params
        return {"FirewallDomainLists": self._all(call, "firewall-domain-list")}

    @operation("DeleteFirewallDomainList")
    def delete_domain_list(self, call: Call, params: Params) -> Result:
        """Delete a list that no rule uses."""
        found = self._get(call, params["FirewallDomainListId"])
        users = [rule for rules in self._rules.values() for rule in rules]
        if any(rule["FirewallDomainListId"] == found["Id"] for rule in users):
            raise _conflict(f"{found['Id']} is in use by a firewall rule")
        del self._domains[found["Id"]]
        return {"FirewallDomainList": self._remove(call, found)}

    @operation("CreateFirewallRuleGroup")
    def create_rule_group(self, call: Call, params: Params) -> Result:
        """Make a group without rules."""
        made = self._add(
            call,
            "firewall-rule-group",
            params,
            RuleCount=0,
            OwnerId=call.account,
            ShareStatus="NOT_SHARED",
        )
        self._rules[made["Id"]] = []
        return {"FirewallRuleGroup": made}

    @operation("GetFirewallRuleGroup")
    def get_rule_group(self, call: Call, params: Params) -> Result:
        """A group without its rules."""
        return {"FirewallRuleGroup": self._get(call, params["FirewallRuleGroupId"])}

    @operation("ListFirewallRuleGroups")
    def list_rule_groups(self, call: Call, params: Params) -> Result:
        """Every group of the account and region."""
        del params
        return {"FirewallRuleGroups": self._all(call, "firewall-rule-group")}

    @operation("DeleteFirewallRuleGroup")
    def delete_rule_group(self, call: Call, params: Params) -> Result:
        """Delete a group that no VPC uses."""
        found = self._get(call, params["FirewallRuleGroupId"])
        for other in self._all(call, "firewall-rule-group-association"):
            if other["FirewallRuleGroupId"] == found["Id"]:
                raise _conflict(f"{found['Id']} is associated with {other['VpcId']}")
        del self._rules[found["Id"]]
        return {"FirewallRuleGroup": self._remove(call, found)}

    @operation("CreateFirewallRule")
    def create_rule(self, call: Call, params: Params) -> Result:
        """Add a rule to a group; its priority and its list are no other rule's there."""
        group = self._get(call, params["FirewallRuleGroupId"])
        self._get(call, params.get("FirewallDomainListId", ""))
        rules = self._rules[group["Id"]]
        for other in rules:
            for name in ("Priority", "FirewallDomainListId"):
                if other[name] == params[name]:
                    raise _conflict(f"a rule of {group['Id']} has the {name} {params[name]} already")
        rule = {**params, "CreationTime": _now(), "ModificationTime": _now()}
        rules.append(rule)
        group["RuleCount"] = len(rules)
        return {"FirewallRule": rule}

    @operation("ListFirewallRules")
    def list_rules(self, call: Call, params: Params) -> Result:
        """The rules of a group, the first to be asked first."""
        group = self._get(call, params["FirewallRuleGroupId"])
        return {"FirewallRules": sorted(self._rules[group["Id"]], key=lambda rule: rule["Priority"])}

    @operation("DeleteFirewallRule")
    def delete_rule(self, call: Call, params: Params) -> Result:
        """Take a rule from a group, named by its list."""
        group = self._get(call, params["FirewallRuleGroupId"])
        rules, wanted = self._rules[group["Id"]], params.get("FirewallDomainListId")
        for rule in rules:
            if rule["FirewallDomainListId"] == wanted:
                rules.remove(rule)
                group["RuleCount"] = len(rules)
                return {"FirewallRule": rule}
        raise _missing(f"{group['Id']}:{wanted}")

    @operation("AssociateFirewallRuleGroup")
    def associate(self, call: Call, params: Params) -> Result:
        """Let a group judge what is asked in a VPC, in the order of priorities."""
        self._get(call, params["FirewallRuleGroupId"])
        self._check_vpc(call, params["VpcId"])
        if not LOWEST_PRIORITY <= params["Priority"] <= HIGHEST_PRIORITY:
            raise AwsError("ValidationException", "The priority must be above 100 and below 9000")
        for other in self._all(call, "firewall-rule-group-association"):
            for name in ("Priority", "FirewallRuleGroupId"):
                if other["VpcId"] == params["VpcId"] and other[name] == params[name]:
                    raise _conflict(f"{params['VpcId']} has a rule group of this {name} already")
        wanted = {name: params[name] for name in ("FirewallRuleGroupId", "VpcId", "Priority")}
        protection = params.get("MutationProtection", "DISABLED")
        kind = "firewall-rule-group-association"
        made = self._add(call, kind, params, **wanted, MutationProtection=protection)
        return {"FirewallRuleGroupAssociation": made}

    @operation("GetFirewallRuleGroupAssociation")
    def get_association(self, call: Call, params: Params) -> Result:
        """An association."""
        found = self._get(call, params["FirewallRuleGroupAssociationId"])
        return {"FirewallRuleGroupAssociation": found}

    @operation("ListFirewallRuleGroupAssociations")
    def list_associations(self, call: Call, params: Params) -> Result:
        """Every association, or those of one VPC or group."""
        filters = {name: params[name] for name in ("FirewallRuleGroupId", "VpcId") if name in params}
        found = self._all(call, "firewall-rule-group-association")
        matching = [one for one in found if filters.items() <= one.items()]
        return {"FirewallRuleGroupAssociations": matching}

    @operation("UpdateFirewallRuleGroupAssociation")
    def update_association(self, call: Call, params: Params) -> Result:
        """Change the name, the priority or the protection."""
        found = self._get(call, params["FirewallRuleGroupAssociationId"])
        changes = ("MutationProtection", "Name", "Priority")
        found |= {name: params[name] for name in changes if name in params} | {"ModificationTime": _now()}
        return {"FirewallRuleGroupAssociation": found}

    @operation("DisassociateFirewallRuleGroup")
    def disassociate(self, call: Call, params: Params) -> Result:
        """End an association, unless it is protected."""
        found = self._get(call, params["FirewallRuleGroupAssociationId"])
        if found["MutationProtection"] == "ENABLED":
            raise AwsError("ValidationException", f"{found['Id']} is protected against changes")
        return {"FirewallRuleGroupAssociation": self._remove(call, found)}

    @operation("TagResource")
    def tag_resource(self, call: Call, params: Params) -> Result:
        """Tag what is ours; moto knows the rest."""
        own = self._tags.get(params["ResourceArn"])
        if own is None:
            _moto(call).tag_resource(params["ResourceArn"], params["Tags"])
        else:
            own |= _pairs(params["Tags"])
        return None

    @operation("UntagResource")
    def untag_resource(self, call: Call, params: Params) -> Result:
        """The reverse."""
        own = self._tags.get(params["ResourceArn"])
        if own is None:
            _moto(call).untag_resource(params["ResourceArn"], params["TagKeys"])
        for key in params["TagKeys"]:
            (own or {}).pop(key, None)
        return None

    @operation("ListTagsForResource")
    def list_tags(self, call: Call, params: Params) -> Result:
        """The tags."""
        own = self._tags.get(params["ResourceArn"])
        if own is None:
            return {"Tags": _moto(call).list_tags_for_resource(params["ResourceArn"])[0]}
        return {"Tags": [{"Key": key, "Value": value} for key, value in own.items()]}

    def _add(self, call: Call, kind: str, params: Params, **fields: Any) -> Record:
        id_ = f"{_KINDS[kind]}-{uuid.uuid4().hex[:17]}"
        arn = f"arn:aws:route53resolver:{call.region}:{call.account}:{kind}/{id_}"
        record = {
            "Id": id_,
            "Arn": arn,
            "Name": params["Name"],
            "CreatorRequestId": params["CreatorRequestId"],
            "Status": "COMPLETE",
            "StatusMessage": "",
            "CreationTime": _now(),
            "ModificationTime": _now(),
            **fields,
        }
        self._records.setdefault(call, {})[id_] = record
        self._tags[arn] = _pairs(params.get("Tags", ()))
        return record

    def _get(self, call: Call, id_: str) -> Record:
        found = self._records.get(call, {}).get(id_)
        if found is None:
            raise _missing(id_)
        return found

    def _all(self, call: Call, kind: str) -> list[Record]:
        prefix = f"{_KINDS[kind]}-"
        return [one for id_, one in self._records.get(call, {}).items() if id_.startswith(prefix)]

    def _remove(self, call: Call, record: Record) -> Record:
        del self._tags[record["Arn"]]
        return self._records[call].pop(str(record["Id"]))

    def _check_vpc(self, call: Call, vpc: str) -> None:
        try:
            self.world.client("ec2", call.account, call.region).describe_vpcs(VpcIds=[vpc])
        except ClientError as error:
            raise _missing(vpc) from error


def _moto(call: Call) -> Any:
    from moto.route53resolver.models import route53resolver_backends  # noqa: PLC0415 -- it takes time

    return route53resolver_backends[call.account][call.region]


def _pairs(tags: Iterable[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _missing(what: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Resource with ID '{what}' does not exist")


def _conflict(why: str) -> AwsError:
    return AwsError("ConflictException", why)
