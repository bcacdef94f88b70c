"""The built-in XGBoost on xgboost."""

from __future__ import annotations

import json
import random
import re

import pytest

pytestmark = pytest.mark.heavy

IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0"
VALUES = {
    "objective": "binary:logistic",
    "num_round": "60",
    "max_depth": "3",
    "eta": "0.3",
    "early_stopping_rounds": "5",
    "eval_metric": "error,logloss",
}


def rows(count, seed):
    """Label first: whether the first feature is larger than the second; the third is missing now and then."""
    chance = random.Random(seed)  # noqa: S311 -- example rows
    for _ in range(count):
        a, b = chance.random(), chance.random()
        yield f"{int(a > b)},{a:.4f},{b:.4f},{'' if chance.random() < 0.1 else '1'}"


def channels(lab, kind="text/csv"):
    """The two channels."""
    lab.put("train/1.csv", "\n".join(rows(300, 1)))
    lab.put("validation/1.csv", "\n".join(rows(100, 2)))
    return [{**lab.channel(name), "ContentType": kind} for name in ("train", "validation")]


def test_xgboost_trains_with_awss_metric_lines_and_serves(lab):
    """A line a round with #011; early stopping keeps the best; CSV, LIBSVM, JSON, 406 and 415."""
    config = {"S3Uri": f"s3://{lab.bucket}/checkpoints"}
    job = lab.built_in("trees", IMAGE, VALUES, channels(lab), CheckpointConfig=config)
    log = lab.job_log("trees")
    assert job["TrainingJobStatus"] == "Completed", log
    pattern = (
        r"\[\d+\]#011train-error:\S+#011train-logloss:\S+#011validation-error:\S+#011validation-logloss:\S+"
    )
    rounds = [line for line in log if re.fullmatch(pattern, line)]
    assert 5 < len(rounds) <= 60
    assert rounds[0].startswith("[0]#011")
    saved = lab.s3.list_objects_v2(Bucket=lab.bucket, Prefix="checkpoints/")["Contents"]
    assert {item["Key"] for item in saved} >= {f"checkpoints/xgboost-checkpoint.{len(rounds) - 1}"}

    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert lab.serve("trees", IMAGE, data)["EndpointStatus"] == "InService"

    def ask(body, kind="text/csv", **more):
        return lab.invoke("trees", body, kind, **more)["Body"].read().decode()

    low, high = map(float, ask("0.1,0.9,1\n0.9,0.1,\n").split())
    assert low < 0.1
    assert high > 0.9
    assert float(ask("0:0.9 1:0.1 2:1", "text/libsvm")) > 0.9
    scores = json.loads(ask("0.9,0.1,1", Accept="application/json"))["predictions"]
    assert scores == [{"score": pytest.approx(high, abs=0.1)}]
    for body, kind, accept, status in (
        ("a,b,c", "text/csv", "text/csv", 415),
        ("1,2,3", "image/png", "text/csv", 415),
        ("1,2,3", "text/csv", "image/png", 406),
        ("1,2,3,4,5,6", "text/csv", "text/csv", 400),
    ):
        with pytest.raises(lab.runtime.exceptions.ModelError) as error:
            ask(body, kind, Accept=accept)
        assert error.value.response["OriginalStatusCode"] == status, body
    lab.sagemaker.delete_endpoint(EndpointName="trees")


