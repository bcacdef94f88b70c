"""Endpoints: created, called, updated under load, deleted."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

# Answers with the text of the model archive, so that a test sees which model answered.
ECHO = """
import json, os, time
from pathlib import Path

def model_fn(model_dir):
    return Path(model_dir, "model.txt").read_text()

def predict_fn(data, model):
    if data == "raise":
        raise RuntimeError("the model broke")
    if data == "pid":
        return {"pid": os.getpid()}
    if data == "slow":
        time.sleep(0.5)
    return {"model": model, "data": data}
"""


def body_of(answer):
    """What the model answered."""
    return json.loads(answer["Body"].read())


def model_error(lab, name, body, **more):
    """The ModelError that a call ends with."""
    with pytest.raises(ClientError) as error:
        lab.invoke(name, body, **more)
    assert error.value.response["Error"]["Code"] == "ModelError"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    return error.value.response


def message_of(call, **params):
    """The message of the error that a call ends with."""
    with pytest.raises(ClientError) as error:
        call(**params)
    return error.value.response["Error"]["Message"]


@pytest.fixture
def endpoint(lab):
    """The name of an endpoint in service, of a model and a configuration of the same name."""
    name = lab.bucket.replace("lab", "echo")
    lab.model(name, ECHO)
    lab.config(name, **{name: 1.0})
    lab.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    described = lab.endpoint(name)
    assert described["EndpointStatus"] == "InService", described
    yield name
    lab.sagemaker.delete_endpoint(EndpointName=name)


def test_an_endpoint_answers_json_and_csv(lab, endpoint):
    """Body in, prediction out, with the variant that answered."""
    answer = lab.invoke(endpoint, b'{"a": [1]}')
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("application/json", endpoint)
    assert body_of(answer) == {"model": endpoint, "data": {"a": [1]}}
    answer = lab.invoke(endpoint, b"1,2\n3,4\n", "text/csv")
    assert body_of(answer)["data"] == [[1.0, 2.0], [3.0, 4.0]]
    assert lab.invoke(endpoint, b"1", Accept="text/csv")["ContentType"] == "text/csv"
    (variant,) = lab.endpoint(endpoint)["ProductionVariants"]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (1.0, 1)
    log = _settled_log(lab, endpoint)
    assert any("serving inference.py" in line for line in log)
    assert sum("the image sagemaker-scikit-learn:1.9-0 is stood in for by" in line for line in log) == 1
    assert "localaws: VolumeSizeInGB has no effect: there is no volume" in log


BAD_REQUESTS = [
    (b"{", {}, 400, "the body is not JSON"),
    (b"1,x", {"content_type": "text/csv"}, 400, "line 1, column 2: 'x' is not a number"),
    (b"<a/>", {"content_type": "text/xml"}, 415, "content type 'text/xml' is not supported"),
    (b"1", {"Accept": "text/html"}, 406, "accept 'text/html' is not supported"),
    (b'"raise"', {}, 500, "RuntimeError: the model broke"),
]


def test_a_bad_request_is_refused_and_the_server_lives(lab, endpoint):
    """The client gets a reason and the container's status; the same process answers the next request."""
    pid = body_of(lab.invoke(endpoint, b'"pid"'))["pid"]
    for body, headers, status, reason in BAD_REQUESTS:
        error = model_error(lab, endpoint, body, **headers)
        assert error["OriginalStatusCode"] == status
        assert reason in error["OriginalMessage"]
        assert f"({status}) from primary with message" in error["Error"]["Message"]
    assert body_of(lab.invoke(endpoint, b'"pid"'))["pid"] == pid


def test_an_update_drops_no_request(lab, endpoint):
    """Requests go on while the fleet changes: each is answered, the last ones by the new model."""
    lab.model(f"{endpoint}-b", ECHO)
    lab.config(f"{endpoint}-b", **{f"{endpoint}-b": 1.0})
    answered, failed, done = Counter(), [], threading.Event()

    def call():
        while not done.is_set():
            try:
                answered[body_of(lab.invoke(endpoint, b'"slow"'))["model"]] += 1
            except ClientError as error:
                failed.append(error)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    lab.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=f"{endpoint}-b")
    during = lab.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert during["EndpointStatus"] == "Updating"
    assert during["PendingDeploymentSummary"]["EndpointConfigName"] == f"{endpoint}-b"
    after = lab.endpoint(endpoint)
    time.sleep(1)
    done.set()
    for caller in callers:
        caller.join()
    assert after["EndpointConfigName"] == f"{endpoint}-b"
    assert not failed
    assert answered[endpoint] > 0
    assert answered[f"{endpoint}-b"] > 0


