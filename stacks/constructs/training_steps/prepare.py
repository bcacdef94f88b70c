"""The step that makes the channels from uploaded data: a processing job."""

from __future__ import annotations

import json
from typing import Any

from atelier.spec.images import training_image
from atelier.spec.jobs import Prepare
from stacks.constructs.asl import States, assign, choice, jsonata, task
from stacks.constructs.training_steps.props import (
    PROCESSING_JOB,
    PROCESSING_LOGS,
    RETRY_JOB,
    TrainingWorkflowProps,
    explained,
)

FIRST = "Prepare the data"
ROOT = "/opt/ml/processing"


def prepare_states(props: TrainingWorkflowProps, *, then: str) -> States:
    """Run the preparation to its end."""
    prepare = props.job.prepare
    if prepare is None:
        raise ValueError(f"job {props.job_name} has no preparation")
    stopped = {
        "error": "Atelier.PreparationStopped",
        "cause": jsonata("'the processing job ended as ' & $preparation"),
    }
    return {
        FIRST: task(
            "arn:aws:states:::sagemaker:createProcessingJob.sync",
            _processing_job(props, prepare),
            then="Is the data prepared?",
            on_error=explained(PROCESSING_LOGS, PROCESSING_JOB),
            retry=RETRY_JOB,
            assign={"preparation": jsonata("$states.result.ProcessingJobStatus")},
        ),
        "Is the data prepared?": choice(("$preparation = 'Completed'", then), otherwise="It did not prepare"),
        "It did not prepare": assign({"failure": stopped}, then="Explain"),
    }


def _processing_job(props: TrainingWorkflowProps, prepare: Prepare) -> dict[str, Any]:
    """The arguments of CreateProcessingJob."""
    code = f"s3://{props.artifacts_bucket}/{props.code_folder}"
    inputs = {name: f"s3://{props.data_bucket}/{prefix}" for name, prefix in sorted(prepare.inputs.items())}
    return {
        "ProcessingJobName": jsonata(PROCESSING_JOB),
        "AppSpecification": {
            "ImageUri": training_image(prepare.framework, props.spec.region, prepare.instance),
            "ContainerEntrypoint": ["sh", "-c", _command(prepare.program), "prepare"],
            **({"ContainerArguments": _arguments(prepare)} if prepare.arguments else {}),
        },
        "RoleArn": props.execution_role_arn,
        "ProcessingInputs": [_input(name, url) for name, url in {"code": code, **inputs}.items()],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": channel,
                    "S3Output": {
                        "S3Uri": props.prepared_url(channel),
                        "LocalPath": f"{ROOT}/output/{channel}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
                for channel in props.job.prepared
            ],
            "KmsKeyId": props.key_arn,
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": prepare.instance,
                "VolumeSizeInGB": prepare.volume_gb,
                **props.volume_key(prepare.instance),
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": prepare.max_runtime_minutes * 60},
        # The guardrails ask it of every job; one on a single instance has no traffic to encrypt.
        "NetworkConfig": {"EnableInterContainerTrafficEncryption": True, **props.vpc},
        "Tags": props.tags(),
    }


def _input(name: str, url: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": url,
            "LocalPath": f"{ROOT}/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _command(program: str) -> str:
    """What the container runs, its arguments following: a line that SageMaker takes 256 characters of.

    A crash is written to the log, since SageMaker does not tell how a processing job's container ended.
    """
    return (
        f'cd "$(mktemp -d)" && tar xzf {ROOT}/input/code/sourcedir.tar.gz && '
        "{ [ ! -f requirements-prepare.txt ] || python3 -m pip install -qr requirements-prepare.txt; } && "
        f'exec python3 -X faulthandler {program} "$@"'
    )


def _arguments(prepare: Prepare) -> list[str]:
    """`--key value` for each argument; text as it is, everything else as JSON."""
    return [
        word
        for name, value in sorted(prepare.arguments.items())
        for word in (f"--{name}", value if isinstance(value, str) else json.dumps(value))
    ]
