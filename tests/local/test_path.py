"""The main job on the embedded AWS: from an upload to a prediction, and what bad input gets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from atelier.demo.journey import Journey
from atelier.demo.points import generate, line
from atelier.spec import names

Client = Callable[[str], Any]
ENDPOINT = names.endpoint("vision", "dev", "curve")
START_TRAINING = names.function("vision", "dev", "start_training")


@pytest.fixture(scope="module")
def served(journey: Journey, client: Client, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The ARN of a run whose model is served."""
    data = generate()
    channels = {name: data[name] for name in ("train", "validation")}
    began = journey.upload(channels, tmp_path_factory.mktemp("points"))
    run = journey.training_run(began)
    assert _ended(client, run)["status"] == "SUCCEEDED"
    deployment = _ended(client, journey.deployment(began))
    assert deployment["status"] == "SUCCEEDED", deployment.get("cause")
    return run


def test_an_upload_becomes_an_endpoint_that_predicts(served: str, journey: Journey) -> None:
    """The endpoint answers JSON and CSV alike, near the line that the points follow."""
    xs = [100.0, 200.0, -3000.0]
    predicted = journey.predict_json(xs)
    assert journey.predict_csv(xs) == pytest.approx(predicted, rel=1e-6)
    for x, y in zip(xs, predicted, strict=True):
        assert abs(y - (line(x) + 150)) < 150


def test_the_run_tells_its_metrics_and_model(served: str, client: Client) -> None:
    """A run's output names its training job, its metrics and the model package that it registered."""
    output = json.loads(_ended(client, served)["output"])
    assert output["metrics"]["validation:rmse"] < 187.5
    package = client("sagemaker").describe_model_package(ModelPackageName=output["modelPackage"])
    assert package["ModelApprovalStatus"] == "Approved"
    assert client("sagemaker").describe_training_job(TrainingJobName=output["trainingJob"])


def test_twenty_deliveries_are_one_run(served: str, client: Client, journey: Journey) -> None:
    """However often the same event comes, no second run starts."""
    event = {
        "version": "0",
        "id": "1",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": "2026-01-01T00:00:00Z",
        "detail": {"bucket": {"name": journey.bucket}, "object": {"key": journey.key("train"), "size": 1}},
    }
    before = _runs(client)
    for _ in range(20):
        answer = client("lambda").invoke(FunctionName=START_TRAINING, Payload=json.dumps(event))
        assert "FunctionError" not in answer
    assert _runs(client) == before


def test_an_upload_that_no_job_listens_to_starts_nothing(
    served: str, client: Client, journey: Journey
) -> None:
    """An object elsewhere in the bucket is ignored, and the Lambda's log says so."""
    before = _runs(client)
    client("s3").put_object(Bucket=journey.bucket, Key="elsewhere/notes.txt", Body=b"hello")
    group = f"/aws/lambda/{START_TRAINING}"

    def logged() -> bool:
        streams = client("logs").describe_log_streams(logGroupName=group)["logStreams"]
        events = [
            event["message"]
            for stream in streams
            for event in client("logs").get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]
        return any("elsewhere/notes.txt" in message for message in events)

    _wait(logged)
    assert _runs(client) == before


@pytest.mark.parametrize(
    ("row", "told"),
    [("1.0,2.0,3.0", "3 columns"), ("1.0,abc", "column x")],
    ids=["wrong number of columns", "text where a number belongs"],
)
def test_bad_data_fails_with_its_place_and_the_old_model_still_serves(
    served: str, client: Client, journey: Journey, row: str, told: str
) -> None:
    """The failed run names channel, line and column; the endpoint answers as before."""
    before = journey.predict_json([100.0])
    began = datetime.now(UTC)
    client("s3").put_object(
        Bucket=journey.bucket, Key=journey.key("train"), Body=f"1.0,2.0\n{row}\n".encode()
    )
    run = _ended(client, journey.training_run(began))
    assert run["status"] == "FAILED"
    assert "train/train.csv line 2" in run["cause"]
    assert told in run["cause"]
    assert journey.predict_json([100.0]) == before


def test_the_notification_of_a_failed_run_says_why(
    served: str, client: Client, journey: Journey, running: Any
) -> None:
    """The owners' mail names the cause and a remedy."""
    began = datetime.now(UTC)
    client("s3").put_object(Bucket=journey.bucket, Key=journey.key("train"), Body=b"1.0,2.0\n1.0,word\n")
    _ended(client, journey.training_run(began))

    def mailed() -> bool:
        files = Path(running.data, "mail").glob("*.jsonl")
        return any("'word' is not a number" in file.read_text() for file in files)

    _wait(mailed)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [("application/json", b"not json", 400), ("application/x-parquet", b"PAR1", 415)],
)
def test_the_endpoint_survives_what_it_cannot_read(
    served: str, client: Client, journey: Journey, content_type: str, body: bytes, status: int
) -> None:
    """An unreadable body is 400, an unknown content type 415, and the next request is answered."""
    with pytest.raises(ClientError) as caught:
        client("sagemaker-runtime").invoke_endpoint(
            EndpointName=ENDPOINT, ContentType=content_type, Body=body
        )
    assert caught.value.response["OriginalStatusCode"] == status
    assert len(journey.predict_json([1.0])) == 1


def _runs(client: Client) -> int:
    machine = names.training_machine("vision", "dev", "curve")
    arn = f"arn:aws:states:eu-west-1:111122223333:stateMachine:{machine}"
    return len(client("stepfunctions").list_executions(stateMachineArn=arn)["executions"])


def _ended(client: Client, execution: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.update(client("stepfunctions").describe_execution(executionArn=execution))
        return bool(found["status"] != "RUNNING")

    _wait(ended, seconds=180)
    return found


def _wait(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.1)
