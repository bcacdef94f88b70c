"""Asynchronous events: retries, destinations, dead letters."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from localaws.lambda_ import queue

COUNTING = """
    import pathlib

    def handler(event, context):
        path = pathlib.Path(event["file"])
        with path.open("a") as file:
            file.write(context.aws_request_id + "\\n")
        if len(path.read_text().splitlines()) <= event["failures"]:
            raise RuntimeError("not yet")
        return {"done": True}
"""


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Retries without the wait."""
    monkeypatch.setattr(queue, "RETRY_SECONDS", (0.01, 0.01))


def send(cloud, name, event):
    """Have the function run with the event, some time."""
    answer = cloud.client("lambda").invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps(event)
    )
    assert answer["StatusCode"] == 202


def test_a_failed_event_is_tried_three_times_and_reported(cloud, tmp_path):
    """Two retries with the same request id, then the failure destination with AWS's record."""
    arn = cloud.function("fails", COUNTING)
    url, destination = cloud.queue("failures")
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="fails", DestinationConfig={"OnFailure": {"Destination": destination}}
    )
    event = {"file": str(tmp_path / "tries"), "failures": 9}
    send(cloud, "fails", event)
    record = json.loads(cloud.message(url)["Body"])
    tries = (tmp_path / "tries").read_text().splitlines()
    assert len(tries) == 3
    assert record["requestContext"] == {
        "requestId": tries[0],
        "functionArn": f"{arn}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert set(tries) == {tries[0]}
    assert record["requestPayload"] == event
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "not yet"


def test_a_retry_that_succeeds_is_a_success(cloud, tmp_path):
    """The success destination hears of it once; another function can be the destination."""
    url, _ = cloud.queue("heard")
    listener = cloud.function(
        "listener",
        """
        import boto3, json, os
        def handler(event, context):
            boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
        """,
        Environment={"Variables": {"QUEUE": url}},
    )
    cloud.function("recovers", COUNTING)
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="recovers", DestinationConfig={"OnSuccess": {"Destination": listener}}
    )
    send(cloud, "recovers", {"file": str(tmp_path / "tries"), "failures": 1})
    record = json.loads(cloud.message(url)["Body"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responsePayload"] == {"done": True}
    assert "functionError" not in record["responseContext"]


def test_results_reach_topics_and_event_buses(cloud, tmp_path):
    """SNS gets the record as its message, EventBridge as the detail of an event."""
    url, queue_arn = cloud.queue("topic-and-bus")
    topic = cloud.client("sns").create_topic(Name="results")["TopicArn"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    events = cloud.client("events")
    events.put_rule(
        Name="results",
        EventPattern=json.dumps({"detail-type": ["Lambda Function Invocation Result - Success"]}),
    )
    events.put_targets(Rule="results", Targets=[{"Id": "queue", "Arn": queue_arn, "InputPath": "$.source"}])
    cloud.function("succeeds", COUNTING)
    bus = "arn:aws:events:eu-west-1:111122223333:event-bus/default"
    heard = []
    for destination in (topic, bus):
        cloud.client("lambda").put_function_event_invoke_config(
            FunctionName="succeeds", DestinationConfig={"OnSuccess": {"Destination": destination}}
        )
        send(cloud, "succeeds", {"file": str(tmp_path / "tries"), "failures": 0})
        heard.append(json.loads(cloud.message(url)["Body"]))
    assert json.loads(heard[0]["Message"])["requestContext"]["condition"] == "Success"
    assert heard[1] == "lambda"


def test_a_dead_letter_queue_gets_the_event(cloud, tmp_path):
    """DeadLetterConfig: the event itself, with the error in the message's attributes."""
    url, arn = cloud.queue("dead")
    cloud.function("dies", COUNTING, DeadLetterConfig={"TargetArn": arn})
    cloud.client("lambda").put_function_event_invoke_config(FunctionName="dies", MaximumRetryAttempts=0)
    event = {"file": str(tmp_path / "tries"), "failures": 9}
    send(cloud, "dies", event)
    message = cloud.message(url)
    assert json.loads(message["Body"]) == event
    (request_id,) = (tmp_path / "tries").read_text().splitlines()
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "not yet"}


def test_a_throttled_event_waits_for_its_turn(cloud, tmp_path, monkeypatch):
    """Throttling costs no attempt: the event runs once the function may run."""
    monkeypatch.setattr(queue, "_THROTTLED_SECONDS", 0.05)
    client = cloud.client("lambda")
    cloud.function("waits", COUNTING)
    client.put_function_concurrency(FunctionName="waits", ReservedConcurrentExecutions=0)
    tries = tmp_path / "tries"
    send(cloud, "waits", {"file": str(tries), "failures": 0})
    client.delete_function_concurrency(FunctionName="waits")
    assert len(cloud.until(lambda: tries.exists() and tries.read_text()).splitlines()) == 1


def test_settings_of_asynchronous_events_are_kept(cloud):
    """Put replaces them, Update changes some, Get shows them, Delete removes them."""
    client = cloud.client("lambda")
    cloud.function("configured", COUNTING)
    _, arn = cloud.queue("configured")
    client.put_function_event_invoke_config(
        FunctionName="configured",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    client.update_function_event_invoke_config(FunctionName="configured", MaximumEventAgeInSeconds=60)
    found = client.get_function_event_invoke_config(FunctionName="configured")
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (1, 60)
    assert found["DestinationConfig"]["OnFailure"] == {"Destination": arn}
    with pytest.raises(ClientError, match="is invalid"):
        client.put_function_event_invoke_config(
            FunctionName="configured",
            DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::bucket"}},
        )
    client.delete_function_event_invoke_config(FunctionName="configured")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_event_invoke_config(FunctionName="configured")
