"""The stock CDK command on the embedded AWS: deploy, diff, update, replace, roll back, destroy."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_life(life: Run, client: Callable[[str], Any]) -> None:
    """One stack lives through all that the CDK command does to it, and leaves nothing."""
    deploy = ("deploy", "--require-approval", "never")
    assert life(*deploy, version="one").returncode == 0
    assert _says(client) == "one"
    first_queue = _queue_names(client)

    diff = life("diff", version="two")
    assert "life-queue-second" in diff.stdout
    assert "replace" in diff.stdout

    client("s3").put_object(Bucket="life-store", Key="kept", Body=b"1")
    assert life(*deploy, version="two").returncode == 0
    assert _says(client) == "two"
    assert _queue_names(client) == {"life-queue-second"}
    assert first_queue == {"life-queue-first"}
    assert client("s3").get_object(Bucket="life-store", Key="kept")["Body"].read() == b"1"

    client("s3").create_bucket(
        Bucket="life-taken", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    failed = life(*deploy, version="broken")
    assert failed.returncode != 0
    assert "life-taken" in failed.stdout + failed.stderr
    [stack] = client("cloudformation").describe_stacks(StackName="life")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert _says(client) == "two"
    assert client("ssm").get_parameter(Name="/life/version")["Parameter"]["Value"] == "two"

    assert life("destroy", "--force", version="two").returncode == 0
    with pytest.raises(ClientError, match="does not exist"):
        client("cloudformation").describe_stacks(StackName="life")
    assert not _queue_names(client)
    assert "life-store" not in {bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]}
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client("lambda").get_function(FunctionName="life-says")


def _says(client: Callable[[str], Any]) -> str:
    said: str = json.loads(client("lambda").invoke(FunctionName="life-says")["Payload"].read())
    return said


def _queue_names(client: Callable[[str], Any]) -> set[str]:
    urls = client("sqs").list_queues(QueueNamePrefix="life-").get("QueueUrls", [])
    return {url.rsplit("/", 1)[-1] for url in urls}
