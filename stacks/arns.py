"""The ARNs of an environment's resources, spelled out.

Policies that hold a wildcard name resources this way rather than by reference: the text means the same in
every stack, and a reference to another stack would be an import, which holds the exporting stack fast.
"""

from __future__ import annotations

from atelier.spec import names
from atelier.spec.model import TeamEnvironment

BUCKET_KINDS: tuple[names.BucketKind, ...] = ("data", "artifacts", "logs")
PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
}
"""The first letters of a region to its partition; every other region is in `aws`."""


def partition(region: str) -> str:
    """The partition that `region` belongs to, the second part of an ARN."""
    return next((name for prefix, name in PARTITIONS.items() if region.startswith(prefix)), "aws")


class Arns:
    """The ARNs of one environment's resources, by the names that they begin with."""

    def __init__(self, spec: TeamEnvironment) -> None:
        self._spec = spec
        self._partition = partition(spec.region)
        self.prefix = names.stage(spec.team, spec.name)

    def of(
        self, service: str, resource: str, *, account: str | None = None, region: str | None = None
    ) -> str:
        """A resource of this region and account; `{}` in `resource` stands for `team-env`."""
        place = f"{region or self._spec.region}:{account or self._spec.account}"
        return f"arn:{self._partition}:{service}:{place}:{resource.format(self.prefix)}"

    def bucket(self, kind: names.BucketKind) -> str:
        """One of the environment's buckets."""
        spec = self._spec
        name = names.bucket(spec.team, spec.name, kind, spec.account, spec.region)
        return f"arn:{self._partition}:s3:::{name}"

    def roles(self) -> str:
        """Every role that CloudFormation names after one of the environment's stacks."""
        return f"arn:{self._partition}:iam::{self._spec.account}:role/{self.prefix}-*"

    def policies(self, kind: names.StackKind | None = None) -> str:
        """Every managed policy that CloudFormation names after one of the environment's stacks, or this."""
        stack = f"{self.prefix}-{kind}" if kind else self.prefix
        return f"arn:{self._partition}:iam::{self._spec.account}:policy/{stack}-*"

    def budgets(self) -> list[str]:
        """The environment's budgets, whose names end in the percentages of their alerts, and actions."""
        budget = f"arn:{self._partition}:budgets::{self._spec.account}:budget/{self.prefix}-*"
        return [budget, f"{budget}/action/*"]

    def scaling_role(self) -> str:
        """The role with which Application Auto Scaling changes endpoints; one an account, made by AWS."""
        path = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com"
        name = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        return f"arn:{self._partition}:iam::{self._spec.account}:role/{path}/{name}"

    def buckets(self) -> list[str]:
        """The environment's buckets and their objects."""
        return [self.bucket(kind) + objects for kind in BUCKET_KINDS for objects in ("", "/*")]

    def assets(self) -> str:
        """What `cdk deploy` publishes in this account and region: code archives."""
        spec = self._spec
        return f"arn:{self._partition}:s3:::cdk-*-assets-{spec.account}-{spec.region}/*"

    def job_logs(self) -> list[str]:
        """The environment's log streams in SageMaker's groups; all jobs of a kind in an account share one."""
        return [
            self.of("logs", f"log-group:/aws/sagemaker/{pattern}")
            for pattern in (
                "Endpoints/{}-*",
                # Training, processing and transform; first the group, as CreateLogGroup names it. No name of
                # a stream holds a colon, so that the star can stand for nothing else.
                "*Jobs:log-stream:",
                "*Jobs:log-stream:{}-*",
            )
        ]

    def notebook_logs(self) -> str:
        """The log group that all notebook instances of an account share, as DescribeLogStreams names it."""
        return self.of("logs", "log-group:/aws/sagemaker/NotebookInstances:log-stream:")

    def workplace_logs(self) -> list[str]:
        """The log streams of the environment's notebook instances, and those of Studio, named by domains."""
        return [
            self.of("logs", f"log-group:/aws/sagemaker/{pattern}")
            for pattern in ("NotebookInstances:log-stream:{}-*", "studio:log-stream:*")
        ]

    def workflow_logs(self) -> list[str]:
        """The log groups of the environment's functions, state machines and network."""
        return [
            self.of("logs", f"log-group:/aws/{pattern}")
            for pattern in ("lambda/{}-*", "vendedlogs/states/{}-*", "vpc/{}-*")
        ]

    def workflows(self) -> list[str]:
        """What its workflows are made of: alarms, functions, topics, queues, parameters, state machines."""
        return [
            self.of("cloudwatch", "alarm:{}-*"),
            self.of("cloudwatch", "alarm:TargetTracking-endpoint/{}-*"),
            self.of("lambda", "function:{}-*"),
            self.of("sns", "{}-*"),
            self.of("sqs", "{}-*"),
            self.of("ssm", f"parameter/atelier/{self._spec.team}/{self._spec.name}/*"),
            *self.executions(),
        ]

    def executions(self) -> list[str]:
        """Its state machines and their executions."""
        return [self.of("states", f"{kind}:{{}}-*") for kind in ("execution", "stateMachine")]
