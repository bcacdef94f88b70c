"""A statement of a policy in words that people read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SERVICES = {
    "application-autoscaling": "Scaling",
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "ec2": "EC2",
    "ecr": "ECR",
    "elasticfilesystem": "EFS",
    "events": "EventBridge",
    "iam": "IAM",
    "kms": "KMS",
    "lambda": "Lambda",
    "logs": "Logs",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "secretsmanager": "Secrets Manager",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "Parameters",
    "states": "Step Functions",
    "sts": "STS",
    "xray": "X-Ray",
}

VERBS = {
    "read": {"Batch", "Check", "Describe", "Filter", "Get", "Receive", "Search"},
    "list": {"List"},
    "write": {"Put", "Send"},
}
"""The groups of actions by the first word of their names; other first words name their own group."""

OPERATORS = {
    "ArnEquals": "is",
    "ArnLike": "is like",
    "ArnNotEquals": "is not",
    "Bool": "is",
    "NumericGreaterThan": "is more than",
    "NumericLessThanEquals": "is at most",
    "StringEquals": "is",
    "StringLike": "is like",
    "StringNotEquals": "is not",
    "StringNotLike": "is not like",
}
QUANTIFIERS = {"ForAllValues:": "each ", "ForAnyValue:": "any "}
IF_EXISTS = "IfExists"
UNNAMED = "all: AWS lets none be named"


@dataclass(frozen=True)
class Words:
    """One statement: `may` is empty where it denies, `never` where it allows."""

    service: str
    may: str
    never: str
    on: str
    condition: str


def words(statement: Mapping[str, Any]) -> list[Words]:
    """The statement in words, one entry a service, since an action means nothing without its service."""
    by_service: dict[str, list[str]] = {}
    for action in _list(statement["Action"]):
        service, _, name = action.partition(":")
        by_service.setdefault(service, []).append(name)
    denied = statement["Effect"] == "Deny"
    on = things(_list(statement["Resource"]), everything="everything" if denied else UNNAMED)
    condition = conditions(statement.get("Condition", {}))
    found = []
    for service, names in by_service.items():
        text = actions(names)
        found.append(
            Words(
                SERVICES.get(service, service), "" if denied else text, text if denied else "", on, condition
            )
        )
    return found


def actions(names: Iterable[str]) -> str:
    """Actions by what they do: `read log events; stop training job`."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        verb, *rest = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|\*", name) or [name]
        group = next((group for group, firsts in VERBS.items() if verb in firsts), verb.lower())
        groups.setdefault(group, []).append(" ".join(rest).lower().replace(" *", "…"))
    return "; ".join(
        f"{group} {', '.join(dict.fromkeys(objects))}".strip() for group, objects in groups.items()
    )


def things(arns: Iterable[str], everything: str = UNNAMED) -> str:
    """Resources without what all of them share: partition, service, region, account."""
    return ", ".join(dict.fromkeys(everything if arn == "*" else _thing(arn) for arn in arns))


def conditions(block: Mapping[str, Mapping[str, Any]]) -> str:
    """The conditions of a statement, all of which must hold."""
    return " and ".join(
        _condition(operator, key, _list(values))
        for operator, keys in block.items()
        for key, values in keys.items()
    )


def _thing(arn: str) -> str:
    parts = arn.split(":", 5)
    if len(parts) < 6:  # noqa: PLR2004 -- not an ARN
        return arn
    resource, account = parts[5], parts[4]
    if parts[2] != "s3":
        resource = (
            re.sub(r"^([a-zA-Z-]+)[:/](?=.)", r"\1 ", resource).replace(":log-stream:", " stream ").strip()
        )
    return f"{resource} of other accounts" if account == "*" else resource


def _condition(operator: str, key: str, values: list[str]) -> str:
    name = _key(key)
    if operator == "Null":
        return f"{name} is {'missing' if values == ['true'] else 'given'}"
    which = next((word for prefix, word in QUANTIFIERS.items() if operator.startswith(prefix)), "")
    bare = operator.rpartition(":")[2]
    optional = bare.endswith(IF_EXISTS)
    relation = OPERATORS.get(bare.removesuffix(IF_EXISTS), bare)
    text = f"{which}{name} {relation} {' or '.join(values)}"
    return f"{text}, or is missing" if optional else text


def _key(key: str) -> str:
    """`sagemaker:InstanceTypes` as `instance types`, `aws:RequestTag/team` as `request tag team`."""
    name = key.partition(":")[2]
    kind, _, tag = name.partition("/")
    spaced = " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]", kind)).lower()
    return f"{spaced} {tag}".strip()


def _list(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value])]
