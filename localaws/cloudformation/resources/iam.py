"""Resource types of IAM."""

from __future__ import annotations

import json
from typing import Any

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Aspects,
    Props,
    Tags,
    absent_ok,
    given,
    undone_on_failure,
)
from localaws.cloudformation.resources._moto import provide_managed_policy

_GONE = "NoSuchEntity"
_ROLE_TAGS = Tags("iam", "RoleName", lister="list_role_tags", adder="tag_role", remover="untag_role")
# The properties that name principals: how the operations and their parameters call each kind.
_PRINCIPALS = {"Groups": "group", "Roles": "role", "Users": "user"}
_MOST_VERSIONS = 5

Target = tuple[Api, str]


def _target(kind: str, name: str) -> dict[str, str]:
    return {f"{kind.capitalize()}Name": name}


def _principals(props: Props) -> set[tuple[str, str]]:
    """The (kind, name) of everyone that a policy's properties name."""
    return {(kind, name) for key, kind in _PRINCIPALS.items() for name in props.get(key) or ()}


def _attach(context: Context, kind: str, name: str, arn: str) -> None:
    provide_managed_policy(context.account, context.region, arn)
    Api(context, "iam")(f"attach_{kind}_policy", **_target(kind, name), PolicyArn=arn)


def _detach(context: Context, kind: str, name: str, arn: str) -> None:
    with absent_ok(_GONE):
        Api(context, "iam")(f"detach_{kind}_policy", **_target(kind, name), PolicyArn=arn)


def _take_inline(context: Context, kind: str, name: str, policy: str) -> None:
    with absent_ok(_GONE):
        Api(context, "iam")(f"delete_{kind}_policy", **_target(kind, name), PolicyName=policy)


def _trust(target: Target, props: Props) -> None:
    iam, name = target
    iam("update_assume_role_policy", RoleName=name, PolicyDocument=_trust_policy(props))


def _trust_policy(props: Props) -> dict[str, Any]:
    """The trust policy with a version: unlike AWS, moto insists on one when a trust policy is updated."""
    document = props["AssumeRolePolicyDocument"]
    return {"Version": "2012-10-17", **(json.loads(document) if isinstance(document, str) else document)}


def _describe(target: Target, props: Props) -> None:
    iam, name = target
    duration = props.get("MaxSessionDuration", 3600)
    iam(
        "update_role",
        RoleName=name,
        Description=props.get("Description", ""),
        MaxSessionDuration=duration,
    )


