"""Resource types of Route 53 Resolver: its DNS Firewall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Names,
    Props,
    Tags,
    absent_ok,
    given,
    renamed,
    undone_on_failure,
)

_GONE = "ResourceNotFoundException"
_SERVICE = "route53resolver"
_TAGS = Tags(_SERVICE, "ResourceArn")
_ASSOCIATED = ("MutationProtection", "Name", "Priority")


def _described(record: Mapping[str, Any], *names: str) -> Created:
    own = ("Arn", "CreationTime", "CreatorRequestId", "Id", "ModificationTime", "Status", "StatusMessage")
    return Created(record["Id"], {name: record.get(name, "") for name in (*own, *names)})


class FirewallDomainList(ResourceType):
    """A list of domain names."""

    type_name = "AWS::Route53Resolver::FirewallDomainList"
    properties = frozenset({"Domains", "Name", "Tags"})
    replaces = frozenset({"Name"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the list and fill it."""
        resolver, name = Api(context, _SERVICE), props.get("Name") or context.generated_name(64)
        tags = _TAGS.of(context, props)
        made = resolver("create_firewall_domain_list", CreatorRequestId=name, Name=name, Tags=tags)
        found = made["FirewallDomainList"]["Id"]
        with undone_on_failure(self, context, found, props):
            return self._fill(resolver, found, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Fill the list with what it holds now."""
        created = self._fill(Api(context, _SERVICE), physical_id, new)
        _TAGS.settle(context, created.attributes["Arn"], new)
        return created

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the list; refused while a rule uses it."""
        with absent_ok(_GONE):
            Api(context, _SERVICE)("delete_firewall_domain_list", FirewallDomainListId=physical_id)

    @staticmethod
    def _fill(resolver: Api, list_id: str, props: Props) -> Created:
        where = {"FirewallDomainListId": list_id}
        domains = props.get("Domains") or []
        resolver("update_firewall_domains", **where, Operation="REPLACE", Domains=domains)
        found = resolver("get_firewall_domain_list", **where)["FirewallDomainList"]
        return _described(found, "DomainCount", "ManagedOwnerName")


_RULE: Names = {
    name: name
    for name in (
        "Action",
        "BlockOverrideDnsType",
        "BlockOverrideDomain",
        "BlockOverrideTtl",
        "BlockResponse",
        "FirewallDomainListId",
        "FirewallDomainRedirectionAction",
        "Priority",
    )
}


class FirewallRuleGroup(ResourceType):
    """A group of rules: what happens to a question for a name on a list."""

    type_name = "AWS::Route53Resolver::FirewallRuleGroup"
    properties = frozenset({"FirewallRules", "Name", "Tags"})
    replaces = frozenset({"Name"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the group and its rules."""
        resolver, name = Api(context, _SERVICE), props.get("Name") or context.generated_name(64)
        tags = _TAGS.of(context, props)
        made = resolver("create_firewall_rule_group", CreatorRequestId=name, Name=name, Tags=tags)
        group = made["FirewallRuleGroup"]["Id"]
        with undone_on_failure(self, context, group, props):
            return self._settle(resolver, group, {}, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Delete the rules that are listed no more, make the new ones."""
        created = self._settle(Api(context, _SERVICE), physical_id, old, new)
        _TAGS.settle(context, created.attributes["Arn"], new)
        return created

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the group with its rules; refused while a VPC uses it."""
        resolver, where = Api(context, _SERVICE), {"FirewallRuleGroupId": physical_id}
        with absent_ok(_GONE):
            resolver("delete_firewall_rule_group", **where)

    @staticmethod
    def _settle(resolver: Api, group: str, old: Props, new: Props) -> Created:
        where = {"FirewallRuleGroupId": group}
        before, after = (
            renamed("FirewallRules", props.get("FirewallRules") or [], _RULE) for props in (old, new)
        )
        for rule in before:
            if rule not in after:
                resolver("delete_firewall_rule", **where, **given(rule, "FirewallDomainListId"))
        for rule in after:
            if rule not in before:
                name = f"{group}-{rule['Priority']}"
                resolver("create_firewall_rule", **where, CreatorRequestId=name, Name=name, **rule)
        found = resolver("get_firewall_rule_group", **where)["FirewallRuleGroup"]
        return _described(found, "OwnerId", "RuleCount", "ShareStatus")


class FirewallRuleGroupAssociation(ResourceType):
    """A group's association with a VPC."""

    type_name = "AWS::Route53Resolver::FirewallRuleGroupAssociation"
    properties = frozenset({*_ASSOCIATED, "FirewallRuleGroupId", "Tags", "VpcId"})
    replaces = frozenset({"FirewallRuleGroupId", "VpcId"})

    def create(self, context: Context, props: Props) -> Created:
        """Associate the group with the VPC."""
        name = props.get("Name") or context.generated_name(64)
        made = Api(context, _SERVICE)(
            "associate_firewall_rule_group",
            CreatorRequestId=name,
            Name=name,
            Tags=_TAGS.of(context, props),
            **given(props, *self.replaces, "MutationProtection", "Priority"),
        )
        return _described(made["FirewallRuleGroupAssociation"], "ManagedOwnerName")

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Change the priority, the name, the protection."""
        settings = {"MutationProtection": "DISABLED", **given(new, *_ASSOCIATED)}
        changed = Api(context, _SERVICE)(
            "update_firewall_rule_group_association", FirewallRuleGroupAssociationId=physical_id, **settings
        )
        created = _described(changed["FirewallRuleGroupAssociation"], "ManagedOwnerName")
        _TAGS.settle(context, created.attributes["Arn"], new)
        return created

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """End the association."""
        where = {"FirewallRuleGroupAssociationId": physical_id}
        with absent_ok(_GONE):
            Api(context, _SERVICE)("disassociate_firewall_rule_group", **where)


TYPES: tuple[type[ResourceType], ...] = (
    FirewallDomainList,
    FirewallRuleGroup,
    FirewallRuleGroupAssociation,
)
