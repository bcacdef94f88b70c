"""The steps that a job may have besides training, really run: what each asks of AWS, and how it fails."""

from __future__ import annotations

import json

import pytest

from atelier.spec.hyperparameters import Declaration
from atelier.spec.jobs import Channel, Objective, Prepare, Range, Spot, Transform, Tuning
from atelier.spec.sources import Algorithm, FineTuning, Framework, JumpStart, OwnImage

PREPARED = {
    "prepare": Prepare(
        arguments={"keep": 0.2, "lower": True, "mark": "x"}, inputs={"topics": "topics/data/"}
    ),
    "channels": {"train": Channel(), "validation": Channel(prefix="curve/validation/")},
}
TUNING = Tuning(
    objective=Objective(metric="validation:rmse", goal="minimize"),
    ranges={
        "units": Range(min=5, max=50),
        "rate": Range(min=0.001, max=0.1, scale="logarithmic"),
        "solver": ["adam", "lbfgs"],
    },
    max_jobs=6,
    parallel=3,
)
NO_SCRIPT = {"script": None, "framework": None}


@pytest.fixture
def aws(aws, trained):
    """An AWS that has everything, and in which tuning finds a best training job."""

    def tuned(arguments):
        name = f"{arguments['HyperParameterTuningJobName']}-002-abcdef"
        best = {"TrainingJobName": name, "TunedHyperParameters": {"units": "20"}}
        return {"HyperParameterTuningJobStatus": "Completed", "BestTrainingJob": best}

    return {
        **aws,
        "createProcessingJob": lambda _: {"ProcessingJobStatus": "Completed"},
        "createHyperParameterTuningJob": tuned,
        "describeTrainingJob": trained(("validation:rmse", 149.0)),
        "createModel": lambda _: {"ModelArn": "arn:model"},
        "createTransformJob": lambda _: {"TransformJobStatus": "Completed"},
        "deleteModel": lambda _: {},
    }


def channels(job):
    """The S3 place of each of a training job's channels."""
    return {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in job["InputDataConfig"]}


def test_a_preparation_runs_before_the_training(run, define, aws):
    """It reads the uploaded inputs and its code; the training reads what it wrote in this very run."""
    outcome = run(define(**PREPARED), {}, aws)
    assert outcome.actions[:3] == ["copyObject", "createProcessingJob", "createTrainingJob"]
    [processing] = outcome.asked("createProcessingJob")
    inputs = {one["InputName"]: one["S3Input"] for one in processing["ProcessingInputs"]}
    assert inputs["code"]["S3Uri"] == "s3://artifacts/code/curve/c0de/"
    assert inputs["topics"]["S3Uri"] == "s3://data/topics/data/"
    assert inputs["topics"]["LocalPath"] == "/opt/ml/processing/input/topics"
    [output] = processing["ProcessingOutputConfig"]["Outputs"]
    [job] = outcome.asked("createTrainingJob")
    assert channels(job) == {
        "train": output["S3Output"]["S3Uri"],
        "validation": "s3://data/curve/validation/",
    }
    assert output["S3Output"]["S3Uri"].startswith("s3://artifacts/prepared/curve/vision-dev-curve-")
    assert output["S3Output"]["LocalPath"] == "/opt/ml/processing/output/train"


def test_a_preparation_gets_its_arguments_and_packages(run, define, aws):
    """Arguments as on a command line; SageMaker takes 256 characters of each word."""
    [processing] = run(define(**PREPARED), {}, aws).asked("createProcessingJob")
    app = processing["AppSpecification"]
    assert app["ContainerArguments"] == ["--keep", "0.2", "--lower", "true", "--mark", "x"]
    assert all(len(word) <= 256 for word in app["ContainerEntrypoint"])
    command = app["ContainerEntrypoint"][2]
    assert "requirements-prepare.txt" in command
    assert command.endswith('exec python3 -X faulthandler prepare.py "$@"')
    assert processing["NetworkConfig"]["EnableInterContainerTrafficEncryption"] is True
    assert (
        processing["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"]
        == processing["ProcessingOutputConfig"]["KmsKeyId"]
        == "arn:key"
    )