def _bound(target: Target, props: Props) -> None:
    iam, name = target
    boundary = props.get("PermissionsBoundary")
    if boundary:
        iam("put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
    else:
        iam("delete_role_permissions_boundary", RoleName=name)


_ROLE_ASPECTS = Aspects[Target](
    {
        ("AssumeRolePolicyDocument",): _trust,
        ("Description", "MaxSessionDuration"): _describe,
        ("PermissionsBoundary",): _bound,
    }
)


class Role(ResourceType):
    """A role with its inline policies and attached managed ones."""

    type_name = "AWS::IAM::Role"
    properties = _ROLE_ASPECTS.properties | {"ManagedPolicyArns", "Path", "Policies", "RoleName", "Tags"}
    replaces = frozenset({"Path", "RoleName"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the role, then give it its policies."""
        iam = Api(context, "iam")
        name = props.get("RoleName") or context.generated_name(64)
        iam(
            "create_role",
            RoleName=name,
            AssumeRolePolicyDocument=_trust_policy(props),
            Tags=_ROLE_TAGS.of(context, props),
            **given(props, "Description", "MaxSessionDuration", "Path", "PermissionsBoundary"),
        )
        with undone_on_failure(self, context, name, props):
            self._settle_policies(context, name, {}, props)
        return self._described(iam, name)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell what differs; policies that others attached stay."""
        iam = Api(context, "iam")
        _ROLE_ASPECTS.settle((iam, physical_id), old, new)
        self._settle_policies(context, physical_id, old, new)
        _ROLE_TAGS.settle(context, physical_id, new)
        return self._described(iam, physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Take off what this resource attached, then delete the role."""
        self._settle_policies(context, physical_id, props, {})
        with absent_ok(_GONE):
            Api(context, "iam")("delete_role", RoleName=physical_id)

    @staticmethod
    def _settle_policies(context: Context, name: str, old: Props, new: Props) -> None:
        attached, wanted = ({*(props.get("ManagedPolicyArns") or ())} for props in (old, new))
        for arn in sorted(attached - wanted):
            _detach(context, "role", name, arn)
        for arn in sorted(wanted - attached):
            _attach(context, "role", name, arn)
        before, after = (
            {policy["PolicyName"]: policy["PolicyDocument"] for policy in props.get("Policies") or ()}
            for props in (old, new)
        )
        for policy in before.keys() - after.keys():
            _take_inline(context, "role", name, policy)
        for policy, document in after.items():
            if before.get(policy) != document:
                Api(context, "iam")(
                    "put_role_policy", RoleName=name, PolicyName=policy, PolicyDocument=document
                )

    @staticmethod
    def _described(iam: Api, name: str) -> Created:
        role = iam("get_role", RoleName=name)["Role"]
        return Created(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


class Policy(ResourceType):
    """An inline policy, put on each of the principals it names."""

    type_name = "AWS::IAM::Policy"
    properties = frozenset({"PolicyDocument", "PolicyName", *_PRINCIPALS})

    def create(self, context: Context, props: Props) -> Created:
        """Put the policy on everyone named."""
        physical_id = context.generated_name(128)
        with undone_on_failure(self, context, physical_id, props):
            return self.update(context, physical_id, {}, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put it anew, and take it off whoever lost it or knows it by its old name."""
        if not _principals(new):
            raise ResourceFailed("At least one of [Groups, Roles, Users] must be non-empty.")
        iam, name = Api(context, "iam"), new["PolicyName"]
        for kind, principal in sorted(_principals(new)):
            document = new["PolicyDocument"]
            iam(f"put_{kind}_policy", **_target(kind, principal), PolicyName=name, PolicyDocument=document)
        for kind, principal in _principals(old):
            if old["PolicyName"] != name or (kind, principal) not in _principals(new):
                _take_inline(context, kind, principal, old["PolicyName"])
        return Created(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Take the policy off everyone named."""
        for kind, principal in _principals(props):
            _take_inline(context, kind, principal, props["PolicyName"])


class ManagedPolicy(ResourceType):
    """A managed policy of the account; its newest version is the default."""

    type_name = "AWS::IAM::ManagedPolicy"
    properties = frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", *_PRINCIPALS})
    replaces = frozenset({"Description", "ManagedPolicyName", "Path"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the policy and attach it to everyone named."""
        iam = Api(context, "iam")
        policy = iam(
            "create_policy",
            PolicyName=props.get("ManagedPolicyName") or context.generated_name(128),
            **given(props, "Description", "Path", "PolicyDocument"),
        )["Policy"]
        arn = str(policy["Arn"])
        with undone_on_failure(self, context, arn, props):
            for kind, name in sorted(_principals(props)):
                _attach(context, kind, name, arn)
        return self._described(iam, arn)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Make a changed document the new default version; attach and detach what differs."""
        iam = Api(context, "iam")
        if old["PolicyDocument"] != new["PolicyDocument"]:
            self._drop_versions(iam, physical_id, keep=_MOST_VERSIONS - 1)
            document = new["PolicyDocument"]
            iam("create_policy_version", PolicyArn=physical_id, PolicyDocument=document, SetAsDefault=True)
        for kind, name in sorted(_principals(new) - _principals(old)):
            _attach(context, kind, name, physical_id)
        for kind, name in sorted(_principals(old) - _principals(new)):
            _detach(context, kind, name, physical_id)
        return self._described(iam, physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Detach it from everyone named and delete every version."""
        iam = Api(context, "iam")
        for kind, name in _principals(props):
            _detach(context, kind, name, physical_id)
        with absent_ok(_GONE):
            self._drop_versions(iam, physical_id, keep=1)
            iam("delete_policy", PolicyArn=physical_id)

    @staticmethod
    def _drop_versions(iam: Api, arn: str, keep: int) -> None:
        """Delete the oldest versions that are not the default until `keep` are left."""
        versions = iam("list_policy_versions", PolicyArn=arn)["Versions"]
        spare = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
        spare.sort(key=lambda version: int(version[1:]))
        for version in spare[: len(versions) - keep]:
            iam("delete_policy_version", PolicyArn=arn, VersionId=version)

    @staticmethod
    def _described(iam: Api, arn: str) -> Created:
        policy = iam("get_policy", PolicyArn=arn)["Policy"]
        numbers = {"AttachmentCount", "PermissionsBoundaryUsageCount"}
        attributes: dict[str, Any] = {
            "PolicyArn": arn,
            "PolicyId": policy["PolicyId"],
            "DefaultVersionId": policy["DefaultVersionId"],
            "IsAttachable": policy["IsAttachable"],
            "CreateDate": policy["CreateDate"].isoformat(),
            "UpdateDate": policy["UpdateDate"].isoformat(),
            **{name: policy.get(name, 0) for name in numbers},
        }
        return Created(arn, attributes)


class InstanceProfile(ResourceType):
    """An instance profile around one role."""

    type_name = "AWS::IAM::InstanceProfile"
    properties = frozenset({"InstanceProfileName", "Path", "Roles"})
    replaces = frozenset({"InstanceProfileName", "Path"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the profile and put its role in."""
        name = props.get("InstanceProfileName") or context.generated_name(128)
        made = Api(context, "iam")(
            "create_instance_profile", InstanceProfileName=name, **given(props, "Path")
        )
        with undone_on_failure(self, context, name, props):
            self.update(context, name, {}, props)
        return Created(name, {"Arn": made["InstanceProfile"]["Arn"]})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Exchange the role."""
        iam = Api(context, "iam")
        before, after = ({*(props.get("Roles") or ())} for props in (old, new))
        for role in before - after:
            with absent_ok(_GONE):
                iam("remove_role_from_instance_profile", InstanceProfileName=physical_id, RoleName=role)
        for role in after - before:
            iam("add_role_to_instance_profile", InstanceProfileName=physical_id, RoleName=role)
        profile = iam("get_instance_profile", InstanceProfileName=physical_id)["InstanceProfile"]
        return Created(physical_id, {"Arn": profile["Arn"]})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Take the role out and delete the profile."""
        with absent_ok(_GONE):
            self.update(context, physical_id, props, {})
            Api(context, "iam")("delete_instance_profile", InstanceProfileName=physical_id)


class ServiceLinkedRole(ResourceType):
    """The role that a service of AWS makes for itself."""

    type_name = "AWS::IAM::ServiceLinkedRole"
    properties = frozenset({"AWSServiceName", "CustomSuffix", "Description"})
    replaces = frozenset({"AWSServiceName", "CustomSuffix"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the role; its name follows from the service's."""
        made = Api(context, "iam")("create_service_linked_role", **given(props, *self.properties))
        name = made["Role"]["RoleName"]
        return Created(name, {"RoleName": name})

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Change the description."""
        description = new.get("Description", "")
        Api(context, "iam")("update_role_description", RoleName=physical_id, Description=description)
        return Created(physical_id, {"RoleName": physical_id})

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the role."""
        with absent_ok(_GONE):
            Api(context, "iam")("delete_service_linked_role", RoleName=physical_id)


TYPES: tuple[type[ResourceType], ...] = (Role, Policy, ManagedPolicy, InstanceProfile, ServiceLinkedRole)
