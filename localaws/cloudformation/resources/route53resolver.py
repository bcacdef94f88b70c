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


class _Filled(ResourceType):
    """What is made empty, then filled: a list of domain names, a group of rules."""

    replaces = frozenset({"Name"})
    kind = ""
    """As operations name it: `firewall_domain_list`."""
    attributes: tuple[str, ...] = ()
    """What it tells of itself beside what all do."""

    def create(self, context: Context, props: Props) -> Created:
        """Make it and fill it."""
        resolver, name = Api(context, _SERVICE), props.get("Name") or context.generated_name(64)
        tags = _TAGS.of(context, props)
        made = resolver(f"create_{self.kind}", CreatorRequestId=name, Name=name, Tags=tags)
        found = made[self._key()]["Id"]
        with undone_on_failure(self, context, found, props):
            return self._filled(resolver, found, {}, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Fill it with what it holds now."""
        created = self._filled(Api(context, _SERVICE), physical_id, old, new)
        _TAGS.settle(context, created.attributes["Arn"], new)
        return created

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete it with what it holds; refused while something uses it."""
        with absent_ok(_GONE):
            Api(context, _SERVICE)(f"delete_{self.kind}", **self._where(physical_id))

    def _filled(self, resolver: Api, physical_id: str, old: Props, new: Props) -> Created:
        where = self._where(physical_id)
        self._fill(resolver, where, old, new)
        return _described(resolver(f"get_{self.kind}", **where)[self._key()], *self.attributes)

    def _key(self) -> str:
        return self.type_name.rpartition("::")[2]

    def _where(self, physical_id: str) -> dict[str, str]:
        return {f"{self._key()}Id": physical_id}

    def _fill(self, resolver: Api, where: Mapping[str, str], old: Props, new: Props) -> None:
        raise NotImplementedError


class FirewallDomainList(_Filled):
    """A list of domain names."""

    type_name = "AWS::Route53Resolver::FirewallDomainList"
    properties = frozenset({"Domains", "Name", "Tags"})
    kind = "firewall_domain_list"
    attributes = ("DomainCount", "ManagedOwnerName")

    def _fill(self, resolver: Api, where: Mapping[str, str], old: Props, new: Props) -> None:
        domains = new.get("Domains") or []
        resolver("update_firewall_domains", **where, Operation="REPLACE", Domains=domains)


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


class FirewallRuleGroup(_Filled):
    """A group of rules: what happens to a question for a name on a list."""

    type_name = "AWS::Route53Resolver::FirewallRuleGroup"
    properties = frozenset({"FirewallRules", "Name", "Tags"})
    kind = "firewall_rule_group"
    attributes = ("OwnerId", "RuleCount", "ShareStatus")

    def _fill(self, resolver: Api, where: Mapping[str, str], old: Props, new: Props) -> None:
        """Delete the rules that are listed no more, make the new ones."""
        before, after = (
            renamed("FirewallRules", props.get("FirewallRules") or [], _RULE) for props in (old, new)
        )
        for rule in before:
            if rule not in after:
                resolver("delete_firewall_rule", **where, **given(rule, "FirewallDomainListId"))
        for rule in after:
            if rule not in before:
                name = f"{where['FirewallRuleGroupId']}-{rule['Priority']}"
                resolver("create_firewall_rule", **where, CreatorRequestId=name, Name=name, **rule)


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
