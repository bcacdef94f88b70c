"""A job's state machine, really run: what it asks of AWS, and how it ends."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest

from stacks.constructs.training_workflow import TrainingWorkflowProps, training_definition

RUN = {
    "run": "curve-0123",
    "job": "curve",
    "trigger": "upload",
    "fingerprint": "0123456789abcdef",
    "hyperparameters": {"units": "20"},
}
PACKAGE = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/vision-dev-curve/1"


def test_trains_registers_and_tells(run, define, aws):
    """The whole way: code kept, job trained, model registered with its lineage, people told."""
    outcome = run(define(), RUN, aws)
    assert outcome.actions == ["copyObject", "createTrainingJob", "createModelPackage", "publish"]
    (job,) = outcome.asked("createTrainingJob")
    assert outcome.output == {
        "run": "run-1",
        "job": "curve",
        "experiment": "unassigned",
        "trainingJob": job["TrainingJobName"],
        "metrics": {"validation:rmse": 150.25},
        "modelPackage": PACKAGE,
        "status": "approved",
    }
    (package,) = outcome.asked("createModelPackage")
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"] == {
        "run": "run-1",
        "job": "curve",
        "trigger": "upload",
        "experiment": "unassigned",
        "training-job": job["TrainingJobName"],
        "data": "0123456789abcdef",
        "code": "c0de",
        "metric:validation:rmse": "150.25",
    }
    (container,) = package["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"].endswith(f"{job['TrainingJobName']}/output/model.tar.gz")
    assert (
        container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"]
        == "s3://artifacts/code/curve/c0de/sourcedir.tar.gz"
    )
    assert "150.25" in outcome.asked("publish")[0]["Message"]


def test_asks_for_the_training_job_that_the_team_file_describes(run, define, aws):
    """Hyperparameters as the SDK encodes them, the run's own over the job's; channels; encryption."""
    (job,) = run(define(), RUN, aws).asked("createTrainingJob")
    assert job["HyperParameters"] == {
        "units": "20",
        "solver": '"lbfgs"',
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://artifacts/code/curve/c0de/sourcedir.tar.gz"',
    }
    assert [
        (channel["ChannelName"], channel["DataSource"]["S3DataSource"]["S3Uri"])
        for channel in job["InputDataConfig"]
    ] == [
        ("train", "s3://data/curve/train/"),
        ("validation", "s3://data/curve/validation/"),
    ]
    assert job["ResourceConfig"]["VolumeKmsKeyId"] == job["OutputDataConfig"]["KmsKeyId"] == "arn:key"
    assert {"Key": "team", "Value": "vision"} in job["Tags"]
    assert re.fullmatch(r"vision-dev-curve-[0-9a-f]{8}-1", job["TrainingJobName"])


@pytest.mark.parametrize("given", [{}, {"hyperparameters": {}}, {"hyperparameters": {"units": 20}}])
def test_can_be_started_from_the_console(run, define, aws, given):
    """Whoever starts a run by hand needs to give nothing, and numbers become text as SageMaker wants it."""
    outcome = run(define(), given, aws)
    assert outcome.error is None
    (job,) = outcome.asked("createTrainingJob")
    assert all(isinstance(value, str) for value in job["HyperParameters"].values())
    assert outcome.asked("createModelPackage")[0]["CustomerMetadataProperties"]["data"] == "unknown"


def test_manual_approval_registers_a_model_that_waits(run, define, aws):
    """Where a person approves, the model is registered as pending."""
    outcome = run(define(approval="manual"), RUN, aws)
    assert outcome.asked("createModelPackage")[0]["ModelApprovalStatus"] == "PendingManualApproval"
    assert outcome.output["status"] == "waits for approval"


@pytest.mark.parametrize("asked", ["manual", "automatic"])
@pytest.mark.parametrize("approval", ["manual", "automatic"])
def test_a_run_can_be_held_back_for_a_person(run, define, aws, approval, asked):
    """Of a sweep's models one is chosen; no run can approve itself where a person has to."""
    outcome = run(define(approval=approval), {**RUN, "approval": asked}, aws)
    waits = "manual" in {approval, asked}
    (package,) = outcome.asked("createModelPackage")
    assert package["ModelApprovalStatus"] == ("PendingManualApproval" if waits else "Approved")
    told = "waits for approval" if waits else "approved"
    assert outcome.output["status"] == told
    assert outcome.asked("publish")[0]["Subject"] == f"[atelier] job curve: a new model {told}"
    assert f"registered a model, which {told}." in outcome.asked("publish")[0]["Message"]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("States.TaskFailed", json.dumps({"FailureReason": "CapacityError: Unable to provision"})),
        ("States.TaskFailed", json.dumps({"FailureReason": "InsufficientCapacityError: none"})),
        ("SageMaker.ResourceLimitExceededException", "limit"),
        ("SageMaker.AmazonSageMakerException", "The account-level service limit 'ml.m5' is 0 Instances"),
    ],
)
def test_missing_capacity_goes_on_with_the_next_instance_type(run, define, aws, fail, error, cause):
    """In the order of the team file, under a fresh name; no KMS key on a type with disks of its own."""
    refuse, accept = fail(error, cause), aws["createTrainingJob"]

    def answer(arguments):
        first = arguments["ResourceConfig"]["InstanceType"] == "ml.m5.large"
        return (refuse if first else accept)(arguments)

    outcome = run(define(), RUN, {**aws, "createTrainingJob": answer})
    jobs = outcome.asked("createTrainingJob")
    assert outcome.error is None
    assert [job["ResourceConfig"]["InstanceType"] for job in jobs][-1] == "ml.r5d.large"
    assert "VolumeKmsKeyId" not in jobs[-1]["ResourceConfig"]
    assert jobs[-1]["TrainingJobName"].endswith("-2")
    assert outcome.output["trainingJob"] == jobs[-1]["TrainingJobName"]


