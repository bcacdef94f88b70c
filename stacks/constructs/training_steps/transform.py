"""The step that predicts for a batch with the model that has just been registered."""

from __future__ import annotations

from typing import Any

from atelier.spec.jobs import Transform
from stacks.constructs.asl import API, State, States, ignore, jsonata, literal, task
from stacks.constructs.training_steps.container import container
from stacks.constructs.training_steps.props import (
    RETRY_JOB,
    RUN,
    TRANSFORM_JOB,
    TRANSFORM_LOGS,
    TrainingWorkflowProps,
    explained,
)

FIRST = "Make a model for the batch"


def transform_states(props: TrainingWorkflowProps, *, then: str) -> States:
    """Predict to the end; the model made for it goes, however that ends."""
    transform = props.job.transform
    if transform is None:
        raise ValueError(f"job {props.job_name} has no transform")
    model = {
        # Not from the package: one that waits for approval can make no model.
        "ModelName": jsonata(TRANSFORM_JOB),
        "PrimaryContainer": container(props, transform.instance),
        "ExecutionRoleArn": props.execution_role_arn,
        **props.isolation,
        **props.vpc,
        "Tags": props.tags(),
    }
    failed = [
        {**handler, "Next": "Remove the model of the failure"}
        for handler in explained(TRANSFORM_LOGS, TRANSFORM_JOB)
    ]
    return {
        FIRST: task(
            f"{API}:sagemaker:createModel",
            model,
            then="Predict for the batch",
            on_error=explained(TRANSFORM_LOGS, TRANSFORM_JOB),
        ),
        "Predict for the batch": task(
            "arn:aws:states:::sagemaker:createTransformJob.sync",
            _transform_job(props, transform),
            then="Remove the model of the batch",
            on_error=failed,
            retry=RETRY_JOB,
        ),
        "Remove the model of the batch": _remove(then),
        "Remove the model of the failure": _remove("Explain"),
    }


def output_url(props: TrainingWorkflowProps) -> str:
    """Where a run's predictions lie."""
    place = literal(f"s3://{props.artifacts_bucket}/transformed/{props.job_name}/")
    return jsonata(f"{place} & {RUN} & '/'")


def _remove(then: str) -> State:
    return task(
        f"{API}:sagemaker:deleteModel",
        {"ModelName": jsonata(TRANSFORM_JOB)},
        then=then,
        on_error=ignore(then),
    )


def _transform_job(props: TrainingWorkflowProps, transform: Transform) -> dict[str, Any]:
    """The arguments of CreateTransformJob."""
    by_line = transform.split == "Line"
    url = (
        props.prepared_url(transform.prepared)
        if transform.prepared
        else f"s3://{props.data_bucket}/{transform.input}"
    )
    return {
        "TransformJobName": jsonata(TRANSFORM_JOB),
        "ModelName": jsonata(TRANSFORM_JOB),
        "BatchStrategy": "MultiRecord" if by_line else "SingleRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": url}},
            "ContentType": transform.content_type,
            "SplitType": transform.split,
        },
        "TransformOutput": {
            "S3OutputPath": output_url(props),
            "Accept": transform.accept or transform.content_type,
            "AssembleWith": transform.split,
            "KmsKeyId": props.key_arn,
        },
        "TransformResources": {
            "InstanceType": transform.instance,
            "InstanceCount": transform.instance_count,
            **props.volume_key(transform.instance),
        },
        **({"DataProcessing": {"JoinSource": "Input"}} if transform.join else {}),
        "Tags": props.tags(),
    }
