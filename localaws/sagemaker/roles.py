"""Whether SageMaker may assume the role that a request names, as AWS checks at once."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from localaws.sagemaker.records import invalid
from localaws.service import Call
from localaws.world import World

_PRINCIPAL = "sagemaker.amazonaws.com"


def check_role(world: World, call: Call, arn: str) -> None:
    """Raise AwsError unless the role exists in the caller's account and trusts SageMaker."""
    _, _, _, _, account, resource = arn.split(":", 5)
    if account != call.account:
        raise invalid("Cross-account pass role is not allowed.")
    try:
        role = world.client("iam", call.account, call.region).get_role(RoleName=resource.rpartition("/")[2])
        statements = role["Role"]["AssumeRolePolicyDocument"]["Statement"]
    except ClientError:
        statements = []
    if not any(
        _trusts(statement) for statement in ([statements] if isinstance(statements, dict) else statements)
    ):
        raise invalid(
            f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
            f"'{_PRINCIPAL}' to assume the role."
        )


def _trusts(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    return statement.get("Effect") == "Allow" and _PRINCIPAL in json.dumps(services)
