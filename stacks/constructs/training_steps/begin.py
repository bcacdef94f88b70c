"""The first steps of a run: what was asked for, and the code, kept."""

from __future__ import annotations

from typing import Any

from atelier.spec import launch
from atelier.spec.hyperparameters import encoded
from atelier.spec.job_images import training_image
from atelier.spec.jobs import UNASSIGNED
from stacks.constructs.asl import API, State, States, assign, jsonata, literal, task
from stacks.constructs.code_archive import TRAINING_PROGRAM
from stacks.constructs.training_steps.props import (
    APPROVED,
    TRAINING_JOB,
    TRAINING_LOGS,
    WAITING,
    TrainingWorkflowProps,
    explained,
)

FIRST = "Begin"
UNIQUE_LENGTH = 8  # hexadecimal digits that tell the training jobs of two runs apart


def begin_states(props: TrainingWorkflowProps, *, then: str) -> States:
    """Set the variables, and keep the code where there is some."""
    if props.code is None:
        return {FIRST: _begin(props, then=then)}
    return {
        FIRST: _begin(props, then="Keep the code"),
        "Keep the code": _keep_the_code(props, then=then),
    }


def _begin(props: TrainingWorkflowProps, *, then: str) -> State:
    """Variables: what was asked for, with defaults, and what to try in which order."""
    job = props.job
    return assign(
        {
            "trigger": _asked("trigger", "console"),
            "fingerprint": _asked("fingerprint", "unknown"),
            "experiment": _asked("experiment", job.experiment or UNASSIGNED),
            "approval": _approval(props),
            "ownHyperparameters": {name: props.encode(value) for name, value in job.hyperparameters.items()},
            "overrides": jsonata(
                "$merge([{}, $each($states.input.hyperparameters, function($v, $k) { {$k: $string($v)} })])"
            ),
            # A run's name is free again after 90 days, a training job's never: hence the time of the start.
            "stem": jsonata(
                f"{literal(props.stem)} & $substring($hash("
                "$states.context.Execution.Id & $states.context.Execution.StartTime, 'SHA-256'), "
                f"0, {UNIQUE_LENGTH})"
            ),
            "attempts": [_attempt(props, one) for one in job.instances] if job.trains else [],
            "attempt": 1,
            "metrics": {},
            "log": {"group": TRAINING_LOGS, "stream": ""},
        },
        then=then,
    )


def _asked(name: str, default: str) -> str:
    """A member of the input, which may be missing: a run can be started from the console with `{}`."""
    value = f"$states.input.{name}"
    return jsonata(f"$exists({value}) ? {value} : {literal(default)}")


def _approval(props: TrainingWorkflowProps) -> str:
    """The approval of the model; a run can be held back for a person, but not be approved by being asked."""
    if props.spec.approval == "manual":
        return WAITING
    return jsonata(f"$states.input.approval = 'manual' ? {literal(WAITING)} : {literal(APPROVED)}")


def _attempt(props: TrainingWorkflowProps, instance_type: str) -> dict[str, Any]:
    """The arguments that differ between the instance types of a job."""
    job = props.job
    return {
        "image": training_image(props.spec, job, instance_type),
        "resources": {
            "InstanceType": instance_type,
            "InstanceCount": job.instance_count,
            "VolumeSizeInGB": job.volume_gb,
            **props.volume_key(instance_type),
        },
        "fixedHyperparameters": _fixed(props, instance_type),
    }


def _fixed(props: TrainingWorkflowProps, instance_type: str) -> dict[str, str]:
    """What the container is told besides the job's own hyperparameters: its program, and how to start it."""
    tuned = props.job.jumpstart.training if props.job.jumpstart else None
    if tuned is not None:
        program, url = tuned.program, tuned.script
    elif props.job.script is not None:
        program, url = TRAINING_PROGRAM, props.code_url
    else:
        return {}
    started = launch.hyperparameters(props.job, instance_type)
    return {
        "sagemaker_program": encoded(program),
        # SageMaker's own JSON would escape a token: the URL is quoted by hand.
        "sagemaker_submit_directory": f'"{url}"',
        **{name: encoded(value) for name, value in started.items()},
    }


def _keep_the_code(props: TrainingWorkflowProps, *, then: str) -> State:
    """Copy the archive to where it outlives the CDK's assets, for endpoints that load it long after."""
    if props.code is None:
        raise ValueError("a job without a script has no code to keep")
    return task(
        f"{API}:s3:copyObject",
        {
            "Bucket": props.artifacts_bucket,
            "Key": props.code_key,
            "CopySource": f"{props.code.s3_bucket_name}/{props.code.s3_object_key}",
        },
        then=then,
        on_error=explained(log_stream=TRAINING_JOB),
    )
