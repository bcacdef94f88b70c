"""Processing jobs: inputs and outputs, exit messages, stop, limits, refusals."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

PROGRAM = """
import json, os, pathlib, sys
root = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
config = json.loads((root / "config/processingjobconfig.json").read_text())
hosts = json.loads((root / "config/resourceconfig.json").read_text())
print(config["ProcessingJobName"], hosts["current_host"], os.environ["COLOUR"], *sys.argv[1:])
given = root / "processing/input/raw"
for path in sorted(given.rglob("*.csv")):
    target = root / "processing/output/clean" / path.relative_to(given)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(path.read_text().upper())
(root / "output/message").write_text("all clean")
"""


def test_a_program_turns_inputs_into_outputs(lab, desk):
    """Files in, files out, with arguments, environment, configuration, message and times."""
    lab.put("raw/deep/a.csv", "one")
    job = desk.run(
        "clean",
        PROGRAM,
        inputs=[desk.place("Input", "raw", "raw/")],
        outputs=[desk.place("Output", "clean", "clean")],
        Tags=[{"Key": "team", "Value": "vision"}],
    )
    log = desk.log("clean")
    assert job["ProcessingJobStatus"] == "Completed", log
    assert lab.s3.get_object(Bucket=lab.bucket, Key="clean/deep/a.csv")["Body"].read() == b"ONE"
    assert "clean algo-1 blue --rows 5" in log
    assert job["ExitMessage"] == "all clean"
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert "FailureReason" not in job
    tags = lab.sagemaker.list_tags(ResourceArn=job["ProcessingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "vision"}]
    listed = lab.sagemaker.list_processing_jobs(NameContains="clean", StatusEquals="Completed")
    assert [item["ProcessingJobName"] for item in listed["ProcessingJobSummaries"]] == ["clean"]


def test_a_program_that_fails_says_so_and_gives_no_output(lab, desk):
    """AWS's reason; the program's own words are the exit message."""
    program = PROGRAM + "sys.exit(4)"
    job = desk.run("fails", program, outputs=[desk.place("Output", "clean", "none")])
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert job["ExitMessage"] == "all clean"
    assert "Contents" not in lab.s3.list_objects_v2(Bucket=lab.bucket, Prefix="none")


def test_a_program_that_the_system_kills_had_too_little_memory(desk):
    """AWS's reason for a container that is killed, not asked to end."""
    job = desk.run("killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Please use an instance type with more memory")


def test_hosts_divide_a_sharded_input(lab, desk):
    """Two hosts, each with its share; outputs of both."""
    for name in "abc":
        lab.put(f"raw/{name}.csv", name)
    shards = desk.place("Input", "raw", "raw/", S3DataDistributionType="ShardedByS3Key")
    desk.run("shared", PROGRAM, inputs=[shards], outputs=[desk.place("Output", "clean", "both")], count=2)
    found = lab.s3.list_objects_v2(Bucket=lab.bucket, Prefix="both/")["Contents"]
    assert [item["Key"] for item in found] == ["both/a.csv", "both/b.csv", "both/c.csv"]
    assert {line.split()[1] for line in desk.log("shared") if line.startswith("shared ")} == {
        "algo-1",
        "algo-2",
    }


def test_continuous_outputs_appear_while_the_job_runs_and_it_can_be_stopped(lab, desk):
    """A stopped job is Stopped, not failed."""
    program = """
import os, pathlib, time
root = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
(root / "processing/output/live/now").write_text("x")
time.sleep(600)
"""
    output = desk.place("Output", "live", "live", S3UploadMode="Continuous")
    desk.start("runs", program, outputs=[output])
    lab.until(
        lambda: lab.s3.list_objects_v2(Bucket=lab.bucket, Prefix="live/"), lambda page: "Contents" in page
    )
    lab.sagemaker.stop_processing_job(ProcessingJobName="runs")
    assert desk.ended("runs")["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="the processing job is in status Stopped"):
        lab.sagemaker.stop_processing_job(ProcessingJobName="runs")


def test_max_runtime_ends_a_job(desk):
    """As Stopped."""
    limit = {"MaxRuntimeInSeconds": 1}
    began = time.monotonic()
    job = desk.run("endless", "import time; time.sleep(600)", StoppingCondition=limit)
    assert (job["ProcessingJobStatus"], job["StoppingCondition"]) == ("Stopped", limit)
    assert time.monotonic() - began < 60


def test_what_a_job_installs_is_its_own(desk):
    """Two jobs share an environment; what one adds to it, the other does not see."""
    program = """
import pathlib, sysconfig
place = pathlib.Path(sysconfig.get_path("purelib"), "added.py")
print("there before:", place.exists())
place.write_text("")
"""
    for name in ("adds-1", "adds-2"):
        assert desk.run(name, program)["ProcessingJobStatus"] == "Completed"
        if not any("no private /opt/ml" in line for line in desk.log(name)):
            assert "there before: False" in desk.log(name)


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"RoleArn": "arn:aws:iam::111122223333:role/none"}, "ValidationException", "Could not assume role"),
        ({"ProcessingJobName": "under_score"}, "ValidationException", "failed to satisfy constraint"),
    ],
)
def test_a_bad_request_is_refused_at_once(lab, desk, changes, code, message):
    """In AWS's words."""
    with pytest.raises(ClientError) as error:
        lab.sagemaker.create_processing_job(**{**desk.request("bad", ""), **changes})
    assert error.value.response["Error"]["Code"] == code
    assert message in error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"LocalPath": "/tmp/x"}, "ValidationException", "must begin with /opt/ml/processing/"),  # noqa: S108 -- refused
        ({"S3InputMode": "Pipe"}, "NotEmulated", "input raw: S3InputMode Pipe"),
        ({"S3CompressionType": "Gzip"}, "NotEmulated", "input raw: S3CompressionType Gzip"),
    ],
)
def test_an_input_that_is_not_emulated_is_named(lab, desk, change, code, message):
    """With the input's name."""
    inputs = [desk.place("Input", "raw", "raw/", **change)]
    with pytest.raises(ClientError) as error:
        lab.sagemaker.create_processing_job(**desk.request("bad", "", inputs=inputs))
    assert error.value.response["Error"]["Code"] == code
    assert message in error.value.response["Error"]["Message"]


def test_an_image_whose_entry_is_unknown_needs_one(lab, desk):
    """There is no image to look it up in."""
    request = desk.request("bad", "")
    del request["AppSpecification"]["ContainerEntrypoint"]
    with pytest.raises(ClientError, match="without ContainerEntrypoint"):
        lab.sagemaker.create_processing_job(**request)


def test_an_input_without_objects_fails_the_job(desk):
    """With the place that was looked in."""
    job = desk.run("nothing", PROGRAM, inputs=[desk.place("Input", "raw", "nowhere/")])
    assert job["FailureReason"].startswith("ClientError: No S3 objects found under S3 URL s3://")