def test_a_failing_update_leaves_the_old_model_serving(lab, endpoint):
    """The endpoint is InService on the old configuration, with the reason and the end of the log."""
    lab.model(
        f"{endpoint}-bad", "def model_fn(model_dir):\n    raise OSError('no weights in ' + model_dir)\n"
    )
    lab.config(f"{endpoint}-bad", **{f"{endpoint}-bad": 1.0})
    lab.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=f"{endpoint}-bad")
    after = lab.endpoint(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", endpoint)
    assert "did not pass the ping health check" in after["FailureReason"]
    assert "no weights in" in after["FailureReason"]
    assert body_of(lab.invoke(endpoint, b"1"))["model"] == endpoint


def test_an_endpoint_whose_model_does_not_load_fails(lab):
    """Failed with the reason; it can only be deleted."""
    lab.model("broken", "import no_such_module\n")
    lab.config("broken", broken=1.0)
    lab.sagemaker.create_endpoint(EndpointName="broken", EndpointConfigName="broken")
    described = lab.endpoint("broken")
    assert described["EndpointStatus"] == "Failed"
    assert "no_such_module" in described["FailureReason"]
    assert "in status Failed" in message_of(
        lab.sagemaker.update_endpoint, EndpointName="broken", EndpointConfigName="broken"
    )
    lab.sagemaker.delete_endpoint(EndpointName="broken")


def test_variants_share_requests_by_weight(lab):
    """Two models answer in proportion; a named one answers alone; weights change in place."""
    lab.model("left", ECHO)
    lab.model("right", ECHO)
    lab.config("ab", left=3.0, right=1.0)
    lab.sagemaker.create_endpoint(EndpointName="ab", EndpointConfigName="ab")
    assert lab.endpoint("ab")["EndpointStatus"] == "InService"
    share = Counter(lab.invoke("ab", b"1")["InvokedProductionVariant"] for _ in range(200))
    assert 100 < share["left"] < 190
    assert body_of(lab.invoke("ab", b"1", TargetVariant="right"))["model"] == "right"
    wishes = [
        {"VariantName": "left", "DesiredWeight": 0},
        {"VariantName": "right", "DesiredInstanceCount": 2},
    ]
    lab.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="ab", DesiredWeightsAndCapacities=wishes
    )
    assert {lab.invoke("ab", b"1")["InvokedProductionVariant"] for _ in range(20)} == {"right"}
    lab.sagemaker.update_endpoint(
        EndpointName="ab",
        EndpointConfigName="ab",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    variants = {item["VariantName"]: item for item in lab.endpoint("ab")["ProductionVariants"]}
    assert (variants["left"]["DesiredWeight"], variants["right"]["DesiredInstanceCount"]) == (0, 1)
    lab.sagemaker.delete_endpoint(EndpointName="ab")


def test_a_crashed_server_is_started_again(lab, endpoint):
    """The endpoint answers again, from another process, with no one's help."""
    pid = body_of(lab.invoke(endpoint, b'"pid"'))["pid"]
    os.kill(pid, signal.SIGKILL)
    deadline, answered = time.monotonic() + 20, pid
    while answered == pid and time.monotonic() < deadline:
        with suppress(ClientError):
            answered = body_of(lab.invoke(endpoint, b'"pid"'))["pid"]
        time.sleep(0.05)
    assert answered != pid


def test_a_deleted_endpoint_is_gone_with_its_process(lab):
    """Describe and invoke do not find it; no process and no folder is left; its name is free."""
    lab.model("gone", ECHO)
    lab.config("gone", gone=1.0)
    lab.sagemaker.create_endpoint(EndpointName="gone", EndpointConfigName="gone")
    arn = lab.endpoint("gone")["EndpointArn"]
    taken = message_of(lab.sagemaker.create_endpoint, EndpointName="gone", EndpointConfigName="gone")
    assert taken == f'Cannot create already existing endpoint "{arn}".'
    pid = body_of(lab.invoke("gone", b'"pid"'))["pid"]
    lab.sagemaker.delete_endpoint(EndpointName="gone")
    lab.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="gone", WaiterConfig={"Delay": 1, "MaxAttempts": 10}
    )
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110 -- a file of the kernel
    missing = message_of(lab.sagemaker.describe_endpoint, EndpointName="gone")
    assert missing == f'Could not find endpoint "{arn}".'
    not_found = message_of(lab.runtime.invoke_endpoint, EndpointName="gone", Body=b"1")
    assert not_found == f"Endpoint gone of account {lab.account} not found."


def test_models_and_configurations_are_checked(lab):
    """Names, model data, models of variants and what is not emulated are refused in AWS's words."""
    container = {"Image": lab.image, "ModelDataUrl": f"s3://{lab.bucket}/none.tar.gz"}
    create = lab.sagemaker.create_model
    assert message_of(create, ModelName="m", ExecutionRoleArn=lab.role, PrimaryContainer=container) == (
        f"Could not find model data at s3://{lab.bucket}/none.tar.gz."
    )
    own = {"Image": f"{lab.account}.dkr.ecr.eu-west-1.amazonaws.com/mine:1"}
    assert "mine:1" in message_of(create, ModelName="m", ExecutionRoleArn=lab.role, PrimaryContainer=own)
    assert "Could not find model" in message_of(lambda: lab.config("lone", none=1.0))
    lab.model("twice", ECHO)
    assert "Cannot create already existing model" in message_of(lambda: lab.model("twice", ECHO))
    size = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"VariantName": "v", "ModelName": "twice", "ServerlessConfig": size}
    serverless = message_of(
        lab.sagemaker.create_endpoint_config, EndpointConfigName="s", ProductionVariants=[variant]
    )
    assert "ServerlessConfig" in serverless
    assert "Could not find endpoint configuration" in message_of(
        lab.sagemaker.create_endpoint, EndpointName="x", EndpointConfigName="none"
    )


def test_a_body_over_6_mb_is_refused(lab):
    """Before it reaches a model."""
    message = message_of(lab.runtime.invoke_endpoint, EndpointName="any", Body=bytes(6_291_457))
    assert "less than or equal to 6291456" in message


def _settled_log(lab, endpoint):
    time.sleep(0.7)  # the shipper carries lines twice a second
    return lab.log(f"/aws/sagemaker/Endpoints/{endpoint}", endpoint)