def test_a_failed_preparation_ends_the_run_with_its_log(run, define, aws, fail):
    """Nothing is trained; the log that is looked at is the processing job's."""
    cause = json.dumps({"FailureReason": "AlgorithmError: , exit code: 10", "ExitMessage": "line 3"})
    outcome = run(define(**PREPARED), {}, {**aws, "createProcessingJob": fail("States.TaskFailed", cause)})
    assert outcome.error == "States.TaskFailed"
    assert not outcome.asked("createTrainingJob")
    [asked] = outcome.asked("invoke")
    [processing] = outcome.asked("createProcessingJob")
    assert asked["Payload"]["logGroup"] == "/aws/sagemaker/ProcessingJobs"
    assert asked["Payload"]["logStream"] == f"{processing['ProcessingJobName']}/"


def test_a_stopped_preparation_is_a_failure(run, define, aws):
    """One at its time limit has written nothing to train on."""
    outcome = run(
        define(**PREPARED), {}, {**aws, "createProcessingJob": lambda _: {"ProcessingJobStatus": "Stopped"}}
    )
    assert outcome.error == "Atelier.PreparationStopped"


def test_channels_are_read_as_asked(run, define, aws):
    """Mode and content type of each; File is what the job says for all."""
    changed = {"train": Channel(prefix="a/", mode="FastFile", content_type="text/csv")}
    [job] = run(define(channels=changed), {}, aws).asked("createTrainingJob")
    [channel] = job["InputDataConfig"]
    assert (channel["InputMode"], channel["ContentType"]) == ("FastFile", "text/csv")
    assert job["AlgorithmSpecification"]["TrainingInputMode"] == "File"


def test_spot_waits_and_keeps_checkpoints(run, define, aws):
    """Spare capacity, a longest wait, and a place for checkpoints that all attempts of a run share."""
    changed = {"spot": Spot(max_wait_minutes=90), "checkpoints": True, "max_runtime_minutes": 60}
    [job] = run(define(**changed), {}, aws).asked("createTrainingJob")
    assert job["EnableManagedSpotTraining"] is True
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 5400}
    stem = job["TrainingJobName"].rpartition("-")[0]
    assert job["CheckpointConfig"] == {
        "S3Uri": f"s3://artifacts/checkpoints/curve/{stem}/",
        "LocalPath": "/opt/ml/checkpoints",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"distribution": "torchrun", "framework": Framework(name="pytorch")},
            {
                "sagemaker_torch_distributed_enabled": "true",
                "sagemaker_instance_type": '"ml.g5.12xlarge"',
            },
        ),
        (
            {"distribution": "mpi", "framework": Framework(name="pytorch")},
            {"sagemaker_mpi_enabled": "true", "sagemaker_mpi_num_of_processes_per_host": "4"},
        ),
        (
            {"distribution": "parameter_server", "framework": Framework(name="tensorflow")},
            {"sagemaker_parameter_server_enabled": "true"},
        ),
    ],
)
def test_a_distributed_script_is_started_as_awss_toolkit_reads_it(run, define, aws, changes, expected):
    """By hyperparameters of SageMaker's own, for the instance type of the attempt."""
    [job] = run(define(instances=["ml.g5.12xlarge"], instance_count=2, **changes), {}, aws).asked(
        "createTrainingJob"
    )
    found = {
        name: value
        for name, value in job["HyperParameters"].items()
        if name.startswith("sagemaker_") and name not in {"sagemaker_program", "sagemaker_submit_directory"}
    }
    assert found == expected


