"""A rule of EventBridge that invokes a Lambda function, and loses no event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.function import LambdaFunction
from stacks.constructs.messaging import DeadLetters

DELIVERY = {"MaximumEventAgeInSeconds": 24 * 3600, "MaximumRetryAttempts": 185}


@dataclass(frozen=True, kw_only=True)
class EventRuleProps:
    """What tells one rule from another: a pattern of events, or a schedule."""

    description: str
    function: LambdaFunction
    dead_letters: DeadLetters
    pattern: Mapping[str, Any] | None = None
    schedule: str | None = None
    input_template: str | None = None
    """What the function gets instead of the event; `<id>` in it stands for the event's id."""


class EventRule(Construct):
    """The rule, with retries for a day and then the dead letters."""

    def __init__(self, scope: Construct, id_: str, props: EventRuleProps) -> None:
        super().__init__(scope, id_)
        target: dict[str, Any] = {
            "Id": props.function.name,
            "Arn": props.function.arn,
            "RetryPolicy": DELIVERY,
            "DeadLetterConfig": {"Arn": props.dead_letters.arn},
        }
        if props.input_template:
            target["InputTransformer"] = {
                "InputPathsMap": {"id": "$.id"},
                "InputTemplate": props.input_template,
            }
        when = {"EventPattern": props.pattern} if props.pattern else {"ScheduleExpression": props.schedule}
        cdk.CfnResource(
            self,
            "Rule",
            type="AWS::Events::Rule",
            properties={**when, "Description": props.description, "State": "ENABLED", "Targets": [target]},
        )
        props.function.allow_rules()
