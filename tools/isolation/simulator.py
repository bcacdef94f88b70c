"""What IAM would say, by a simulator that evaluates conditions, boundaries and resource policies.

It is the npm package @cloud-copilot/iam-simulate (AGPL-3.0, a development dependency), run by Node in one
process for all cases.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from atelier.policies import Document, Policy, Role

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("simulate.mjs")

# The one policy of AWS's that a role here takes: that of CDK's function that empties buckets.
BASIC_EXECUTION: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "*",
        }
    ],
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request: may this role take this action on this resource?"""

    role: Role
    action: str
    """May hold wildcards: every action that it stands for is asked, if it knows such a resource."""
    resource: str
    account: str
    policy: str = ""
    """The ARN of what carries the policy of the resource: the bucket of an object, say."""
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


class Answer(NamedTuple):
    """What IAM says to one action of a case."""

    case: Case
    action: str
    allowed: bool


def simulate(cases: Sequence[Case], resource_policies: Mapping[str, Document]) -> list[Answer]:
    """What IAM would say to each case.

    Raises:
        RuntimeError: the simulator cannot run, or a policy is one that IAM would not store.
    """
    roles = {case.role.resource.arn: _role(case.role) for case in cases}
    contexts = {id(case.context): case.context for case in cases}
    asked = {
        "contexts": {
            key: {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", **context}
            for key, context in contexts.items()
        },
        "roles": roles,
        "resourcePolicies": dict(resource_policies),
        "cases": [
            {
                "role": case.role.resource.arn,
                "action": case.action,
                "resource": case.resource,
                "account": case.account,
                "policy": case.policy,
                "context": id(case.context),
            }
            for case in cases
        ],
    }
    done = subprocess.run(
        ["node", str(SCRIPT)], cwd=ROOT, input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the simulator of IAM cannot run (make setup installs it): {done.stderr[-2000:]}")
    said = json.loads(done.stdout)
    if said["errors"]:
        raise RuntimeError(f"IAM would not store these policies: {json.dumps(said['errors'])[:2000]}")
    return [
        Answer(case, action, result == "Allowed")
        for case, answers in zip(cases, said["answers"], strict=True)
        for action, result in answers
    ]


def _role(role: Role) -> dict[str, Any]:
    return {
        "arn": role.resource.arn,
        "policies": [_policy(one) for one in role.policies],
        "boundary": _policy(role.boundary) if role.boundary else None,
    }


def _policy(policy: Policy) -> dict[str, Any]:
    return {"name": policy.name, "policy": policy.document or BASIC_EXECUTION}