def test_tuning_takes_the_best_training_for_the_runs_model(run, define, aws):
    """Its metrics pass the gate, its model is registered, and what was found is in the run's output."""
    declared = {"units": Declaration(type="number", tunable=True)}
    outcome = run(define(tuning=TUNING, declared=declared), {}, aws)
    assert outcome.error is None
    [tuning] = outcome.asked("createHyperParameterTuningJob")
    assert len(tuning["HyperParameterTuningJobName"]) <= 32
    config = tuning["HyperParameterTuningJobConfig"]
    assert config["Strategy"] == "Bayesian"
    assert config["ResourceLimits"] == {"MaxParallelTrainingJobs": 3, "MaxNumberOfTrainingJobs": 6}
    assert config["HyperParameterTuningJobObjective"] == {
        "Type": "Minimize",
        "MetricName": "validation:rmse",
    }
    ranges = config["ParameterRanges"]
    assert ranges["CategoricalParameterRanges"] == [{"Name": "solver", "Values": ['"adam"', '"lbfgs"']}]
    assert ranges["IntegerParameterRanges"] == []
    assert ranges["ContinuousParameterRanges"] == [
        {"Name": "rate", "MinValue": "0.001", "MaxValue": "0.1", "ScalingType": "Logarithmic"},
        {"Name": "units", "MinValue": "5", "MaxValue": "50", "ScalingType": "Auto"},
    ]
    best = f"{tuning['HyperParameterTuningJobName']}-002-abcdef"
    assert outcome.asked("describeTrainingJob") == [{"TrainingJobName": best}]
    assert outcome.output["trainingJob"] == best
    assert outcome.output["tuned"] == {"units": "20"}
    assert outcome.output["metrics"] == {"validation:rmse": 149.0}


def test_tuning_without_a_best_fails_clearly(run, define, aws):
    """When no training reported the objective, the run says so."""
    nothing = {**aws, "createHyperParameterTuningJob": lambda _: {}}
    outcome = run(define(tuning=TUNING), {}, nothing)
    assert outcome.error == "Atelier.NothingTuned"
    assert "validation:rmse" in outcome.cause


def test_tuning_tries_the_next_instance_type_too(run, define, aws, fail):
    """Missing capacity is what it is for one training job."""
    refuse = fail("States.TaskFailed", json.dumps({"FailureReason": "CapacityError: none"}))
    answers = [refuse, aws["createHyperParameterTuningJob"]]

    def answer(asked):
        return answers.pop(0)(asked)

    outcome = run(define(tuning=TUNING), {}, {**aws, "createHyperParameterTuningJob": answer})
    assert outcome.error is None
    assert len(outcome.asked("createHyperParameterTuningJob")) == 2


@pytest.mark.parametrize("strategy", ["grid", "random", "hyperband"])
def test_a_grid_has_as_many_trainings_as_combinations(run, define, aws, strategy):
    """Their number is SageMaker's to count; every other strategy is told."""
    changed = TUNING.model_copy(update={"strategy": strategy, "ranges": {"solver": ["adam"]}})
    [tuning] = run(define(tuning=changed), {}, aws).asked("createHyperParameterTuningJob")
    limits = tuning["HyperParameterTuningJobConfig"]["ResourceLimits"]
    assert ("MaxNumberOfTrainingJobs" in limits) is (strategy != "grid")


BATCH = Transform(input="curve/batch/", accept="text/csv", join=True)


