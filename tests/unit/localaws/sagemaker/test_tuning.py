"""Tuning jobs: the training jobs they start, what they make of them, how they end."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

WARM = {
    "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "x"}],
    "WarmStartType": "TransferLearning",
}


def test_training_jobs_really_run_and_the_best_is_named(lab, bench):
    """Every value of the range once, at most two at a time; the least score is the best."""
    job = bench.run("minimise", Tags=[{"Key": "team", "Value": "vision"}])
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    best = job["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"size": "3"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "MetricName": "score",
        "Value": 0.0,
        "Type": "Minimize",
    }
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    trials = bench.trials("minimise", SortBy="FinalObjectiveMetricValue", SortOrder="Ascending")
    assert trials[0]["TunedHyperParameters"]["size"] == "3"
    assert {item["TunedHyperParameters"]["size"] for item in trials} == {"1", "2", "3", "4"}
    times = sorted((item["CreationTime"], item["TrainingEndTime"]) for item in trials)
    assert (
        all(third[0] >= first[1] for first, third in zip(times, times[2:], strict=False)) or len(times) == 4
    )
    described = lab.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert described["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert described["HyperParameters"]["_tuning_objective_metric"] == "score"
    assert described["TrainingJobName"].startswith("minimise-00")
    tags = lab.sagemaker.list_tags(ResourceArn=described["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "vision"}]
    listed = lab.sagemaker.list_hyper_parameter_tuning_jobs(NameContains="minimise")
    (found,) = listed["HyperParameterTuningJobSummaries"]
    assert (found["Strategy"], found["TrainingJobStatusCounters"]["Completed"]) == ("Random", 4)


def test_a_grid_tries_every_combination_though_some_fail(bench):
    """Failed ones count as such, the rest go on."""
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "size", "Values": ["1", "3"]},
            {"Name": "kind", "Values": ["good", "bad"]},
        ]
    }
    job = bench.run("grid", strategy="Grid", ranges=ranges)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"size": "3", "kind": "good"}


def test_bayesian_search_says_that_it_is_random(lab, bench):
    """In the log of each training job."""
    job = bench.run("bayes", strategy="Bayesian", limits={"MaxNumberOfTrainingJobs": 1})
    log = lab.job_log(job["BestTrainingJob"]["TrainingJobName"])
    assert any("Bayesian is answered by random search" in line for line in log)


def test_a_target_that_is_reached_ends_the_job(bench):
    """No more training jobs are started than were needed."""
    criteria = {"TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 100.0}}
    job = bench.run("content", limits={"MaxParallelTrainingJobs": 1}, config=criteria)
    assert job["TrainingJobStatusCounters"]["Completed"] == 1


def test_a_job_none_of_whose_training_jobs_succeeds_fails(bench):
    """In AWS's words."""
    job = bench.run("hopeless", "raise ValueError('never')", limits={"MaxNumberOfTrainingJobs": 2})
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("No training job succeeded after 2 attempts")


def test_a_stopped_job_stops_its_training_jobs(lab, bench):
    """And keeps what they are."""
    bench.start("stops", "import time; time.sleep(600)")
    lab.until(
        lambda: bench.trials("stops"),
        lambda trials: len(trials) == 2 and all("TrainingStartTime" in item for item in trials),
    )
    lab.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stops")
    assert bench.ended("stops")["HyperParameterTuningJobStatus"] == "Stopped"
    assert {item["TrainingJobStatus"] for item in bench.trials("stops")} == {"Stopped"}


def test_a_job_that_does_worse_than_its_peers_is_stopped_early(bench):
    """The median rule, after three that have ended."""
    script = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int)
x = parser.parse_args().size
print(f"score={x};", flush=True)
time.sleep(600 if x == 9 else 0)
"""
    ranges = {"CategoricalParameterRanges": [{"Name": "size", "Values": ["1", "2", "3", "9"]}]}
    limits = {"MaxParallelTrainingJobs": 1}
    config = {"TrainingJobEarlyStoppingType": "Auto"}
    request = bench.request("early", script, strategy="Grid", ranges=ranges, limits=limits, config=config)
    bench.lab.sagemaker.create_hyper_parameter_tuning_job(**request)
    job = bench.ended("early")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert (job["TrainingJobStatusCounters"]["Completed"], job["TrainingJobStatusCounters"]["Stopped"]) == (
        3,
        1,
    )


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"strategy": "Hyperband"}, "NotEmulated", "Strategy Hyperband"),
        ({"strategy": "Grid"}, "ValidationException", "categorical parameters only"),
        (
            {"config": {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"}}},
            "ValidationException",
            "The objective metric loss is not among the metrics of the training jobs: score",
        ),
        (
            {"WarmStartConfig": WARM},
            "NotEmulated",
            "WarmStartConfig",
        ),
        (
            {"ranges": {"CategoricalParameterRanges": [{"Name": "sagemaker_program", "Values": ["x"]}]}},
            "ValidationException",
            "both static and tuned: sagemaker_program",
        ),
    ],
)
def test_a_bad_request_is_refused_at_once(bench, changes, code, message):
    """Training jobs that could not start are told before any starts, too."""
    with pytest.raises(ClientError) as error:
        bench.start("bad", **changes)
    assert error.value.response["Error"]["Code"] == code
    assert message in error.value.response["Error"]["Message"]


def test_a_job_that_does_not_exist_is_not_found(lab):
    """With AWS's code, which is another than that of other jobs."""
    with pytest.raises(ClientError) as error:
        lab.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="none")
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"
    assert json.dumps("none").strip('"') in error.value.response["Error"]["Message"]
