"""Resource types of EC2: security groups and their rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import Api, Props, absent_ok, given, undone_on_failure
from localaws.cloudformation.resources._ec2 import GONE, settle_tags, tagged

Direction = Literal["ingress", "egress"]
_EVERYTHING = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
_PEERS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}
"""How the API says whom a rule is about: the list, and the member of its one item."""


def _permission(rule: Props) -> dict[str, Any]:
    """A rule as the API takes it."""
    answer = given(rule, "FromPort", "IpProtocol", "ToPort")
    for name, (peers, member) in _PEERS.items():
        if rule.get(name) is not None:
            answer[peers] = [{member: rule[name], **given(rule, "Description")}]
    return answer


def _change(ec2: Api, verb: str, direction: Direction, group: str, rules: Sequence[Props]) -> None:
    if rules:
        ec2(
            f"{verb}_security_group_{direction}",
            GroupId=group,
            IpPermissions=[_permission(rule) for rule in rules],
        )


class SecurityGroup(ResourceType):
    """A security group with the rules that its template lists."""

    type_name = "AWS::EC2::SecurityGroup"
    properties = frozenset(
        {"GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"}
    )
    replaces = frozenset({"GroupDescription", "GroupName", "VpcId"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the group; EC2 refuses a name that its VPC has already."""
        ec2 = Api(context, "ec2")
        made = ec2(
            "create_security_group",
            GroupName=props.get("GroupName") or context.generated_name(255),
            Description=props["GroupDescription"],
            TagSpecifications=tagged(context, props, "security-group"),
            **given(props, "VpcId"),
        )
        group = str(made["GroupId"])
        with undone_on_failure(self, context, group, props):
            self._settle(ec2, group, {}, props)
        return self._described(group, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Revoke the rules that are listed no more, allow the new ones."""
        self._settle(Api(context, "ec2"), physical_id, old, new)
        settle_tags(context, physical_id, new)
        return self._described(physical_id, new)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the group; EC2 refuses while an interface or another group needs it."""
        with absent_ok(*GONE):
            Api(context, "ec2")("delete_security_group", GroupId=physical_id)

    @staticmethod
    def _settle(ec2: Api, group: str, old: Props, new: Props) -> None:
        ingress = ("ingress", old.get("SecurityGroupIngress") or [], new.get("SecurityGroupIngress") or [])
        # A group that lists nothing lets everything out.
        egress = (
            "egress",
            old.get("SecurityGroupEgress") or [_EVERYTHING],
            new.get("SecurityGroupEgress") or [_EVERYTHING],
        )
        direction: Any
        for direction, before, after in (ingress, egress):
            _change(ec2, "revoke", direction, group, [rule for rule in before if rule not in after])
            _change(ec2, "authorize", direction, group, [rule for rule in after if rule not in before])

    @staticmethod
    def _described(group: str, props: Props) -> Created:
        return Created(group, {"GroupId": group, "Id": group, **given(props, "VpcId")})


class _Rule(ResourceType):
    """One rule of a security group that stands elsewhere."""

    direction: ClassVar[Direction]
    ignored: ClassVar[Mapping[str, str]] = {}

    def create(self, context: Context, props: Props) -> Created:
        """Allow what the rule says; EC2 refuses a rule that the group has already."""
        made = Api(context, "ec2")(
            f"authorize_security_group_{self.direction}",
            GroupId=props["GroupId"],
            IpPermissions=[_permission(props)],
        )
        rule = str(made["SecurityGroupRules"][0]["SecurityGroupRuleId"])
        return Created(rule, {"Id": rule})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Only the description can change."""
        Api(context, "ec2")(
            f"update_security_group_rule_descriptions_{self.direction}",
            GroupId=new["GroupId"],
            IpPermissions=[_permission({"Description": "", **new})],
        )
        return Created(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Revoke the rule."""
        with absent_ok("InvalidPermission.NotFound", *GONE):
            _change(Api(context, "ec2"), "revoke", self.direction, props["GroupId"], [props])


class SecurityGroupIngress(_Rule):
    """What comes in."""

    type_name = "AWS::EC2::SecurityGroupIngress"
    direction = "ingress"
    properties = frozenset(
        {
            "CidrIp",
            "CidrIpv6",
            "Description",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "SourcePrefixListId",
            "SourceSecurityGroupId",
            "ToPort",
        }
    )
    replaces = properties - {"Description"}


class SecurityGroupEgress(_Rule):
    """What goes out."""

    type_name = "AWS::EC2::SecurityGroupEgress"
    direction = "egress"
    properties = frozenset(
        {
            "CidrIp",
            "CidrIpv6",
            "Description",
            "DestinationPrefixListId",
            "DestinationSecurityGroupId",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "ToPort",
        }
    )
    replaces = properties - {"Description"}


TYPES: tuple[type[ResourceType], ...] = (SecurityGroup, SecurityGroupIngress, SecurityGroupEgress)