@pytest.mark.parametrize("approval", ["automatic", "manual"])
def test_a_transform_predicts_with_the_new_model(run, define, aws, approval):
    """Even with one that waits for approval; its output is in the run's, and the model made for it goes."""
    outcome = run(define(transform=BATCH, approval=approval), {}, aws)
    assert outcome.actions[-5:] == [
        "createModelPackage",
        "createModel",
        "createTransformJob",
        "deleteModel",
        "publish",
    ]
    [model], [batch] = outcome.asked("createModel"), outcome.asked("createTransformJob")
    [package] = outcome.asked("createModelPackage")
    assert model["PrimaryContainer"] == package["InferenceSpecification"]["Containers"][0]
    assert batch["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://data/" + (
        BATCH.input or ""
    )
    assert batch["TransformOutput"] == {
        "S3OutputPath": "s3://artifacts/transformed/curve/run-1/",
        "Accept": "text/csv",
        "AssembleWith": "Line",
        "KmsKeyId": "arn:key",
    }
    assert batch["DataProcessing"] == {"JoinSource": "Input"}
    assert outcome.output["transform"] == "s3://artifacts/transformed/curve/run-1/"


def test_a_transform_may_read_what_the_preparation_wrote(run, define, aws):
    """An output of its own, beside the channels."""
    transform = Transform(prepared="test", split="None")
    outcome = run(define(**PREPARED, transform=transform), {}, aws)
    [processing], [batch] = outcome.asked("createProcessingJob"), outcome.asked("createTransformJob")
    outputs = {
        one["OutputName"]: one["S3Output"]["S3Uri"] for one in processing["ProcessingOutputConfig"]["Outputs"]
    }
    assert batch["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == outputs["test"]
    assert (batch["BatchStrategy"], batch["TransformOutput"]["AssembleWith"]) == ("SingleRecord", "None")


def test_a_failed_transform_leaves_no_model(run, define, aws, fail):
    """The run fails with the reason, and what was made for it is removed."""
    outcome = run(define(transform=BATCH), {}, {**aws, "createTransformJob": fail("Boom", "why")})
    assert (outcome.error, outcome.cause) == ("Boom", "explained: why")
    assert outcome.asked("deleteModel") == [{"ModelName": outcome.asked("createModel")[0]["ModelName"]}]
    assert outcome.asked("invoke")[0]["Payload"]["logGroup"] == "/aws/sagemaker/TransformJobs"


def test_a_built_in_algorithm_gets_text_and_no_metric_definitions(run, define, aws):
    """SageMaker refuses definitions for its own algorithms; its containers read text, not JSON."""
    changed = {
        **NO_SCRIPT,
        "algorithm": Algorithm(name="blazingtext", version="1"),
        "hyperparameters": {"mode": "supervised", "epochs": 20, "early_stopping": True},
        "metrics": {"validation:rmse": ""},
    }
    outcome = run(define(**changed), {}, aws)
    assert outcome.error is None
    assert "copyObject" not in outcome.actions
    [job] = outcome.asked("createTrainingJob")
    assert job["HyperParameters"] == {"mode": "supervised", "epochs": "20", "early_stopping": "True"}
    assert "MetricDefinitions" not in job["AlgorithmSpecification"]
    assert job["AlgorithmSpecification"]["TrainingImage"].endswith("/blazingtext:1")
    [package] = outcome.asked("createModelPackage")
    [container] = package["InferenceSpecification"]["Containers"]
    assert container["Image"].endswith("/blazingtext:1")
    assert "SAGEMAKER_PROGRAM" not in container["Environment"]
    assert package["InferenceSpecification"]["SupportedContentTypes"] == [
        "application/json",
        "application/jsonlines",
    ]


@pytest.mark.parametrize(
    ("image", "address"),
    [
        (OwnImage(name="iris", tag="1.4.0"), "/vision-dev/iris:1.4.0"),
        (OwnImage(name="iris", digest=f"sha256:{'0' * 64}"), f"/vision-dev/iris@sha256:{'0' * 64}"),
    ],
)
def test_an_own_image_trains_and_serves(run, define, aws, image, address):
    """From the team's registry, by tag or digest; the package says which."""
    outcome = run(define(**NO_SCRIPT, image=image), {}, aws)
    [job], [package] = outcome.asked("createTrainingJob"), outcome.asked("createModelPackage")
    full = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com{address}"
    assert job["AlgorithmSpecification"]["TrainingImage"] == full
    assert job["HyperParameters"] == {"units": "10", "solver": "lbfgs"}
    assert package["InferenceSpecification"]["Containers"][0]["Image"] == full
    assert package["CustomerMetadataProperties"]["image"] == full


@pytest.mark.parametrize(
    ("framework", "place"),
    [
        ("sklearn", "s3://artifacts/code/curve/c0de/sourcedir.tar.gz"),
        ("pytorch", "/opt/ml/model/code"),
        ("tensorflow", "/opt/ml/model/code"),
    ],
)
def test_code_for_serving_lies_where_the_container_looks_for_it(run, define, aws, framework, place):
    """Some containers fetch it, others find it in the model's archive."""
    outcome = run(define(framework=Framework(name=framework)), {}, aws)
    [container] = outcome.asked("createModelPackage")[0]["InferenceSpecification"]["Containers"]
    assert container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"] == place


JUMPSTART = JumpStart(
    model="some-model",
    version="1.0.0",
    framework=Framework(name="pytorch"),
    artifact="s3://jumpstart/infer.tar.gz",
    accept_licence=True,
    hub="ours",
)


def test_a_pretrained_model_is_registered_as_it_is(run, define, aws):
    """With its licence accepted, and the private hub's reference that gives access to it."""
    outcome = run(define(**NO_SCRIPT, jumpstart=JUMPSTART, channels={}, gate=None), {}, aws)
    assert outcome.actions == ["createModelPackage", "publish"]
    [package] = outcome.asked("createModelPackage")
    [container] = package["InferenceSpecification"]["Containers"]
    source = container["ModelDataSource"]["S3DataSource"]
    assert source["S3Uri"] == "s3://jumpstart/infer.tar.gz"
    assert source["ModelAccessConfig"] == {"AcceptEula": True}
    assert source["HubAccessConfig"]["HubContentArn"].endswith(
        ":hub-content/ours/ModelReference/some-model/1.0.0"
    )
    assert outcome.output["metrics"] == {}
    assert package["CustomerMetadataProperties"]["jumpstart"] == "some-model 1.0.0"


def test_a_pretrained_model_is_fine_tuned(run, define, aws):
    """On the job's channels, from the model as its training takes it, by the script that comes with it."""
    training = FineTuning(artifact="s3://jumpstart/train.tar.gz", script="s3://jumpstart/code.tar.gz")
    jumpstart = JUMPSTART.model_copy(update={"training": training})
    outcome = run(define(**NO_SCRIPT, jumpstart=jumpstart), {}, aws)
    [job] = outcome.asked("createTrainingJob")
    assert channels(job)["model"] == "s3://jumpstart/train.tar.gz"
    [model] = [one for one in job["InputDataConfig"] if one["ChannelName"] == "model"]
    source = model["DataSource"]["S3DataSource"]
    assert source["ModelAccessConfig"] == {"AcceptEula": True}
    assert source["HubAccessConfig"]["HubContentArn"].endswith("/ours/ModelReference/some-model/1.0.0")
    assert job["HyperParameters"]["sagemaker_program"] == '"transfer_learning.py"'
    assert job["HyperParameters"]["sagemaker_submit_directory"] == '"s3://jumpstart/code.tar.gz"'
    [container] = outcome.asked("createModelPackage")[0]["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"].endswith("model.tar.gz")


def test_a_run_says_which_experiment_it_belongs_to(run, define, aws):
    """The request's, else the job's, else none; as a tag, in the package and in the output."""
    for given, own, expected in (
        ({"experiment": "asked"}, "own", "asked"),
        ({}, "own", "own"),
        ({}, None, "unassigned"),
    ):
        outcome = run(define(experiment=own), given, aws)
        [job] = outcome.asked("createTrainingJob")
        assert {"Key": "experiment", "Value": expected} in job["Tags"]
        [package] = outcome.asked("createModelPackage")
        assert package["CustomerMetadataProperties"]["experiment"] == expected
        assert outcome.output["experiment"] == expected


def test_isolated_containers_have_no_network(run, define, aws):
    """Where the guardrails ask for it, jobs and the batch's model do."""
    changed = {**NO_SCRIPT, "image": OwnImage(name="iris"), "transform": BATCH}
    outcome = run(define(isolated=True, **changed), {}, aws)
    for action in ("createTrainingJob", "createModel"):
        assert outcome.asked(action)[0]["EnableNetworkIsolation"] is True
