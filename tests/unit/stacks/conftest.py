"""An environment with one job, the job's definition, and an AWS of plain functions to run it against."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from atelier.spec.guardrails import Guardrails
from atelier.spec.hyperparameters import Declaration
from atelier.spec.jobs import Channel, Gate, Job
from atelier.spec.model import Endpoint, Sample, TeamEnvironment
from atelier.spec.sources import Framework
from stacks.constructs.code_archive import CodeArchive
from stacks.constructs.training_workflow import TrainingWorkflowProps, training_definition

PACKAGE = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/vision-dev-curve/1"
Answer = Callable[[dict[str, Any]], Any]


@pytest.fixture
def spec() -> TeamEnvironment:
    """An environment with one job that has everything, and an endpoint for it."""
    job = Job(
        script="curve_sklearn",
        framework=Framework(name="sklearn"),
        instances=["ml.m5.large", "ml.r5d.large"],
        channels={
            "train": Channel(prefix="curve/train/"),
            "validation": Channel(prefix="curve/validation/"),
        },
        hyperparameters={"units": 10, "solver": "lbfgs"},
        metrics={"validation:rmse": "validation:rmse=([0-9.]+)"},
        gate=Gate(metric="validation:rmse", at_most=190.0),
    )
    return TeamEnvironment(
        team="vision",
        name="dev",
        owners=["a@example.com"],
        cost_centre="4711",
        account="111122223333",
        region="eu-west-1",
        retain=False,
        approval="automatic",
        notify=["a@example.com"],
        images={},
        jobs={"curve": job},
        endpoints={"curve": Endpoint(job="curve", sample=Sample(body="[[1]]"))},
    )


@pytest.fixture
def trained() -> Callable[..., Answer]:
    """`trained(*metrics, status=…)`: a training job that ends so."""
    return _trained


def _trained(*metrics: tuple[str, float], status: str = "Completed", **more: str) -> Answer:
    """A training job that ends so."""

    def answer(arguments: dict[str, Any]) -> Any:
        name = arguments["TrainingJobName"]
        return {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:aws:sagemaker:eu-west-1:111122223333:training-job/{name}",
            "TrainingJobStatus": status,
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://artifacts/models/curve/{name}/output/model.tar.gz"},
            "FinalMetricDataList": [
                {"MetricName": metric, "Value": value, "Timestamp": 1.0} for metric, value in metrics
            ],
            **more,
        }

    return answer


def _explained(arguments: dict[str, Any]) -> Any:
    """What `explain_failure` would answer."""
    payload = arguments["Payload"]
    return {
        "Payload": {
            "error": payload["error"],
            "cause": payload["cause"],
            "text": f"explained: {payload['cause']}",
            "subject": "subject",
            "message": "message",
        }
    }


@pytest.fixture
def aws() -> dict[str, Answer]:
    """An AWS in which training reaches an error of 150."""
    return {
        "copyObject": lambda _: {},
        "createTrainingJob": _trained(("validation:rmse", 150.25)),
        "createModelPackage": lambda _: {"ModelPackageArn": PACKAGE},
        "publish": lambda _: {"MessageId": "m"},
        "invoke": _explained,
    }


@pytest.fixture
def define(spec: TeamEnvironment) -> Callable[..., dict[str, Any]]:
    """`define(**changes of the job)`: the definition of the job, changed so."""

    def definition(
        *,
        approval: str = "automatic",
        declared: dict[str, Declaration] | None = None,
        isolated: bool = False,
        **changes: Any,
    ) -> dict[str, Any]:
        job = spec.jobs["curve"].model_copy(update=changes)
        code = SimpleNamespace(
            digest="c0de",
            inference_program="inference.py",
            s3_bucket_name="assets",
            s3_object_key="archive.tar.gz",
        )
        return training_definition(
            TrainingWorkflowProps(
                spec=spec.model_copy(
                    update={
                        "jobs": {"curve": job},
                        "approval": approval,
                        "guardrails": Guardrails(require_vpc=False, network_isolation=isolated),
                    }
                ),
                job_name="curve",
                code=cast(CodeArchive, code) if job.folder else None,
                declared=declared or {},
                data_bucket="data",
                artifacts_bucket="artifacts",
                key_arn="arn:key",
                execution_role_arn="arn:aws:iam::111122223333:role/execution",
                explain_arn="arn:explain",
                topic_arn="arn:topic",
            )
        )

    return definition
