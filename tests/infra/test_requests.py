"""What the jobs' state machines ask of SageMaker, run as the templates have them: AWS would take it."""

from __future__ import annotations

import json
import re

import pytest

BUILT_IN = re.compile(r".*/(blazingtext|sagemaker-xgboost):[^/]+")
METRICS = {"validation:accuracy": 1, "test:accuracy": 1}
METRICS |= dict.fromkeys(("validation:rmse", "validation:logloss", "validation:loss"), 0.1)


def described(arguments):
    """A training job that has ended well, and passes every gate."""
    name = arguments["TrainingJobName"]
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:eu-west-1:111122223333:training-job/{name}",
        "TrainingJobStatus": "Completed",
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://artifacts/models/{name}/output/model.tar.gz"},
        "FinalMetricDataList": [{"MetricName": name, "Value": value} for name, value in METRICS.items()],
    }


def tuned(arguments):
    """A tuning job that has found something."""
    best = {"TrainingJobName": f"{arguments['HyperParameterTuningJobName']}-001-0123abcd"}
    return {"BestTrainingJob": {**best, "TunedHyperParameters": {"width": "8"}}}


AWS = {
    "copyObject": lambda _: {},
    "createProcessingJob": lambda _: {"ProcessingJobStatus": "Completed"},
    "createTrainingJob": described,
    "createHyperParameterTuningJob": tuned,
    "describeTrainingJob": described,
    "createModelPackage": lambda _: {
        "ModelPackageArn": "arn:aws:sagemaker:eu-west-1:111122223333:model-package/one/1"
    },
    "createModel": lambda _: {},
    "createTransformJob": lambda _: {},
    "deleteModel": lambda _: {},
    "publish": lambda _: {},
    "invoke": lambda asked: {"Payload": {**asked["Payload"], "text": "", "subject": "s", "message": "m"}},
}


@pytest.fixture(scope="module")
def runs(assembly, run):
    """A run of every job, by state machine; each request of it has been checked against the API's model."""
    found = {}
    for machine in assembly.resources("AWS::StepFunctions::StateMachine"):
        name = machine.properties["StateMachineName"]
        if "-train-" in name:
            definition = json.loads(assembly.definition(machine), object_hook=_placed)
            found[name] = run(definition, {}, AWS)
    return found


def _placed(value):
    """The same with a place in a network as AWS names it: those of the templates come with deployment."""
    if "VpcConfig" not in value:
        return value
    asked = value["VpcConfig"]
    ids = {"SecurityGroupIds": "sg-0123456789abcdef{}", "Subnets": "subnet-0123456789abcdef{}"}
    place = {
        key: [ids[key].format(number) for number, _ in enumerate(asked[key])] for key in asked.keys() & ids
    }
    return {**value, "VpcConfig": {**asked, **place}}


@pytest.fixture(scope="module")
def trainings(runs):
    """What is asked for each training by state machine; and the tuning job's config, if there is one."""
    alone = {name: (job, {}) for name, one in runs.items() for job in one.asked("createTrainingJob")}
    tuned = {
        name: (job["TrainingJobDefinition"], job["HyperParameterTuningJobConfig"])
        for name, one in runs.items()
        for job in one.asked("createHyperParameterTuningJob")
    }
    return alone | tuned


def test_sagemaker_takes_every_request_of_every_job(runs):
    """Members, types, patterns, lengths and values are as the API wants them, for every kind of job."""
    assert {name: one.cause for name, one in runs.items() if one.error} == {}
    asked = {action for one in runs.values() for action in one.actions}
    assert asked == AWS.keys() - {"invoke"}


def test_metrics_are_defined_where_the_image_has_none_of_its_own(trainings):
    """AWS refuses definitions for its own algorithms; elsewhere, tuning needs its objective defined."""
    built_in = set()
    for name, (job, config) in trainings.items():
        algorithm = job["AlgorithmSpecification"]
        if BUILT_IN.fullmatch(algorithm["TrainingImage"]) and "sagemaker_program" not in _static(job):
            built_in.add(name)
            assert "MetricDefinitions" not in algorithm, name
        elif config:
            defined = {one["Name"] for one in algorithm["MetricDefinitions"]}
            assert config["HyperParameterTuningJobObjective"]["MetricName"] in defined, name
    assert built_in == {
        "audio-dev-train-words",
        "audio-prod-train-words",
        "language-dev-train-sentiment-xgboost",
        "language-dev-train-topics-blazingtext",
    }


def test_what_is_tuned_has_no_value_beside(trainings):
    """SageMaker refuses a hyperparameter that is both given and searched."""
    searched = {}
    for name, (job, config) in trainings.items():
        kinds = config.get("ParameterRanges", {}).values()
        searched[name] = {one["Name"] for ranges in kinds for one in ranges}
        assert not searched[name] & _static(job).keys(), name
    assert searched["lab-dev-train-iris-tuned"] == {"learning_rate", "units"}


def test_spare_capacity_is_waited_for_at_least_as_long_as_a_run_may_take(trainings):
    """SageMaker refuses a wait shorter than the run; one that is interrupted needs its checkpoints."""
    spot = {name: job for name, (job, _) in trainings.items() if job.get("EnableManagedSpotTraining")}
    assert "lab-dev-train-images-pytorch" in spot
    for name, job in spot.items():
        stopping = job["StoppingCondition"]
        assert stopping["MaxWaitTimeInSeconds"] >= stopping["MaxRuntimeInSeconds"], name
        assert "CheckpointConfig" in job, name


def test_a_batch_comes_and_goes_in_one_format(runs):
    """SageMaker joins what it has split by the same rule; the model that predicts is there, and goes."""
    batches = [(one, job) for one in runs.values() for job in one.asked("createTransformJob")]
    assert batches
    for one, job in batches:
        assert job["TransformOutput"]["AssembleWith"] == job["TransformInput"]["SplitType"]
        [model], [gone] = one.asked("createModel"), one.asked("deleteModel")
        assert model["ModelName"] == job["ModelName"] == gone["ModelName"]


def _static(job):
    """The hyperparameters of a training, or those that all trainings of a tuning job have."""
    return job.get("HyperParameters", job.get("StaticHyperParameters", {}))