def test_a_tuned_model_predicts_a_batch(lab, bench):
    """The algorithm's own metric is the objective; the output has a line a row, with its identifier."""
    request = bench.request("depths", limits={"MaxNumberOfTrainingJobs": 2})
    definition = request["TrainingJobDefinition"]
    definition["AlgorithmSpecification"] = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    definition["StaticHyperParameters"] = {"objective": "binary:logistic", "num_round": "5"}
    definition["InputDataConfig"] = channels(lab)
    config = request["HyperParameterTuningJobConfig"]
    config["HyperParameterTuningJobObjective"]["MetricName"] = "validation:logloss"
    depths = {"Name": "max_depth", "MinValue": "1", "MaxValue": "2"}
    config["ParameterRanges"] = {"IntegerParameterRanges": [depths]}
    lab.sagemaker.create_hyper_parameter_tuning_job(**request)
    best = bench.ended("depths")["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"max_depth": "2"}

    job = lab.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    lab.sagemaker.create_model(
        ModelName="depths", ExecutionRoleArn=lab.role, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": data}
    )
    lab.put("in/rows.csv", "a,0.9,0.1,1\nb,0.1,0.9,1\n")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/in/"}
    lab.sagemaker.create_transform_job(
        TransformJobName="depths",
        ModelName="depths",
        TransformInput={
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={
            "S3OutputPath": f"s3://{lab.bucket}/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )
    lab.until(
        lambda: lab.sagemaker.describe_transform_job(TransformJobName="depths"),
        lambda job: job["TransformJobStatus"] != "InProgress",
    )
    body = lab.s3.get_object(Bucket=lab.bucket, Key="out/rows.csv.out")["Body"].read().decode()
    (first, high), (second, low) = (line.split(",") for line in body.splitlines())
    assert (first, second) == ("a", "b")
    assert float(high) > 0.5 > float(low)


def test_training_goes_on_from_a_checkpoint(lab):
    """The rounds that a checkpoint has seen are not trained again."""
    values = {"objective": "binary:logistic", "num_round": "3"}
    config = {"CheckpointConfig": {"S3Uri": f"s3://{lab.bucket}/checkpoints"}}
    lab.built_in("first", IMAGE, values, channels(lab), **config)
    lab.built_in("second", IMAGE, {**values, "num_round": "5"}, channels(lab), **config)
    log = lab.job_log("second")
    assert "Resuming from checkpoint xgboost-checkpoint.2" in log
    assert [line[:3] for line in log if line.startswith("[")] == ["[3]", "[4]"]


@pytest.mark.parametrize(
    ("values", "rows", "reason"),
    [
        ({"num_round": ""}, "1,2", "num_round: could not parse value"),
        ({"num_round": "5", "eta": "2"}, "1,2", "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ({"num_round": "5", "rounds": "2"}, "1,2", "Extraneous hyperparameter found: rounds"),
        ({"num_round": "5", "objective": "multi:softmax"}, "1,2", "Require input for parameter 'num_class'"),
        ({"num_round": "5", "eval_metric": "accuracy"}, "1,2", "accuracy is no metric of xgboost's own"),
        ({"num_round": "5", "_kfold": "3"}, "1,2", "_kfold is not emulated"),
        (
            {"num_round": "5"},
            "1,2,3\n\n0,5,abc\nx,1,1",
            "1.csv, line 3, column 3 holds 'abc', which is no finite number",
        ),
        ({"num_round": "5"}, "1,2\n0,inf", "1.csv, line 2, column 2 holds 'inf', which is no finite number"),
        ({"num_round": "5"}, "1,2\n0,1e39", "line 2, column 2 holds '1e+39', which is no finite number"),
        ({"num_round": "5"}, "1,2\nnan,2\n,2", "1.csv, line 2, column 1 is empty or nan"),
        ({"num_round": "5", "csv_weights": "1"}, "1,1,2\n1,,2", "1.csv, line 2, column 2 is empty or nan"),
        ({"num_round": "5", "csv_weights": "1"}, "1,-1,2\n1,1,2", "eights must be"),
        ({"num_round": "5"}, "1,2\n1,2,3", "1.csv: CSV parse error: Expected 2 columns, got 3"),
        (
            {"num_round": "5", "objective": "binary:logistic", "base_score": "0.5"},
            "7,2\n1,2",
            "label must be in",
        ),
    ],
)
def test_what_the_user_got_wrong_is_a_client_error(lab, values, rows, reason):
    """AWS's family of error and wording, or xgboost's."""
    lab.put("train/1.csv", rows)
    name = f"wrong-{lab.bucket}"
    job = lab.built_in(name, IMAGE, values, [{**lab.channel("train"), "ContentType": "text/csv"}])
    assert job["FailureReason"].startswith("ClientError: "), job
    assert reason in job["FailureReason"]
    assert "\n" not in job["FailureReason"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("1 0:2\n1 0:inf", "1.txt, line 2 is not LIBSVM"), ("nan 0:2", "1.txt, line 1 is not LIBSVM")],
)
def test_libsvm_with_what_is_no_number_is_a_client_error(lab, line, reason):
    """The file and the line of the first that is not finite."""
    lab.put("train/1.txt", line)
    job = lab.built_in(f"wrong-{lab.bucket}", IMAGE, {"num_round": "5"}, [lab.channel("train")])
    assert job["FailureReason"].startswith("ClientError: "), job
    assert reason in job["FailureReason"]


def test_whole_numbers_of_any_size_are_features(lab):
    """Beyond what 32 bits hold exactly they are rounded, as AWS's image rounds them."""
    lab.put("train/1.csv", "1,20000001\n0,30000001\n")
    channel = {**lab.channel("train"), "ContentType": "text/csv"}
    job = lab.built_in("large", IMAGE, {"num_round": "1"}, [channel])
    assert job["TrainingJobStatus"] == "Completed", job
