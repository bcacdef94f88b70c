"""`explain_failure`: every common failure is recognised and told with what to do about it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.explain_failure.handler import respond
from lambdas.explain_failure.logic import UNKNOWN, console_link, explain, subject

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


TOOLKIT = 'AlgorithmError: ExecuteUserScriptError:\nExitCode {}\nErrorMessage "{}"\nCommand "python train.py"'
AWS_SAYS = {
    "full": "ClientError: {} failed:Insufficient disk space",
    "code": "AlgorithmError: , exit code: {}",
    "logs": "AlgorithmError: See job logs for more information",
    "none": "No training job succeeded after 5 attempts. Please take a look at the training job failures to "
    "get more details.",
    "memory": "ClientError: Please use an instance type with more memory, or reduce the size of job data "
    "processed on an instance.",
    "ping": "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is "
    "implemented and responds with an HTTP 200 status code",
    "role": "ClientError: SageMaker was unable to assume the role 'arn:aws:iam::111122223333:role/r'",
    "denied": "ClientError: Data download failed:Unable to download object s3://data/a.csv (AccessDenied: "
    "Access Denied)",
    "key": "ClientError: User: arn:aws:sts::111122223333:assumed-role/r/SageMaker is not authorized to "
    "perform: kms:Decrypt",
    "capacity": "CapacityError: Unable to provision requested ML compute capacity. Please retry using a "
    "different ML instance type.",
    "quota": "The account-level service limit 'ml.g5.xlarge for training job usage' is 0 Instances, with "
    "current utilization of 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas "
    "to request an increase for this quota.",
    "pull": "ClientError: Cannot pull algorithm container. Either the image does not exist or its "
    "permissions are incorrect.",
    "silence": "ClientError: Unable to get response from algorithm",
}
"""What AWS writes into FailureReason, in its own words."""
HEAD = "ClientError: An error occurred (403) when calling the HeadObject operation: Forbidden"
FULL = "OSError: [Errno 28] No space left on device: '/opt/ml/model/m.pt'"
MISSING = "ModuleNotFoundError: No module named 'torchmetrics'"
CRASH = "Fatal Python error: Aborted"


@pytest.mark.parametrize(
    ("kind", "reason", "line", "name"),
    [
        # Disk full: while data come, while the program writes, while the model goes.
        ("TrainingJob", AWS_SAYS["full"].format("Data download"), "", "the disk is full"),
        ("TrainingJob", AWS_SAYS["full"].format("Artifact upload"), "", "the disk is full"),
        ("TrainingJob", TOOLKIT.format(1, FULL), "", "the disk is full"),
        ("ProcessingJob", AWS_SAYS["logs"], FULL, "the disk is full"),
        ("TransformJob", AWS_SAYS["logs"], "write /tmp/x: no space left on device", "the disk is full"),
        ("HyperParameterTuningJob", AWS_SAYS["none"], FULL, "the disk is full"),
        # A broken import.
        ("TrainingJob", TOOLKIT.format(1, MISSING), "", "an import failed"),
        ("TrainingJob", AWS_SAYS["code"].format(1), "ImportError: libGL.so.1: cannot", "an import failed"),
        ("ProcessingJob", AWS_SAYS["logs"], MISSING, "an import failed"),
        ("HyperParameterTuningJob", AWS_SAYS["none"], MISSING, "an import failed"),
        ("TransformJob", AWS_SAYS["ping"], "", "the model server does not answer"),
        # A missing permission.
        ("TrainingJob", AWS_SAYS["role"], "", "a permission is missing"),
        ("TrainingJob", AWS_SAYS["denied"], "", "a permission is missing"),
        ("TransformJob", AWS_SAYS["denied"], "", "a permission is missing"),
        ("ProcessingJob", AWS_SAYS["logs"], HEAD, "a permission is missing"),
        ("HyperParameterTuningJob", AWS_SAYS["key"], "", "a permission is missing"),
        ("TrainingJob", TOOLKIT.format(1, "PermissionError: [Errno 13] Permission denied: '/x'"), "",
         "a file may not be read or written"),
        # No machine: none free, or none allowed.
        ("TrainingJob", AWS_SAYS["capacity"], "", "AWS has no capacity"),
        ("ProcessingJob", AWS_SAYS["capacity"], "", "AWS has no capacity"),
        ("TransformJob", AWS_SAYS["capacity"], "", "AWS has no capacity"),
        ("HyperParameterTuningJob", AWS_SAYS["quota"], "", "a quota of the account is used up"),
        # How a container ended.
        ("TrainingJob", "AlgorithmError: Exit Code: 139", "", "the program crashed in compiled code"),
        ("TrainingJob", AWS_SAYS["code"].format(132), "", "the program crashed in compiled code"),
        ("TrainingJob", TOOLKIT.format(-11, ""), "", "the program crashed in compiled code"),
        ("ProcessingJob", AWS_SAYS["logs"], CRASH, "the program crashed in compiled code"),
        ("TrainingJob", AWS_SAYS["code"].format(137), "", "the memory is used up"),
        ("TrainingJob", TOOLKIT.format(-9, ""), "", "the memory is used up"),
        ("TrainingJob", TOOLKIT.format(1, "MemoryError: Unable to allocate 12.0 GiB for an array"), "",
         "the memory is used up"),
        ("ProcessingJob", AWS_SAYS["memory"], "", "the memory is used up"),
        ("TrainingJob", AWS_SAYS["code"].format(127), "", "the container cannot start its program"),
        ("TransformJob", AWS_SAYS["logs"], "exec /opt/program/serve: exec format error",
         "the container cannot start its program"),
        ("TrainingJob", AWS_SAYS["pull"], "", "the image cannot be pulled"),
        # What only the log knows, or nobody.
        ("TrainingJob", AWS_SAYS["code"].format(1), "ValueError: could not convert 'x'",
         "the script stopped with an error: ValueError: could not convert 'x'"),
        ("TransformJob", AWS_SAYS["logs"], "b.csv: Bad HTTP status received from algorithm: 500",
         "the model could not predict for the batch: b.csv"),
        ("TransformJob", AWS_SAYS["silence"], "", "the model could not predict for the batch"),
        ("HyperParameterTuningJob", AWS_SAYS["none"], "", "no training of the tuning job succeeded"),
        ("ProcessingJob", AWS_SAYS["logs"], "", "the script stopped with an error"),
    ],
)  # fmt: skip
def test_recognises_what_aws_says_of_each_kind_of_job(kind, reason, line, name):
    """A failure is named in one line with a remedy, by its reason or a line of the log, which is told too."""
    cause = json.dumps({f"{kind}Name": "x", f"{kind}Status": "Failed", "FailureReason": reason})
    explanation = explain("States.TaskFailed", cause, ["epoch 1", line, "the end"])
    assert explanation.cause.startswith(name)
    assert explanation.remedy != UNKNOWN.remedy
    assert explanation.text().splitlines()[2:] == [
        "The end of the log:", "  epoch 1", f"  {line}", "  the end",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "reason",
    ["AlgorithmError: train.csv has no column y, exit code: 10", "UserError: empty file, exit code: 1"],
)
def test_the_programs_own_words_win(reason):
    """A reason that says something is not replaced by what an earlier line of the log resembles."""
    cause = explain("States.TaskFailed", failed_job(reason), ["ImportError: optional, going on"]).cause
    assert cause == f"the script stopped with an error: {reason}"


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        (
            1,
            "ModuleNotFoundError: No module named 'x'",
            "an import failed: ModuleNotFoundError: No module named 'x'",
        ),
        (1, 'ValueError: say "a"\n ', 'the script stopped with an error: ValueError: say "a"'),
        (-11, "", "the program crashed in compiled code: exit code -11"),
        (3, "", "the script stopped with an error: exit code 3"),
    ],
)
@pytest.mark.parametrize("end", [", exit code: 1", ""])
def test_a_scripts_words_are_told_without_the_containers_frame(code, message, told, end):
    """The frameworks' containers add the whole command, which may be cut off; the line is for people."""
    assert explain("States.TaskFailed", failed_job(TOOLKIT.format(code, message) + end), []).cause == told


def test_a_processing_jobs_message_stands_for_its_exit_code_alone():
    """Where AWS says more itself, that counts."""
    for reason, name in (
        (AWS_SAYS["logs"], "the script stopped with an error"),
        (AWS_SAYS["memory"], "the memory is used up"),
    ):
        cause = json.dumps({"FailureReason": reason, "ExitMessage": "UserError: reviews.csv line 3: no text"})
        explanation = explain("States.TaskFailed", cause, [])
        assert explanation.cause.startswith(name)
        assert ("line 3" in explanation.cause) is (reason == AWS_SAYS["logs"])


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
