"""`explain_failure`: every common failure is recognised and told with what to do about it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.explain_failure.handler import respond
from lambdas.explain_failure.logic import console_link, explain, subject

EXECUTION = "arn:aws:states:eu-west-1:111122223333:execution:vision-dev-train-curve:curve-0123"


def failed_job(reason: str) -> str:
    """The cause that Step Functions gives when a training job has failed."""
    return json.dumps({"TrainingJobName": "x", "TrainingJobStatus": "Failed", "FailureReason": reason})


@pytest.mark.parametrize(
    ("error", "cause", "tail", "name", "remedy"),
    [
        ("States.TaskFailed", failed_job("AlgorithmError: OSError: [Errno 28] No space left on device"), [],
         "disk is full", "volume_gb"),
        ("States.TaskFailed", failed_job("AlgorithmError: RuntimeError: CUDA out of memory. Tried"), [],
         "GPU's memory", "batch size"),
        ("States.TaskFailed", failed_job("AlgorithmError: exit code: 137"), [],
         "memory is used up", "in parts"),
        ("States.TaskFailed", failed_job("AlgorithmError: Exit Code: 1"),
         ["Traceback", "ModuleNotFoundError: No module named 'torchmetrics'", "exit 1"],
         "import failed: ModuleNotFoundError: No module named 'torchmetrics'", "requirements.txt"),
        ("States.TaskFailed", failed_job("AlgorithmError: ImportError: cannot import x"),
         [], "import failed", "requirements.txt"),
        ("SageMaker.AmazonSageMakerException", "User: arn:x is not authorized to perform: iam:PassRole", [],
         "permission is missing", "role"),
        ("SageMaker.ResourceLimitExceededException", "The account-level service limit 'ml.g5' is 0", [],
         "quota", "Service Quotas"),
        ("States.TaskFailed", failed_job("CapacityError: Unable to provision"), [],
         "no capacity", "more instance types"),
        ("Atelier.TrainingStopped", "the training job was stopped: MaxRuntimeExceeded", [],
         "time limit", "max_runtime_minutes"),
        ("States.TaskFailed", failed_job("InternalServerError: We encountered an internal error"), [],
         "internal error", "again"),
        ("States.TaskFailed", failed_job("ClientError: No S3 objects found under S3 URL s3://x"), [],
         "data is missing", "upload"),
        ("States.TaskFailed",
         failed_job("AlgorithmError: train/a.csv line 3: 3 columns, expected 2 (y,x), exit code: 1"), [],
         "script stopped with an error: AlgorithmError: train/a.csv line 3: 3 columns", "data or the script"),
        ("States.TaskFailed",
         json.dumps({"FailureReason": "AlgorithmError: , exit code: 1", "ExitMessage": "a.csv line 3"}), [],
         "a.csv line 3", ""),
        ("SageMaker.AmazonSageMakerException", "s3://jumpstart-cache-prod-eu-west-1/m: NoSuchBucket", [],
         "pretrained model cannot be fetched", "model's files"),
        ("Atelier.NothingTuned", "no training of the tuning job reported its objective, a", [],
         "no best training", "objective"),
        ("Atelier.GateNotPassed", "validation:rmse is 212.3, the gate asks for at most 190", [],
         "validation:rmse is 212.3, the gate asks for at most 190", "gate"),
        ("SmokeTestFailed", json.dumps({"errorMessage": "endpoint e answered 500"}), [],
         "sample request: endpoint e answered 500", "inference.py"),
        ("Atelier.EndpointFailed", "the endpoint is Failed. did not pass the ping health check", [],
         "model server", "model_fn"),
        ("Atelier.EndpointFailed", "the endpoint is back. Failed to download model data", [],
         "archive", "SM_MODEL_DIR"),
        ("Atelier.EndpointFailed", "the endpoint is Failed with config a. Unheard of", [],
         "did not come up", "approve"),
        ("States.Runtime", "something new", [], "it failed: something new", "console"),
    ],
)  # fmt: skip
def test_knows_the_common_causes(error, cause, tail, name, remedy):
    """Each cause is named in one line with the words of the failure, and comes with a remedy."""
    explanation = explain(error, cause, tail)
    assert name in explanation.cause
    assert remedy in explanation.remedy
    assert "\n" not in explanation.cause


@given(
    st.text(), st.text() | st.integers().map(str) | st.lists(st.text()).map(json.dumps), st.lists(st.text())
)
def test_explains_anything(error, cause, tail):
    """Whatever a failure looks like, there is an explanation of one line."""
    explanation = explain(error, cause, tail)
    assert explanation.cause
    assert len(explanation.cause.splitlines()) == 1


def test_cuts_what_is_too_long_to_be_told():
    """One endless line of a log does not make a notification that SNS refuses."""
    explanation = explain("E", "c" * 10_000, ["l" * 300_000] * 20)
    assert len(explanation.text()) < 20_000


def test_a_long_reason_keeps_its_last_line():
    """A reason that quotes a log decides at its end."""
    log = "Traceback:\n" + "  File x, line 1\n" * 60 + "ModuleNotFoundError: No module named 'nosuch'"
    cause = explain("Atelier.EndpointFailed", f"the endpoint is Failed: no ping\n{log}", []).cause
    assert "the endpoint is Failed" in cause
    assert cause.endswith("ModuleNotFoundError: No module named 'nosuch'")


def test_believes_a_reason_more_than_the_log():
    """A log holds warnings too: only when the reason is a bare exit code, the log is asked."""
    tail = ["ImportError: optional package missing, going on without"]
    assert "import" not in explain("States.TaskFailed", failed_job("AlgorithmError: bad column"), tail).cause
    assert "import" in explain("States.TaskFailed", failed_job("AlgorithmError: exit code 1"), tail).cause


class Logs:
    """One stream in memory."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.asked: tuple[str, str] | None = None

    def tail(self, group: str, stream_prefix: str) -> list[str]:
        self.asked = (group, stream_prefix)
        return self.lines


def test_answers_with_notification_and_cause():
    """The notification names job, run, cause, remedy, the log's end and where to look."""
    logs = Logs("epoch 1", "ValueError: bad")
    event = {
        "what": "job curve",
        "execution": EXECUTION,
        "error": "States.TaskFailed",
        "cause": failed_job("AlgorithmError: bad"),
        "logGroup": "/aws/sagemaker/TrainingJobs",
        "logStream": "vision-dev-curve-0123-1/",
    }
    answer = respond(event, logs)
    assert logs.asked == ("/aws/sagemaker/TrainingJobs", "vision-dev-curve-0123-1/")
    assert answer["error"] == "States.TaskFailed"
    assert answer["text"].splitlines()[0] == answer["cause"]
    for part in ("job curve", "curve-0123", answer["cause"], answer["remedy"], "ValueError: bad", "https://"):
        assert part in answer["message"]


def test_a_subject_is_what_sns_takes():
    """SNS takes printable ASCII, at most 100 characters."""
    text = subject("job " + "ü\n" * 30 + "x" * 200)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) == 100


@pytest.mark.parametrize(
    ("partition", "region", "domain"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
    ],
)
def test_links_to_the_console_of_the_partition(partition, region, domain):
    """China's console has another domain."""
    arn = f"arn:{partition}:states:{region}:111122223333:execution:m:n"
    assert console_link(arn).startswith(f"https://{domain}/states/")
    assert console_link(arn).endswith(arn)
