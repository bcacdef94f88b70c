"""How a job's model is served: the container of its model package, and of its batch transforms."""

from __future__ import annotations

from typing import Any

from atelier.spec.hyperparameters import of_algorithm
from atelier.spec.job_images import serving_image
from atelier.spec.sources import JumpStart
from stacks.arns import partition
from stacks.constructs.asl import jsonata
from stacks.constructs.training_steps.props import TrainingWorkflowProps

CONTENT_TYPES = ["application/json", "text/csv"]
FETCHES_CODE = {"sklearn", "xgboost"}
"""The frameworks whose inference containers fetch the code from S3; the others look for it in the model."""
CODE_IN_MODEL = "/opt/ml/model/code"
INFERENCE_PROGRAM = "inference.py"


def content_types(props: TrainingWorkflowProps) -> list[str]:
    """What the container takes and answers."""
    algorithm = props.job.algorithm
    return list(of_algorithm(algorithm.name).content_types) if algorithm else CONTENT_TYPES


def container(props: TrainingWorkflowProps, instance_type: str) -> dict[str, Any]:
    """A container definition, with the model that `$trained` names."""
    return {
        "Image": serving_image(props.spec, props.job, instance_type),
        **_model(props),
        "Environment": _environment(props),
    }


def _model(props: TrainingWorkflowProps) -> dict[str, Any]:
    jumpstart = props.job.jumpstart
    if jumpstart is None or jumpstart.training is not None:
        return {"ModelDataUrl": jsonata("$trained.model")}
    is_archive = not jumpstart.artifact.endswith("/")
    source: dict[str, Any] = {
        "S3Uri": jumpstart.artifact,
        "S3DataType": "S3Object" if is_archive else "S3Prefix",
        "CompressionType": "Gzip" if is_archive else "None",
    }
    return {"ModelDataSource": {"S3DataSource": {**source, **model_access(props, jumpstart)}}}


def model_access(props: TrainingWorkflowProps, jumpstart: JumpStart) -> dict[str, Any]:
    """What gives access to a pretrained model: its licence, accepted, and a private hub's reference to it."""
    access: dict[str, Any] = {}
    if jumpstart.accept_licence:
        access["ModelAccessConfig"] = {"AcceptEula": True}
    if jumpstart.hub is not None:
        spec = props.spec
        hub = (
            f"arn:{partition(spec.region)}:sagemaker:{spec.region}:{spec.account}:hub-content/{jumpstart.hub}"
        )
        reference = f"{hub}/ModelReference/{jumpstart.model}/{jumpstart.version}"
        access["HubAccessConfig"] = {"HubContentArn": reference}
    return access


def _environment(props: TrainingWorkflowProps) -> dict[str, str]:
    """What the container is told: where the code is."""
    job = props.job
    region = {"SAGEMAKER_REGION": props.spec.region}
    if job.script is not None and job.framework is not None and props.code is not None:
        place = props.code_url if job.framework.name in FETCHES_CODE else CODE_IN_MODEL
        program = props.code.inference_program
        return {"SAGEMAKER_PROGRAM": program, "SAGEMAKER_SUBMIT_DIRECTORY": place, **region}
    if job.jumpstart is not None:
        scripted = {"SAGEMAKER_PROGRAM": INFERENCE_PROGRAM, "SAGEMAKER_SUBMIT_DIRECTORY": CODE_IN_MODEL}
        own = scripted if job.jumpstart.image is None else {}
        return {**own, **region, **job.jumpstart.environment}
    return region