def test_gives_up_when_no_instance_type_is_left(run, define, aws, fail):
    """After the last type the run fails with the capacity error, explained."""
    none = fail("States.TaskFailed", json.dumps({"FailureReason": "CapacityError: Unable to provision"}))
    outcome = run(define(), RUN, {**aws, "createTrainingJob": none})
    assert len(outcome.asked("createTrainingJob")) == 2
    assert (outcome.error, outcome.cause[:10]) == ("States.TaskFailed", "explained:")


def test_a_failed_script_is_not_tried_again(run, define, aws, fail):
    """An error of the script, even one whose log speaks of capacity, ends the run with one notification."""
    cause = json.dumps(
        {"FailureReason": "AlgorithmError: column 3", "HyperParameters": {"a": "CapacityError"}}
    )
    outcome = run(define(), RUN, {**aws, "createTrainingJob": fail("States.TaskFailed", cause)})
    assert len(outcome.asked("createTrainingJob")) == 1
    assert outcome.error == "States.TaskFailed"
    assert outcome.cause == f"explained: {cause}"
    assert outcome.actions[-2:] == ["invoke", "publish"]
    (asked,) = outcome.asked("invoke")
    assert asked["Payload"]["what"] == "job curve"
    assert asked["Payload"]["logStream"] == outcome.asked("createTrainingJob")[0]["TrainingJobName"] + "/"


def test_throttling_is_waited_out(run, define, aws, fail):
    """A call that AWS refuses for now is repeated after a pause."""
    refuse, accept = fail("ThrottlingException", "Rate exceeded"), aws["createTrainingJob"]
    answers = [refuse, refuse, accept]

    def answer(arguments):
        return answers.pop(0)(arguments)

    outcome = run(define(), RUN, {**aws, "createTrainingJob": answer})
    assert outcome.error is None
    assert outcome.waited > 0


def test_a_job_that_was_stopped_is_a_failure(run, define, aws, trained):
    """A job at its time limit ends as "Stopped", which Step Functions takes for success: the run fails."""
    stopped = trained(status="Stopped", SecondaryStatus="MaxRuntimeExceeded")
    outcome = run(define(), RUN, {**aws, "createTrainingJob": stopped})
    assert outcome.error == "Atelier.TrainingStopped"
    assert "MaxRuntimeExceeded" in outcome.cause


@pytest.mark.parametrize(("value", "passes"), [(189.9, True), (190.0, True), (190.1, False)])
def test_the_gate_decides_by_its_bound(run, define, aws, value, passes, trained):
    """A model exactly at the bound passes; one beyond is not registered, and the figures are told."""
    outcome = run(define(), RUN, {**aws, "createTrainingJob": trained(("validation:rmse", value))})
    assert bool(outcome.asked("createModelPackage")) is passes
    if not passes:
        assert outcome.error == "Atelier.GateNotPassed"
        assert "validation:rmse is 190.1, the gate asks for at most 190" in outcome.cause


