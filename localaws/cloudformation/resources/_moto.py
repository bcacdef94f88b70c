"""The one place where resource types reach into moto, for what its APIs have no door for."""

from __future__ import annotations

import json

from moto.iam import iam_backends
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy
from moto.logs import logs_backends
from moto.secretsmanager import secretsmanager_backends

from localaws.cloudformation.resources._common import partition


def provide_managed_policy(account: str, region: str, arn: str) -> None:
    """Let the account know the AWS-managed policy that `arn` names, if that is what it names.

    moto would load all 1,600 into every account, or none.
    """
    prefix = f"arn:{partition(region)}:iam::aws:policy/"
    backend = iam_backends[account][partition(region)]
    if not arn.startswith(prefix) or arn in backend.managed_policies:
        return
    name = arn.rpartition("/")[2]
    described = json.loads(aws_managed_policies_data).get(name)
    if described is not None:
        policy = AWSManagedPolicy.from_data(name, account, region, described)
        backend.managed_policies[policy.arn] = policy


def set_log_group_key(account: str, region: str, name: str, key: str | None) -> None:
    """Change the key of a log group: moto has no AssociateKmsKey."""
    logs_backends[account][region].groups[name].kms_key_id = key


def describe_secret(account: str, region: str, arn: str, description: str) -> None:
    """Set a secret's description: moto's UpdateSecret takes an empty one for none."""
    secretsmanager_backends[account][region].secrets[arn].description = description
