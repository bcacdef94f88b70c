"""Where an environment's news and its undeliverable events go: one topic, one queue.

Written as plain CloudFormation resources, as the functions are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.constructs.permission import Permission, ServiceRole, allow

KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
DEAD_LETTER_SECONDS = 14 * 24 * 3600  # the longest that SQS keeps a message


class Topic(Construct):
    """An encrypted topic with subscribers by e-mail, who confirm themselves; `arn` is a token.

    AWS's `services`, such as `budgets`, may publish to it in this account's name.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: kms.IKey,
        subscribers: Sequence[str],
        services: Sequence[str],
    ) -> None:
        super().__init__(scope, id_)
        self._key = key
        topic = cdk.CfnResource(
            self, "Topic", type="AWS::SNS::Topic", properties={"KmsMasterKeyId": key.key_arn}
        )
        self.arn = topic.ref
        cdk.CfnResource(
            self,
            "Policy",
            type="AWS::SNS::TopicPolicy",
            properties={
                "Topics": [self.arn],
                "PolicyDocument": _document(
                    self._from_services(services), _tls_only("sns:Publish", self.arn)
                ),
            },
        )
        for email in subscribers:
            cdk.CfnResource(
                self,
                f"To-{email}",
                type="AWS::SNS::Subscription",
                properties={"TopicArn": self.arn, "Protocol": "email", "Endpoint": email},
            )

    def _from_services(self, services: Sequence[str]) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"{name}.amazonaws.com") for name in services],
            actions=["sns:Publish"],
            resources=[self.arn],
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
        )

    def allow_publishing(self, role: ServiceRole) -> None:
        """Let `role` publish, which takes the key as well."""
        allow(
            role,
            Permission(sid="TellPeople", actions=["sns:Publish"], resources=[self.arn]),
            Permission(sid="EncryptNotices", actions=KEY_ACTIONS, resources=[self._key.key_arn]),
        )


class DeadLetters(Construct):
    """An encrypted queue for what could not be delivered or done, kept for 14 days; `arn` is a token.

    Rules of EventBridge whose ARN is like `rules` may send to it.
    """

    def __init__(self, scope: Construct, id_: str, *, key: kms.IKey, rules: str) -> None:
        super().__init__(scope, id_)
        self._key = key
        queue = cdk.CfnResource(
            self,
            "Queue",
            type="AWS::SQS::Queue",
            properties={"KmsMasterKeyId": key.key_arn, "MessageRetentionPeriod": DEAD_LETTER_SECONDS},
        )
        cdk.Validations.of(queue).acknowledge(
            cdk.Acknowledgment(id="AwsSolutions-SQS3", reason="this queue is the dead-letter queue of others")
        )
        self.arn = queue.get_att("Arn").to_string()
        from_events = iam.PolicyStatement(
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[self.arn],
            conditions={"ArnLike": {"aws:SourceArn": rules}},
        )
        cdk.CfnResource(
            self,
            "Policy",
            type="AWS::SQS::QueuePolicy",
            properties={
                "Queues": [queue.ref],
                "PolicyDocument": _document(from_events, _tls_only("sqs:*", self.arn)),
            },
        )

    def allow_sending(self, role: ServiceRole) -> None:
        """Let `role` send, which takes the key as well."""
        allow(
            role,
            Permission(sid="KeepWhatFailed", actions=["sqs:SendMessage"], resources=[self.arn]),
            Permission(sid="EncryptDeadLetters", actions=KEY_ACTIONS, resources=[self._key.key_arn]),
        )


def _tls_only(action: str, arn: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=[action],
        resources=[arn],
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )


def _document(*statements: iam.PolicyStatement) -> dict[str, Any]:
    document: dict[str, Any] = iam.PolicyDocument(statements=list(statements)).to_json()
    return document