def test_a_gate_can_ask_for_at_least(run, define, aws, spec, trained):
    """An accuracy has a lower bound."""
    gate = spec.jobs["curve"].gate.model_copy(update={"at_most": None, "at_least": 0.8})
    for value, error in ((0.9, None), (0.7, "Atelier.GateNotPassed")):
        answers = {**aws, "createTrainingJob": trained(("validation:rmse", value))}
        assert run(define(gate=gate), RUN, answers).error == error


@pytest.mark.parametrize("metrics", [[], [("train:rmse", 1.0)], [("a", 1.0), ("b", 2.0)]])
def test_a_gate_without_its_metric_fails_clearly(run, define, aws, metrics, trained):
    """A metric that the script did not print is no pass; the cause says what was reported instead."""
    outcome = run(define(), RUN, {**aws, "createTrainingJob": trained(*metrics)})
    assert outcome.error == "Atelier.MetricMissing"
    assert "validation:rmse" in outcome.cause
    assert all(name in outcome.cause for name, _ in metrics)


@pytest.mark.parametrize("metrics", [[], [("#validation_accuracy", 0.9)]])
def test_without_a_gate_every_model_is_registered(run, define, aws, metrics, trained):
    """No metric is needed then; a metric's name is cut to what the package's metadata may hold."""
    outcome = run(define(gate=None), RUN, {**aws, "createTrainingJob": trained(*metrics)})
    assert outcome.output["metrics"] == dict(metrics)
    (package,) = outcome.asked("createModelPackage")
    assert all(re.fullmatch(r"[\w.:/=+@ -]+", key) for key in package["CustomerMetadataProperties"])


def test_a_job_that_reports_no_list_of_metrics(run, define, aws, trained):
    """SageMaker leaves the list out when a job has no metrics."""

    def answer(arguments):
        description = trained()(arguments)
        del description["FinalMetricDataList"]
        return description

    assert run(define(gate=None), RUN, {**aws, "createTrainingJob": answer}).output["metrics"] == {}


def test_a_failure_is_told_even_without_its_explanation(run, define, aws, fail):
    """When the function that explains fails, the bare error is told and is the run's cause."""
    answers = {**aws, "createTrainingJob": fail("Boom", "why"), "invoke": fail("Lambda.Unknown", "down")}
    outcome = run(define(), RUN, answers)
    assert (outcome.error, outcome.cause) == ("Boom", "why")
    assert "why" in outcome.asked("publish")[0]["Message"]


def test_a_failed_notification_fails_nothing(run, define, aws, fail):
    """A run whose model is registered has succeeded, whoever could be told of it."""
    assert run(define(), RUN, {**aws, "publish": fail("SNS.Error")}).error is None


@pytest.mark.parametrize("action", ["copyObject", "createModelPackage"])
def test_every_failure_is_explained_and_told(run, define, aws, fail, action):
    """Wherever a run fails, it ends with an explanation and a notification."""
    outcome = run(define(), RUN, {**aws, action: fail("S3.AccessDenied", "denied")})
    assert (outcome.error, outcome.cause) == ("S3.AccessDenied", "explained: denied")
    assert outcome.actions[-2:] == ["invoke", "publish"]


def test_names_stay_within_sagemakers_limits(run, define, aws, spec):
    """With the longest names that a team file may have, a training job's name is at most 63 characters."""
    longest = spec.model_copy(update={"team": "t" * 15, "name": "e" * 14})
    job = "j" * 20
    props = TrainingWorkflowProps(
        spec=longest.model_copy(update={"jobs": {job: spec.jobs["curve"]}, "endpoints": {}}),
        job_name=job,
        code=SimpleNamespace(digest="c", inference_program="i", s3_bucket_name="b", s3_object_key="k"),
        declared={},
        data_bucket="d",
        artifacts_bucket="a",
        key_arn="k",
        execution_role_arn="arn:aws:iam::111122223333:role/r",
        explain_arn="e",
        topic_arn="t",
    )
    (asked,) = run(training_definition(props), RUN, aws).asked("createTrainingJob")
    assert len(asked["TrainingJobName"]) <= 63


def test_traffic_between_instances_is_encrypted(run, define, aws):
    """Instances encrypt what they tell each other; IAM asks it of every job, whatever their number."""
    for count in (1, 2):
        (job,) = run(define(instance_count=count), RUN, aws).asked("createTrainingJob")
        assert job["EnableInterContainerTrafficEncryption"] is True
