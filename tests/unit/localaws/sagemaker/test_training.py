"""Training jobs: what runs, what comes of it, what is refused."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

HELLO = """
import argparse, json, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
options = parser.parse_args()
files = {str(p.relative_to(options.train)): p.read_text() for p in pathlib.Path(options.train).rglob("*.csv")}
for epoch in range(options.epochs):
    print(f"loss={1 / (epoch + 1):.2f};")
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
(model / "model.json").write_text(json.dumps(files))
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "history.txt").write_text("done")
print("name", os.environ["TRAINING_JOB_NAME"], os.environ["COLOUR"])
"""
LOSS = {"Name": "loss", "Regex": "loss=([0-9.]+);"}


def refusal(call, **params):
    """The code and message of the error that a call answers."""
    with pytest.raises(ClientError) as error:
        call(**params)
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]


def test_a_script_trains_and_its_model_reaches_s3(lab):
    """Channels, arguments, environment in; model, output, metrics, log and history of statuses out."""
    lab.put("train/a.csv", "1,2")
    lab.put("train/deep/b.csv", "3,4")
    key = lab.client("kms").create_key()["KeyMetadata"]["Arn"]
    job = lab.train(
        "hello",
        HELLO,
        OutputDataConfig={"S3OutputPath": f"s3://{lab.bucket}/out/", "KmsKeyId": key},
        hyperparameters={"epochs": "3"},
        channels=["train"],
        metrics=[LOSS],
        Environment={"COLOUR": "blue"},
    )
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed", job
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{lab.bucket}/out/hello/output/model.tar.gz"
    stored = lab.s3.head_object(Bucket=lab.bucket, Key="out/hello/output/model.tar.gz")
    assert stored["SSEKMSKeyId"] == key
    files = json.loads(lab.opened(job["ModelArtifacts"]["S3ModelArtifacts"])["model.json"])
    assert files == {"a.csv": "1,2", "deep/b.csv": "3,4"}
    assert lab.opened(f"s3://{lab.bucket}/out/hello/output/output.tar.gz") == {"history.txt": "done"}
    (metric,) = job["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("loss", pytest.approx(0.33))
    steps = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["BillableTimeInSeconds"] >= 1
    log = lab.job_log("hello")
    assert sum("the image sagemaker-scikit-learn:1.9-0 is stood in for by" in line for line in log) == 1
    assert any("/opt/ml" in line for line in log)
    assert "name hello blue" in log


def test_opt_ml_is_the_jobs_own_where_the_log_says_so(lab):
    """A script may write to /opt/ml literally when the first line of its log says that it is mounted."""
    script = """
import os, pathlib
literal = pathlib.Path("/opt/ml/model")
place = literal if os.environ["SM_MODEL_DIR"] == str(literal) else pathlib.Path(os.environ["SM_MODEL_DIR"])
(place / "here").write_text("x")
"""
    job = lab.train("literal", script)
    assert lab.opened(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"here": "x"}
    log = "\n".join(lab.job_log("literal"))
    mounted = "private mount namespace" in log
    assert mounted or "use the SM_* variables" in log


def test_a_failing_script_says_why(lab):
    """FailureReason holds the exception, the exit code as the toolkit gives it, and the command."""
    job = lab.train("fails", "raise ValueError('column x, line 3: not a number')")
    assert job["TrainingJobStatus"] == "Failed"
    reason = job["FailureReason"]
    assert reason.startswith("AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage ")
    assert "ValueError: column x, line 3: not a number" in reason
    assert "train.py" in reason
    assert reason.endswith(", exit code: 1")
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]][-2:] == ["Training", "Failed"]


def test_a_long_reason_keeps_1024_characters_and_the_exit_code(lab):
    """As AWS cuts it."""
    job = lab.train("long", "import sys; sys.exit('UserError: ' + 'x' * 5000)")
    assert len(job["FailureReason"]) == 1024
    assert "UserError: xxx" in job["FailureReason"]
    assert job["FailureReason"].endswith("exit code: 1")


def test_a_killed_script_looks_like_one_out_of_memory(lab):
    """SIGKILL from outside is told apart from an exit code."""
    job = lab.train("killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert "OutOfMemory: Process killed by SIGKILL" in job["FailureReason"]


def test_a_job_is_stopped_and_keeps_what_it_wrote(lab):
    """SIGTERM reaches the script, whose model is still uploaded."""
    script = """
