"""The step that registers a model with where it comes from."""

from __future__ import annotations

from typing import Any

from atelier.spec import names
from atelier.spec.job_images import own_image
from stacks.constructs.asl import API, States, jsonata, literal, task
from stacks.constructs.training_steps.container import container, content_types
from stacks.constructs.training_steps.props import RUN, TrainingWorkflowProps, explained

FIRST = "Register the model"
# The keys of a package's metadata take fewer characters than the names of metrics, and at most 128.
METADATA_OF_METRICS = (
    r"$each($metrics, function($v, $k) {"
    r" {'metric:' & $substring($replace($k, /[^\w.:\/=+@ -]/, ''), 0, 121): $string($v)} })"
)


def register_states(props: TrainingWorkflowProps, *, then: str) -> States:
    """Register the model, approved at once or waiting for a person."""
    return {
        FIRST: task(
            f"{API}:sagemaker:createModelPackage",
            _model_package(props),
            then=then,
            on_error=explained(),
            assign={"modelPackage": jsonata("$states.result.ModelPackageArn")},
        )
    }


def _model_package(props: TrainingWorkflowProps) -> dict[str, Any]:
    """The arguments of CreateModelPackage: how to serve the model, and its lineage."""
    spec, name = props.spec, props.job_name
    # One expression: the metrics' names are known only when the job has reported them.
    members = ", ".join(f"{literal(key)}: {value}" for key, value in _lineage(props).items())
    types = content_types(props)
    return {
        "ModelPackageGroupName": names.model_package_group(spec.team, spec.name, name),
        "ModelPackageDescription": jsonata(f"'Run ' & {RUN}"),
        "ModelApprovalStatus": jsonata("$approval"),
        # Registering again under the same token is registering once.
        "ClientToken": jsonata("$substring($hash($stem, 'SHA-256'), 0, 32)"),
        "InferenceSpecification": {
            "Containers": [container(props, _serving_instance(props))],
            "SupportedContentTypes": types,
            "SupportedResponseMIMETypes": types,
        },
        **({"MetadataProperties": {"GeneratedBy": jsonata("$trained.arn")}} if props.job.trains else {}),
        "CustomerMetadataProperties": jsonata(f"$merge([{{{members}}}, {METADATA_OF_METRICS}])"),
    }


def _lineage(props: TrainingWorkflowProps) -> dict[str, str]:
    """Where the model comes from, as JSONata."""
    job, jumpstart = props.job, props.job.jumpstart
    return {
        "run": RUN,
        "job": literal(props.job_name),
        "trigger": "$trigger",
        "experiment": "$experiment",
        **({"training-job": "$trained.name"} if job.trains else {}),
        "data": "$fingerprint",
        **({"code": literal(props.code.digest)} if props.code else {}),
        **({"image": literal(own_image(props.spec, job.image))} if job.image else {}),
        **({"jumpstart": literal(f"{jumpstart.model} {jumpstart.version}")} if jumpstart else {}),
    }


def _serving_instance(props: TrainingWorkflowProps) -> str:
    """The type that the inference image must fit: that of an endpoint of this job, if there is one."""
    endpoints = props.spec.endpoints.values()
    served = (
        endpoint.instances[variant]
        for endpoint in endpoints
        for variant, job in endpoint.served.items()
        if job == props.job_name
    )
    return next(served, props.job.instances[0])
