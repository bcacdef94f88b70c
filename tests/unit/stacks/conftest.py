"""Runs a workflow's definition in the interpreter of the embedded AWS, against an AWS of plain functions."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import botocore.session
import pytest
from botocore.validate import ParamValidator

from atelier.spec.guardrails import Guardrails
from atelier.spec.hyperparameters import Declaration
from atelier.spec.jobs import Channel, Gate, Job
from atelier.spec.model import Endpoint, Sample, TeamEnvironment
from atelier.spec.sources import Framework
from localaws.stepfunctions.definition import check_definition
from localaws.stepfunctions.errors import StateError
from localaws.stepfunctions.execution import Execution, Revision, StateMachine
from localaws.stepfunctions.history import History, Trail
from localaws.stepfunctions.interpreter import Interpreter, Surroundings
from localaws.stepfunctions.states import WORK
from stacks.constructs.code_archive import CodeArchive
from stacks.constructs.training_workflow import TrainingWorkflowProps, training_definition

PACKAGE = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/vision-dev-curve/1"
Answer = Callable[[dict[str, Any]], Any]
SESSION = botocore.session.get_session()
SERVICES = {"applicationautoscaling": "application-autoscaling"}


@dataclass
class Outcome:
    """How an execution ended, what it called, and how many seconds it waited in all."""

    output: Any = None
    error: str | None = None
    cause: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    waited: float = 0.0

    def asked(self, action: str) -> list[dict[str, Any]]:
        """The arguments of every call of an action."""
        return [arguments for name, arguments in self.calls if name == action]

    @property
    def actions(self) -> list[str]:
        """The actions called, in order."""
        return [name for name, _ in self.calls]


@pytest.fixture
def fail() -> Callable[..., Answer]:
    """`fail(error, cause)`: an answer that fails as a service does."""

    def failing(error: str, cause: str = "") -> Answer:
        def answer(_arguments: dict[str, Any]) -> Any:
            failure = StateError(error, cause)
            failure.placed = True  # a service's own words, to which Step Functions adds nothing
            raise failure

        return answer

    return failing


@pytest.fixture
def run() -> Callable[..., Outcome]:
    """`run(definition, input, answers)`: see `_run`."""
    return _run


def _run(definition: Mapping[str, Any], given: Any, answers: Mapping[str, Answer]) -> Outcome:
    """Run a definition; `answers` gives each action's result by its name, such as "createModel".

    The arguments of every call are checked against the API's model. Time does not pass.
    """
    machine, problems = check_definition(json.dumps(definition))
    assert not problems, problems
    assert machine is not None
    outcome = Outcome()

    def task(interpreter: Interpreter, visit: Any) -> Any:
        evaluation = interpreter.evaluation(visit)
        arguments = evaluation.arguments()
        service, action = visit.state.fields["Resource"].removesuffix(".sync").split(":")[-2:]
        _check(service, action, arguments)
        outcome.calls.append((action, arguments))
        result = answers[action](arguments)
        return visit.state.fields.get("Next"), evaluation.finish(result)

    def pause(_scope: Any, seconds: float) -> None:
        outcome.waited += seconds

    surroundings = Surroundings(SimpleNamespace(stopping=threading.Event()), None, pause)
    execution = _execution(machine, given)
    try:
        outcome.output = Interpreter(execution, surroundings, {**WORK, "Task": task}).run(
            Trail(execution.history)
        )
    except StateError as error:
        outcome.error, outcome.cause = error.error, error.cause or ""
    return outcome


def _check(service: str, action: str, arguments: dict[str, Any]) -> None:
    """Refuse what the API would refuse: unknown, missing or mistyped parameters, names out of bounds."""
    if service == "lambda":
        return
    model = SESSION.get_service_model(SERVICES.get(service, service))
    operation = model.operation_model(action[0].upper() + action[1:])
    report = ParamValidator().validate(arguments, operation.input_shape)
    assert not report.has_errors(), report.generate_report()


def _execution(machine: Any, given: Any) -> Execution:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    revision = Revision(machine, "", "role", {}, {}, {}, "1", now)
    arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:machine"
    state_machine = StateMachine(arn, "machine", "111122223333", "eu-west-1", revision, now)
    return Execution(
        arn=f"{arn.replace('stateMachine', 'execution')}:run-1",
        name="run-1",
        state_machine=state_machine,
        revision=revision,
        input=given,
        input_text=json.dumps(given),
        history=History(),
        started=now,
    )


@pytest.fixture
def spec() -> TeamEnvironment:
    """An environment with one job that has everything, and an endpoint for it."""
    job = Job(
        script="curve_sklearn",
        framework=Framework(name="sklearn"),
        instances=["ml.m5.large", "ml.c5d.xlarge"],
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