import os, pathlib, signal, sys, time
def end(*_):
    pathlib.Path(os.environ["SM_MODEL_DIR"], "saved").write_text("on stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""
    lab.start("stopped", script)
    _wait_for(lambda: "ready" in _log(lab, "stopped"))
    lab.sagemaker.stop_training_job(TrainingJobName="stopped")
    job = lab.job("stopped")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert lab.opened(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"saved": "on stop"}
    code, message = refusal(lab.sagemaker.stop_training_job, TrainingJobName="stopped")
    assert (code, message.split(" because ")[1]) == (
        "ValidationException",
        "the training job is in status Stopped.",
    )


def test_max_runtime_ends_a_job(lab):
    """The job is Stopped with MaxRuntimeExceeded, not Failed."""
    job = lab.train("slow", "import time; time.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_checkpoints_go_both_ways(lab):
    """What lies in S3 is there at the start; what the script writes is there afterwards."""
    lab.put("checkpoints/step", "7")
    script = """
import pathlib, os
folder = pathlib.Path(os.environ["SM_MODEL_DIR"]).parent / "checkpoints"
(folder / "deep").mkdir()
(folder / "deep" / "step").write_text(str(int((folder / "step").read_text()) + 1))
"""
    config = {"S3Uri": f"s3://{lab.bucket}/checkpoints", "LocalPath": "/opt/ml/checkpoints"}
    job = lab.train("resumes", script, CheckpointConfig=config)
    assert job["TrainingJobStatus"] == "Completed", job
    assert lab.s3.get_object(Bucket=lab.bucket, Key="checkpoints/deep/step")["Body"].read() == b"8"


def test_a_manifest_names_the_files_of_a_channel(lab):
    """Only what it lists is downloaded."""
    lab.put("data/a.csv", "a")
    lab.put("data/b.csv", "b")
    manifest = lab.put("manifest.json", json.dumps([{"prefix": f"s3://{lab.bucket}/data/"}, "b.csv"]))
    source = {"S3DataType": "ManifestFile", "S3Uri": manifest}
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
    script = "import os; print(sorted(os.listdir(os.environ['SM_CHANNEL_TRAIN'])))"
    job = lab.train("manifest", script, InputDataConfig=[channel])
    assert job["TrainingJobStatus"] == "Completed", job
    assert "['b.csv']" in lab.job_log("manifest")


def test_a_missing_archive_of_code_fails_the_job(lab):
    """The reason names the object."""
    request = lab.request("nocode", "")
    request["HyperParameters"]["sagemaker_submit_directory"] = f'"s3://{lab.bucket}/none.tar.gz"'
    lab.sagemaker.create_training_job(**request)
    assert f"s3://{lab.bucket}/none.tar.gz: NoSuchKey" in lab.job("nocode")["FailureReason"]


def test_a_name_is_taken_until_its_job_is_deleted(lab):
    """A second job of that name is refused as ResourceInUse; an ended one can be deleted."""
    lab.train("once", "")
    code, message = refusal(lab.sagemaker.create_training_job, **lab.request("once", ""))
    assert code == "ResourceInUse"
    assert "must be unique within an AWS account and region" in message
    lab.sagemaker.delete_training_job(TrainingJobName="once")
    assert refusal(lab.sagemaker.describe_training_job, TrainingJobName="once") == (
        "ValidationException",
        "Requested resource not found.",
    )


MLFLOW = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-ABC"
SPOT = {"EnableManagedSpotTraining": True}


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"TrainingJobName": "under_score"}, "ValidationException", "at 'trainingJobName' failed to satisfy"),
        ({"RoleArn": "arn:aws:iam::{account}:role/none"}, "ValidationException", "Could not assume role"),
        ({"RoleArn": "arn:aws:iam::999999999999:role/x"}, "ValidationException", "Cross-account pass role"),
        (
            {"ResourceConfig": {"InstanceType": "ml.x9.huge", "InstanceCount": 1, "VolumeSizeInGB": 5}},
            "ValidationException",
            "Member must satisfy enum value set",
        ),
        (
            {
                "ResourceConfig": {
                    "InstanceType": "ml.g5.xlarge",
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 5,
                    "VolumeKmsKeyId": "alias/x",
                }
            },
            "ValidationException",
            "VolumeKmsKeyId is not supported",
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 2_419_201}}, "ValidationException", "2419200"),
        (
            {**SPOT, "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 30}},
            "ValidationException",
            "greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}},
            "ValidationException",
            "MaxWaitTimeInSeconds",
        ),
        (
            {
                "MlflowConfig": {
                    "MlflowResourceArn": "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-ABC"
                }
            },
            "NotEmulated",
            "MlflowConfig",
        ),
        ({"Tags": [{"Key": "a", "Value": "1"}] * 2}, "ValidationException", "Duplicate tag keys"),
        ({"HyperParameters": {"a": "x" * 2501}}, "ValidationException", "length less than or equal to 2500"),
    ],
)
def test_a_bad_request_is_refused_at_once(lab, changes, code, message):
    """AWS's rules are applied before anything runs; what is not emulated is named."""
    changes = json.loads(json.dumps(changes).replace("{account}", lab.account))
    got, text = refusal(lab.sagemaker.create_training_job, **{**lab.request("bad", ""), **changes})
    assert got == code
    assert message in text


