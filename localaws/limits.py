"""Limits of IAM and S3 that moto does not keep: each check raises what AWS answers, in AWS's words.

A check gets moto's backend, and the arguments of its method by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.iam.exceptions import LimitExceededException, ValidationError
from moto.s3.exceptions import InvalidBucketName

_ROLE_NAME = 64
_POLICY_NAME = 128
# The characters of policies, of which AWS counts no white space.
_TRUST_POLICY = 2_048
_MANAGED_POLICY = 6_144
_INLINE_POLICIES = 10_240
_POLICIES_PER_ROLE = 10

_IAM_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_BUCKET_NAME = re.compile(r"(?!\d+(\.\d+){3}$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")

Asked = Mapping[str, Any]


def check_role(_backend: Any, asked: Asked) -> None:
    """A new role: its name and its trust policy."""
    _check_name("roleName", asked["role_name"], _ROLE_NAME)
    _check_trust_policy(asked["assume_role_policy_document"])


def check_trust_policy(_backend: Any, asked: Asked) -> None:
    """A trust policy in place of another."""
    _check_trust_policy(asked["policy_document"])


def check_managed_policy(_backend: Any, asked: Asked) -> None:
    """A managed policy, or a version of one."""
    if "policy_name" in asked:
        _check_name("policyName", asked["policy_name"], _POLICY_NAME)
    if _size(asked["policy_document"]) > _MANAGED_POLICY:
        raise LimitExceededException(f"Cannot exceed quota for PolicySize: {_MANAGED_POLICY}")


def check_inline_policy(backend: Any, asked: Asked) -> None:
    """An inline policy, together with the others of its role."""
    _check_name("policyName", asked["policy_name"], _POLICY_NAME)
    role = backend.get_role(asked["role_name"])
    documents = {**role.policies, asked["policy_name"]: asked["policy_json"]}
    if sum(map(_size, documents.values())) > _INLINE_POLICIES:
        raise LimitExceededException(
            f"Maximum policy size of {_INLINE_POLICIES} bytes exceeded for role {role.name}"
        )


def check_attachment(backend: Any, asked: Asked) -> None:
    """One more managed policy of a role."""
    attached = backend.get_role(asked["role_name"]).managed_policies
    if len({*attached, asked["policy_arn"]}) > _POLICIES_PER_ROLE:
        raise LimitExceededException(f"Cannot exceed quota for PoliciesPerRole: {_POLICIES_PER_ROLE}")


def check_bucket(_backend: Any, asked: Asked) -> None:
    """The name of a new bucket."""
    name = asked["bucket_name"]
    reserved = name.startswith(_RESERVED_PREFIXES) or name.endswith(_RESERVED_SUFFIXES)
    if reserved or not _BUCKET_NAME.fullmatch(name):
        raise InvalidBucketName


IAM = {
    "create_role": check_role,
    "update_assume_role_policy": check_trust_policy,
    "create_policy": check_managed_policy,
    "create_policy_version": check_managed_policy,
    "put_role_policy": check_inline_policy,
    "attach_role_policy": check_attachment,
}
"""What is checked before a method of moto's IAM."""

S3 = {"create_bucket": check_bucket}
"""What is checked before a method of moto's S3."""


def _check_name(field: str, name: str, most: int) -> None:
    if len(name) > most:
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at '{field}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {most}"
        )
    if not _IAM_NAME.fullmatch(name):
        raise ValidationError(
            f"The specified value for {field} is invalid. "
            "It must contain only alphanumeric characters and/or the following: +=,.@_-"
        )


def _check_trust_policy(document: str) -> None:
    if _size(document) > _TRUST_POLICY:
        raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {_TRUST_POLICY}")


def _size(document: str) -> int:
    return len("".join(document.split()))
