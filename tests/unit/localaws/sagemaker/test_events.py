"""What EventBridge is told."""

from __future__ import annotations

import json
import time

import pytest


@pytest.fixture
def heard(lab):
    """The events of SageMaker with a given resource, once there are so many."""
    sqs, events = lab.client("sqs"), lab.client("events")
    url = sqs.create_queue(QueueName=lab.bucket)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ]
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events.put_rule(Name=lab.bucket, EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    events.put_targets(Rule=lab.bucket, Targets=[{"Id": "queue", "Arn": arn}])
    found = []

    def hear(resource, count):
        deadline = time.monotonic() + 20
        while True:
            about = [event for event in found if event["resources"] == [resource]]
            if len(about) >= count:
                return about
            assert time.monotonic() < deadline, found
            got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            found.extend(json.loads(message["Body"]) for message in got.get("Messages", []))

    yield hear
    events.remove_targets(Rule=lab.bucket, Ids=["queue"])
    events.delete_rule(Name=lab.bucket)


def test_a_training_job_tells_each_step(lab, heard):
    """Status, secondary status and reason, with times in milliseconds and tags as an object."""
    job = lab.train("told", "raise SystemExit('no')", Tags=[{"Key": "team", "Value": "vision"}])
    events = heard(job["TrainingJobArn"], 4)
    assert {event["detail-type"] for event in events} == {"SageMaker Training Job State Change"}
    seen = {event["detail"]["SecondaryStatus"]: event["detail"] for event in events}
    assert seen.keys() == {"Starting", "Downloading", "Training", "Failed"}
    failed = seen["Failed"]
    assert failed["TrainingJobStatus"] == "Failed"
    assert "no" in failed["FailureReason"]
    assert failed["Tags"] == {"team": "vision"}
    assert failed["CreationTime"] == pytest.approx(time.time() * 1000, abs=120_000)


def test_an_approval_tells_what_changed(lab, heard):
    """Registration and approval are two events; the second names the field that changed."""
    lab.sagemaker.create_model_package_group(ModelPackageGroupName="told")
    arn = lab.sagemaker.create_model_package(ModelPackageGroupName="told")["ModelPackageArn"]
    heard(arn, 1)
    lab.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    approved = next(
        event["detail"] for event in heard(arn, 2) if event["detail"]["ModelApprovalStatus"] == "Approved"
    )
    assert approved["UpdatedModelPackageFields"] == ["ModelApprovalStatus"]
    assert (approved["ModelPackageGroupName"], approved["ModelPackageVersion"]) == ("told", 1)
    assert approved["CreationTime"].endswith("Z")


def test_an_endpoint_tells_its_status_in_capitals(lab, heard):
    """As AWS writes it in events, unlike in answers."""
    lab.model("told", "def model_fn(model_dir):\n    return 1\n")
    lab.config("told", told=1.0)
    arn = lab.sagemaker.create_endpoint(EndpointName="told", EndpointConfigName="told")["EndpointArn"]
    lab.endpoint("told")
    lab.sagemaker.delete_endpoint(EndpointName="told")
    statuses = {event["detail"]["EndpointStatus"] for event in heard(arn, 3)}
    assert statuses == {"CREATING", "IN_SERVICE", "DELETING"}


def test_a_processing_job_tells_its_status(desk, heard):
    """As it starts and as it ends."""
    job = desk.run("told", "print('done')")
    events = heard(job["ProcessingJobArn"], 2)
    assert {event["detail-type"] for event in events} == {"SageMaker Processing Job State Change"}
    assert {event["detail"]["ProcessingJobStatus"] for event in events} == {"InProgress", "Completed"}


def test_a_tuning_job_tells_its_status(bench, heard):
    """With its counters."""
    job = bench.run("told", limits={"MaxNumberOfTrainingJobs": 1})
    events = heard(job["HyperParameterTuningJobArn"], 2)
    assert {event["detail-type"] for event in events} == {"SageMaker HyperParameter Tuning Job State Change"}
    last = next(e["detail"] for e in events if e["detail"]["HyperParameterTuningJobStatus"] == "Completed")
    assert last["TrainingJobStatusCounters"]["Completed"] == 1


def test_a_transform_job_tells_its_status(lab, heard):
    """Its reason, too, where it failed."""
    lab.model("told-transform", "def model_fn(model_dir):\n    return 1\n")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/none/"}
    arn = lab.sagemaker.create_transform_job(
        TransformJobName="told",
        ModelName="told-transform",
        TransformInput={"DataSource": {"S3DataSource": source}},
        TransformOutput={"S3OutputPath": f"s3://{lab.bucket}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )["TransformJobArn"]
    events = heard(arn, 2)
    assert {event["detail-type"] for event in events} == {"SageMaker Transform Job State Change"}
    failed = next(e["detail"] for e in events if e["detail"]["TransformJobStatus"] == "Failed")
    assert "No S3 objects found" in failed["FailureReason"]