@pytest.mark.parametrize(
    ("algorithm", "code", "message"),
    [
        ({"TrainingImage": "1.dkr.ecr.eu-west-1.amazonaws.com/linear-learner:1"}, "NotEmulated", "linear"),
        ({"MetricDefinitions": [{"Name": "m", "Regex": "("}]}, "ValidationException", "is not valid"),
        ({"MetricDefinitions": [{"Name": "m", "Regex": "m=1"}]}, "ValidationException", "no group"),
    ],
)
def test_a_bad_algorithm_is_refused_at_once(lab, algorithm, code, message):
    """Images, input modes and metric definitions are checked when the job is created."""
    lab.put("train/a.csv", "1")
    request = lab.request("bad", "", channels=["train"])
    request["AlgorithmSpecification"] |= algorithm
    got, text = refusal(lab.sagemaker.create_training_job, **request)
    assert got == code
    assert message in text


def test_a_channel_without_objects_is_refused_in_awss_words(lab):
    """Prefix, region, role and bucket are named."""
    _, message = refusal(lab.sagemaker.create_training_job, **lab.request("empty", "", channels=["nothing"]))
    assert f'No S3 objects found under S3 URL "s3://{lab.bucket}/nothing/"' in message
    assert lab.role in message


def test_jobs_are_listed_with_filters_order_and_pages(lab):
    """Newest first by default; by name, by status, page by page when asked."""
    for name in ("b-list-1", "a-list-2", "b-list-3"):
        lab.train(name, "" if name != "a-list-2" else "raise SystemExit(1)")
    names = _names(lab.sagemaker.list_training_jobs(NameContains="LIST"))
    assert names == ["b-list-3", "a-list-2", "b-list-1"]
    by_name = {"NameContains": "b-list", "SortBy": "Name", "SortOrder": "Ascending"}
    assert _names(lab.sagemaker.list_training_jobs(**by_name)) == ["b-list-1", "b-list-3"]
    failed = lab.sagemaker.list_training_jobs(NameContains="list", StatusEquals="Failed")
    assert _names(failed) == ["a-list-2"]
    second = lab.sagemaker.describe_training_job(TrainingJobName="a-list-2")["CreationTime"]
    later = lab.sagemaker.list_training_jobs(NameContains="list", CreationTimeAfter=second)
    assert _names(later) == names[:2]
    pages = lab.sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains="list", PaginationConfig={"PageSize": 2}
    )
    assert [name for page in pages for name in _names(page)] == names


def test_a_finished_job_leaves_no_folder_and_no_process(lab):
    """Data and code are gone from the data folder, whatever the script left running is ended."""
    script = """
import subprocess
print("pid", subprocess.Popen(["sleep", "60"], start_new_session=True).pid)
"""
    lab.train("tidy", script)
    (line,) = [line for line in lab.job_log("tidy") if line.startswith("pid")]
    _wait_for(lambda: not _alive(int(line.split()[1])))
    assert not list((lab.server.world.data / "sagemaker" / "training").glob("*/tidy"))


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as status:  # noqa: PTH123 -- a file of the kernel
            return status.read().split()[2] != "Z"
    except OSError:
        return False


def _names(page):
    return [job["TrainingJobName"] for job in page["TrainingJobSummaries"]]


def _log(lab, name):
    try:
        return lab.job_log(name)
    except ClientError:
        return []


def _wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
