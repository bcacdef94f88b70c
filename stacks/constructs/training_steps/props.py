"""What the steps of a run share: where things lie, how they are named, what they are tagged with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atelier.spec import names
from atelier.spec.disks import has_local_disks
from atelier.spec.hyperparameters import Declaration, Value, encoded, plain
from atelier.spec.jobs import Job
from atelier.spec.model import TeamEnvironment
from stacks.constructs.asl import State, catch, jsonata, literal
from stacks.constructs.code_archive import CodeArchive
from stacks.constructs.guardrail_conditions import Place
from stacks.team_stack import tags

TRAINING_LOGS = "/aws/sagemaker/TrainingJobs"
PROCESSING_LOGS = "/aws/sagemaker/ProcessingJobs"
TRANSFORM_LOGS = "/aws/sagemaker/TransformJobs"

# SageMaker's names take 63 characters, of which the longest stem leaves three.
TRAINING_JOB = "$stem & '-' & $string($attempt)"
PROCESSING_JOB = "$stem & '-p'"
TRANSFORM_JOB = "$stem & '-t'"
RUN = "$states.context.Execution.Name"

APPROVED, WAITING = "Approved", "PendingManualApproval"
"""SageMaker's ModelApprovalStatus of a new model, in the variable `approval`."""

# Errors of Create…Job that pass: throttling, and a role's new permission that is not yet everywhere.
RETRY_JOB = [
    {
        "ErrorEquals": ["SageMaker.AmazonSageMakerException", "ThrottlingException"],
        "IntervalSeconds": 2,
        "MaxAttempts": 3,
        "BackoffRate": 2,
    }
]


@dataclass(frozen=True, kw_only=True)
class TrainingWorkflowProps:
    """What a job's definition is made of; buckets, ARNs and the like may be tokens."""

    spec: TeamEnvironment
    job_name: str
    code: CodeArchive | None
    """The job's script folder, where it has one."""
    declared: Mapping[str, Declaration]
    """The job's hyperparameters, as far as they are declared."""
    data_bucket: str
    artifacts_bucket: str
    key_arn: str
    execution_role_arn: str
    explain_arn: str
    topic_arn: str
    place: Place | None = None
    """Where the job runs, where the environment has a network."""

    @property
    def job(self) -> Job:
        """The job as the team file has it."""
        return self.spec.jobs[self.job_name]

    @property
    def stem(self) -> str:
        """What the names of its training jobs and the like begin with."""
        return f"{names.stage(self.spec.team, self.spec.name)}-{self.job_name}-"

    @property
    def code_folder(self) -> str:
        """Where the artifacts bucket keeps the code, as long as any model that was trained with it."""
        return f"code/{self.job_name}/{self.code.digest}/" if self.code else ""

    @property
    def code_key(self) -> str:
        """The archive there, under the name that SageMaker's own tools give it."""
        return f"{self.code_folder}sourcedir.tar.gz"

    @property
    def code_url(self) -> str:
        """The same as an S3 URL."""
        return f"s3://{self.artifacts_bucket}/{self.code_key}"

    @property
    def vpc(self) -> dict[str, Any]:
        """The `VpcConfig` of a job, where the environment has a network."""
        return {"VpcConfig": self.place.vpc_config} if self.place else {}

    @property
    def isolation(self) -> dict[str, Any]:
        """What the guardrails ask for where containers have no network."""
        return {"EnableNetworkIsolation": True} if self.spec.guardrails.network_isolation else {}

    def volume_key(self, instance_type: str) -> dict[str, str]:
        """The key of a volume; types with encrypted disks of their own take none."""
        return {} if has_local_disks(instance_type) else {"VolumeKmsKeyId": self.key_arn}

    def tags(self) -> list[dict[str, Any]]:
        """The tags of everything that a run creates."""
        own = {
            **tags(self.spec),
            "job": self.job_name,
            "run": jsonata(RUN),
            "experiment": jsonata("$experiment"),
        }
        return [{"Key": key, "Value": value} for key, value in own.items()]

    def encode(self, value: Value) -> str:
        """A hyperparameter as the job's container reads it."""
        return encoded(value) if self.job.script else plain(value)

    def prepared_url(self, channel: str) -> str:
        """Where the preparation's output lies: a value that is computed, since each run has its own."""
        place = literal(f"s3://{self.artifacts_bucket}/prepared/{self.job_name}/")
        return jsonata(f"{place} & $stem & {literal(f'/{channel}/')}")


def explained(log_group: str = TRAINING_LOGS, log_stream: str = TRAINING_JOB) -> list[State]:
    """Explain any error; `log_stream`, JSONata, is how the stream begins whose end tells more."""
    handlers = catch("Explain")
    log = {"group": log_group, "stream": jsonata(f"{log_stream} & '/'")}
    return [{**handler, "Assign": {**handler["Assign"], "log": log}} for handler in handlers]
