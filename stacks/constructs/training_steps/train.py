"""The step that trains: one training job, on the next instance type when one is not to be had."""

from __future__ import annotations

from typing import Any

from atelier.spec import defaults
from atelier.spec.sources import PRETRAINED
from stacks.constructs.asl import State, States, assign, catch, choice, jsonata, literal, task
from stacks.constructs.training_steps.container import model_access
from stacks.constructs.training_steps.props import (
    RETRY_JOB,
    TRAINING_JOB,
    TRAINING_LOGS,
    TrainingWorkflowProps,
)

FIRST = "Train"
CHECKPOINTS = "/opt/ml/checkpoints"

# A job that found no machine says so in its failure reason; one that a quota forbids is never created.
NO_CAPACITY = (
    r"$contains($failure.error, 'ResourceLimitExceeded')"
    r" or $contains($failure.cause, /account-level service limit/)"
    r' or $contains($failure.cause, /"FailureReason": ?"[^"]*(CapacityError|InsufficientCapacity'
    r"|InsufficientInstanceCapacity|ResourceLimitExceeded)/)"
)
TRAINED = {
    "trained": {
        "name": jsonata("$states.result.TrainingJobName"),
        "status": jsonata("$states.result.TrainingJobStatus"),
        "secondary": jsonata("'' & $states.result.SecondaryStatus"),
        "arn": jsonata("$states.result.TrainingJobArn"),
        "model": jsonata("'' & $states.result.ModelArtifacts.S3ModelArtifacts"),
    },
    "metrics": jsonata("$merge([{}, $states.result.FinalMetricDataList.{MetricName: Value}])"),
}
"""What is kept of a training job's description."""


def train_states(props: TrainingWorkflowProps, *, then: str) -> States:
    """Train to the end, each attempt under a new name, for names are used up."""
    train = task(
        "arn:aws:states:::sagemaker:createTrainingJob.sync",
        _training_job(props),
        then="Has it completed?",
        on_error=on_capacity(),
        retry=RETRY_JOB,
        assign=TRAINED,
    )
    return {FIRST: train, **attempt_states(FIRST), **completion_states("the training job", then=then)}


def on_capacity(log_ends: str = "/") -> list[State]:
    """After an error, see whether another instance type is left; `log_ends` follows the name in its log."""
    handlers = catch("Is another instance type left?")
    log = {"group": TRAINING_LOGS, "stream": jsonata(f"{TRAINING_JOB} & {literal(log_ends)}")}
    return [{**handler, "Assign": {**handler["Assign"], "log": log}} for handler in handlers]


def attempt_states(again: str) -> States:
    """Go back to `again` with the next instance type, when capacity was what was missing."""
    return {
        "Is another instance type left?": choice(
            (f"$attempt < $count($attempts) and ({NO_CAPACITY})", "Try the next instance type"),
            otherwise="Explain",
        ),
        "Try the next instance type": assign({"attempt": jsonata("$attempt + 1")}, then=again),
    }


def completion_states(what: str, *, then: str) -> States:
    """One that ran into its time limit ends as "Stopped", which is no error to Step Functions."""
    stopped = {
        "error": "Atelier.TrainingStopped",
        "cause": jsonata(f"'{what} was stopped: ' & $trained.secondary"),
    }
    return {
        "Has it completed?": choice(("$trained.status = 'Completed'", then), otherwise="It was stopped"),
        "It was stopped": assign({"failure": stopped}, then="Explain"),
    }


def _training_job(props: TrainingWorkflowProps) -> dict[str, Any]:
    """The arguments of CreateTrainingJob."""
    return {
        "TrainingJobName": jsonata(TRAINING_JOB),
        "HyperParameters": jsonata(
            "$merge([$ownHyperparameters, $overrides, $attempts[$attempt - 1].fixedHyperparameters])"
        ),
        **shared_definition(props),
        "Tags": props.tags(),
    }


def shared_definition(props: TrainingWorkflowProps) -> dict[str, Any]:
    """What one training job and a tuning job's many have in common."""
    job = props.job
    return {
        "AlgorithmSpecification": {
            "TrainingImage": jsonata("$attempts[$attempt - 1].image"),
            "TrainingInputMode": "File",
            **_metric_definitions(props),
        },
        "RoleArn": props.execution_role_arn,
        **_channels(props),
        "OutputDataConfig": {
            "S3OutputPath": f"s3://{props.artifacts_bucket}/models/{props.job_name}",
            "KmsKeyId": props.key_arn,
        },
        "ResourceConfig": jsonata("$attempts[$attempt - 1].resources"),
        "StoppingCondition": {
            "MaxRuntimeInSeconds": job.max_runtime_minutes * 60,
            **({"MaxWaitTimeInSeconds": (job.spot.max_wait_minutes or 0) * 60} if job.spot else {}),
        },
        **({"EnableManagedSpotTraining": True} if job.spot else {}),
        **({"CheckpointConfig": _checkpoints(props)} if job.checkpoints else {}),
        # The guardrails ask it of every job; one on a single instance has no traffic to encrypt.
        "EnableInterContainerTrafficEncryption": True,
        **props.isolation,
        **props.vpc,
    }


def _metric_definitions(props: TrainingWorkflowProps) -> dict[str, Any]:
    """SageMaker reads the metrics of its own algorithms itself, and takes no definitions for their images."""
    if defaults.algorithm_of(props.job) is not None:
        return {}
    return {
        "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in props.job.patterns.items()]
    }


def _checkpoints(props: TrainingWorkflowProps) -> dict[str, str]:
    """All attempts of a run share theirs; SageMaker gives them back to a job that was interrupted."""
    place = f"'s3://{props.artifacts_bucket}/checkpoints/{props.job_name}/' & $stem & '/'"
    return {"S3Uri": jsonata(place), "LocalPath": CHECKPOINTS}


def _channels(props: TrainingWorkflowProps) -> dict[str, Any]:
    """The data: what was uploaded, what the preparation wrote, the pretrained model."""
    job = props.job
    found = [
        {
            **_channel(
                name, f"s3://{props.data_bucket}/{one.prefix}" if one.prefix else props.prepared_url(name)
            ),
            **({"InputMode": one.mode} if one.mode != "File" else {}),
            **({"ContentType": one.content_type} if one.content_type else {}),
        }
        for name, one in job.channels.items()
    ]
    if job.jumpstart is not None and job.jumpstart.training is not None:
        model = _channel(PRETRAINED, job.jumpstart.training.artifact)
        model["DataSource"]["S3DataSource"] |= model_access(props, job.jumpstart)
        found.append(model)
    return {"InputDataConfig": found} if found else {}


def _channel(name: str, url: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": url,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }
