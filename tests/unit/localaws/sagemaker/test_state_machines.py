"""Jobs that a state machine starts and waits for (`.sync`)."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def execute(lab):
    """Run a machine of one `sagemaker:<action>.sync` task; the description of its execution."""
    states = lab.client("stepfunctions")

    def start(action, arguments):
        task = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::sagemaker:{action}.sync",
            "Arguments": arguments,
            "End": True,
        }
        machine = states.create_state_machine(
            name=f"{action}-{lab.bucket}",
            definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": "Job", "States": {"Job": task}}),
            roleArn=lab.role,
        )
        return states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    def ended(execution):
        return lab.until(
            lambda: states.describe_execution(executionArn=execution),
            lambda found: found["status"] != "RUNNING",
        )

    def run(action, arguments):
        return ended(start(action, arguments))

    run.start, run.ended, run.states = start, ended, states
    return run


def test_a_processing_job_is_waited_for(desk, execute):
    """The result is the job's description."""
    found = execute("createProcessingJob", desk.request("waited", "print('done')"))
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"])["ProcessingJobStatus"] == "Completed"


def test_a_processing_job_that_fails_fails_the_task(desk, execute):
    """With the description as the cause."""
    found = execute("createProcessingJob", desk.request("waited-in-vain", "raise SystemExit(3)"))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(found["cause"])["FailureReason"].startswith("AlgorithmError")


def test_a_stopped_execution_stops_its_job(lab, desk, execute):
    """Nobody waits for it any more."""
    execution = execute.start("createProcessingJob", desk.request("stopped", "import time; time.sleep(600)"))
    lab.until(
        lambda: lab.sagemaker.list_processing_jobs(NameContains="stopped")["ProcessingJobSummaries"], bool
    )
    execute.states.stop_execution(executionArn=execution)
    assert desk.ended("stopped")["ProcessingJobStatus"] == "Stopped"


def test_a_transform_job_is_waited_for(lab, execute):
    """Its outputs are there when the task is done."""
    lab.put("in/a", "x")
    lab.model("echo", "def model_fn(folder): return 1\ndef transform_fn(model, *_): return 'y', 'text/csv'\n")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/in/"}
    arguments = {
        "TransformJobName": "waited",
        "ModelName": "echo",
        "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": f"s3://{lab.bucket}/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    found = execute("createTransformJob", arguments)
    assert found["status"] == "SUCCEEDED", found
    assert lab.s3.get_object(Bucket=lab.bucket, Key="out/a.out")["Body"].read() == b"y"


def test_a_tuning_job_is_waited_for(bench, execute):
    """The best training job is in the result."""
    request = bench.request("waited", limits={"MaxNumberOfTrainingJobs": 2})
    found = execute("createHyperParameterTuningJob", request)
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"])["BestTrainingJob"]["TrainingJobStatus"] == "Completed"
