"""Batch transform: a model asked about every record of every object."""

from __future__ import annotations

import gzip
import json

import pytest
from botocore.exceptions import ClientError

DOUBLE = """
import json, os
class UnsupportedFormatError(Exception):
    pass
def model_fn(folder):
    return 2
def input_fn(body, content_type):
    print("asked", repr(body), content_type, os.environ["SAGEMAKER_BATCH"])
    if "boom" in body:
        raise UnsupportedFormatError("no boom here")
    if "crash" in body:
        raise ArithmeticError("no crash here")
    if content_type == "text/csv":
        return [float(line.split(",")[0]) for line in body.splitlines()]
    return json.loads(body)["x"]
def predict_fn(data, model):
    return [model * value for value in data] if isinstance(data, list) else model * data
def output_fn(prediction, accept):
    if accept == "text/csv":
        return "".join(f"{value}\\n" for value in prediction), accept
    return json.dumps(prediction), "application/json"
"""


@pytest.fixture
def transform(lab):
    """Run a batch transform of the prefix `in/` to `out/`; its description once it has ended."""
    model = f"double-{lab.bucket}"
    lab.model(model, DOUBLE)

    def start(name, *, given=None, output=None, **more):
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/in/"}
        lab.sagemaker.create_transform_job(
            **{
                "TransformJobName": name,
                "ModelName": model,
                "TransformInput": {
                    "DataSource": {"S3DataSource": source},
                    "ContentType": "text/csv",
                    "SplitType": "Line",
                    **(given or {}),
                },
                "TransformOutput": {
                    "S3OutputPath": f"s3://{lab.bucket}/out",
                    "Accept": "text/csv",
                    "AssembleWith": "Line",
                    **(output or {}),
                },
                "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
                **more,
            }
        )

    def run(name, **more):
        start(name, **more)
        return lab.until(
            lambda: lab.sagemaker.describe_transform_job(TransformJobName=name),
            lambda job: job["TransformJobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    run.start = start
    return run


def written(lab, key):
    """The text of an object."""
    return lab.s3.get_object(Bucket=lab.bucket, Key=key)["Body"].read().decode()


def logged(lab, name):
    """Every line of a job's log, which may not have begun."""
    try:
        return lab.log("/aws/sagemaker/TransformJobs", f"{name}/")
    except lab.logs.exceptions.ResourceNotFoundException:
        return []


def test_every_object_is_transformed_by_lines_into_one_of_its_name(lab, transform):
    """Several lines to a request, one output an input, below the same folders."""
    lab.put("in/a.csv", "1,x\n2,y\n")
    lab.put("in/deep/b.csv", "3,z")
    job = transform("lines")
    log = logged(lab, "lines")
    assert job["TransformJobStatus"] == "Completed", log
    assert written(lab, "out/a.csv.out") == "2.0\n4.0\n"
    assert written(lab, "out/deep/b.csv.out") == "6.0\n"
    assert "asked '1,x\\n2,y' text/csv true" in log
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    listed = lab.sagemaker.list_transform_jobs(NameContains="lines", StatusEquals="Completed")
    assert [item["TransformJobName"] for item in listed["TransformJobSummaries"]] == ["lines"]


def test_a_single_record_is_a_request_by_itself(lab, transform):
    """In the order of the file, though several are under way at once."""
    lab.put("in/a.csv", "".join(f"{number},x\n" for number in range(8)))
    transform("single", BatchStrategy="SingleRecord", MaxConcurrentTransforms=4)
    assert written(lab, "out/a.csv.out").split() == [f"{2.0 * number}" for number in range(8)]
    assert "".join(logged(lab, "single")).count("asked") == 8


def test_a_whole_object_can_be_one_record(lab, transform):
    """Not split, here compressed, and its answer as it is."""
    lab.put("in/a.json.gz", gzip.compress(b'{"x": 21}'))
    given = {"ContentType": "application/json", "SplitType": "None", "CompressionType": "Gzip"}
    transform("whole", given=given, output={"Accept": "application/json", "AssembleWith": "None"})
    assert written(lab, "out/a.json.gz.out") == "42"


def test_columns_are_filtered_and_joined_with_the_answers(lab, transform):
    """The model does not see the first column; the output has it and the prediction."""
    lab.put("in/a.csv", 'id-1,5,"a, b"\nid-2,6,c\n')
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    job = transform("joined", DataProcessing=processing)
    assert written(lab, "out/a.csv.out") == "id-1,10.0\nid-2,12.0\n", job
    assert "asked '5,\"a, b\"\\n6,c' text/csv true" in logged(lab, "joined")


def test_json_lines_gain_the_answer_as_an_attribute(lab, transform):
    """One line a request."""
    lab.put("in/a.jsonl", '{"id": 1, "x": 4}\n{"id": 2, "x": 5}\n')
    transform(
        "attributes",
        given={"ContentType": "application/json"},
        output={"Accept": "application/json"},
        DataProcessing={"JoinSource": "Input"},
        BatchStrategy="SingleRecord",
    )
    lines = [json.loads(line) for line in written(lab, "out/a.jsonl.out").splitlines()]
    assert lines == [{"id": 1, "x": 4, "SageMakerOutput": 8}, {"id": 2, "x": 5, "SageMakerOutput": 10}]


@pytest.mark.parametrize(
    ("word", "status", "family"), [("boom", 415, "ClientError"), ("crash", 500, "AlgorithmError")]
)
def test_a_request_that_the_model_refuses_fails_the_job(lab, transform, word, status, family):
    """AWS's reason; the log names the object, the status and the model's words."""
    lab.put("in/a.csv", f"{word},1\n")
    job = transform(f"refused-{word}")
    assert job["FailureReason"] == f"{family}: See job logs for more information"
    log = logged(lab, f"refused-{word}")
    assert f"{lab.bucket}/in/a.csv: Bad HTTP status received from algorithm: {status}" in log
    assert any("Message: " in line and f"no {word} here" in line for line in log)
    assert "Contents" not in lab.s3.list_objects_v2(Bucket=lab.bucket, Prefix="out/")


def test_nothing_to_transform_fails_the_job(lab, transform):
    """With the place that was looked in."""
    job = transform("empty")
    assert job["FailureReason"] == f"ClientError: No S3 objects found under S3 URL s3://{lab.bucket}/in/"


def test_a_job_can_be_stopped(lab, transform):
    """It ends as Stopped."""
    lab.put("in/a.csv", "".join(f"{number},x\n" for number in range(3000)))
    transform.start("stops", BatchStrategy="SingleRecord")
    lab.sagemaker.stop_transform_job(TransformJobName="stops")
    job = lab.until(
        lambda: lab.sagemaker.describe_transform_job(TransformJobName="stops"),
        lambda job: job["TransformJobStatus"] != "Stopping",
    )
    assert job["TransformJobStatus"] == "Stopped"


def test_a_job_whose_server_is_still_starting_can_be_stopped(lab, transform):
    """Without waiting for a model that takes its time."""
    lab.put("in/a.csv", "1")
    lab.model(
        "sleepy",
        "import time\ndef model_fn(folder):\n    print('loading', flush=True)\n    time.sleep(600)\n",
    )
    transform.start("early-stop", ModelName="sleepy")
    lab.until(lambda: logged(lab, "early-stop"), lambda log: "loading" in log)
    lab.sagemaker.stop_transform_job(TransformJobName="early-stop")
    job = lab.until(
        lambda: lab.sagemaker.describe_transform_job(TransformJobName="early-stop"),
        lambda job: job["TransformJobStatus"] != "Stopping",
    )
    assert job["TransformJobStatus"] == "Stopped"


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"ModelName": "none"}, "ValidationException", "Could not find model"),
        ({"DataProcessing": {"InputFilter": "$..x"}}, "ValidationException", "DataProcessing.InputFilter"),
        ({"MaxConcurrentTransforms": 50, "MaxPayloadInMB": 6}, "ValidationException", "50 * 6"),
        ({"given": {"SplitType": "RecordIO"}}, "NotEmulated", "SplitType RecordIO"),
        (
            {"given": {"ContentType": "image/png"}, "DataProcessing": {"JoinSource": "Input"}},
            "ValidationException",
            "needs a ContentType among text/csv",
        ),
    ],
)
def test_a_bad_request_is_refused_at_once(transform, changes, code, message):
    """What is not emulated is named."""
    with pytest.raises(ClientError) as error:
        transform("bad", **changes)
    assert error.value.response["Error"]["Code"] == code
    assert message in error.value.response["Error"]["Message"]
