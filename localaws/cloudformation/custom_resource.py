"""Custom resources: a Lambda function creates, updates and deletes them, and answers by PUT to a URL."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.service import NotEmulated

TIMEOUT_SECONDS = 3600
"""How long CloudFormation waits for the answer when ServiceTimeout does not say."""
_SERVICE_ACCOUNT = "000000000000"
_ANSWER_LIMIT = 4096
_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.05, 1.0


class CustomResource(ResourceType):
    """AWS::CloudFormation::CustomResource, and every type that begins with Custom::."""

    type_name = "AWS::CloudFormation::CustomResource"
    properties: ClassVar[frozenset[str]] = frozenset({"ServiceToken", "ServiceTimeout"})

    def refuses(self, name: str) -> bool:
        """Whatever a template gives is for the function to judge."""
        del name
        return False

    def create(self, context: Context, props: Mapping[str, Any]) -> Created:
        """Send a Create event and wait for the answer."""
        answer = _ask(context, "Create", props)
        return _created(answer)

    def update(
        self, context: Context, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        """Send an Update event; an answer with another physical id means that this is a new resource."""
        if old.get("ServiceToken") != new.get("ServiceToken"):
            raise ResourceFailed("Modifying service token is not allowed.")
        answer = _ask(
            context, "Update", new, {"PhysicalResourceId": physical_id, "OldResourceProperties": _texts(old)}
        )
        return _created(answer)

    def delete(self, context: Context, physical_id: str, props: Mapping[str, Any]) -> None:
        """Send a Delete event and wait for the answer."""
        _ask(context, "Delete", props, {"PhysicalResourceId": physical_id})


def _ask(
    context: Context, request: str, props: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Send one event to the function and return its answer; raises ResourceFailed when that is FAILED."""
    token = str(props.get("ServiceToken", ""))
    if ":lambda:" not in token:
        what = "a custom resource by SNS topic" if ":sns:" in token else f"the ServiceToken {token!r}"
        raise ResourceFailed(NotEmulated(what).message)
    request_id = str(uuid.uuid4())
    mailbox = _Mailbox(context, request_id)
    event = {
        "RequestType": request,
        "ResponseURL": mailbox.url,
        "StackId": context.stack_id,
        "RequestId": request_id,
        "ResourceType": context.type_name,
        "LogicalResourceId": context.logical_id,
        "ResourceProperties": _texts(props),
        "ServiceToken": token,
        **(more or {}),
    }
    context.client("lambda").invoke(FunctionName=token, InvocationType="Event", Payload=json.dumps(event))
    body = mailbox.wait(_timeout(props))
    return _read_answer(body, _left_behind(request, context, body))


def _timeout(props: Mapping[str, Any]) -> int:
    text = str(props.get("ServiceTimeout", TIMEOUT_SECONDS))
    if not text.isdecimal() or not 1 <= int(text) <= TIMEOUT_SECONDS:
        raise ResourceFailed(f"ServiceTimeout must be from 1 to {TIMEOUT_SECONDS} seconds, not {text}")
    return int(text)


def _read_answer(body: bytes, left_behind: str | None) -> dict[str, Any]:
    if len(body) > _ANSWER_LIMIT:
        raise ResourceFailed("Response object is too long.", left_behind)
    try:
        answer = json.loads(body)
        status = answer["Status"]
    except (ValueError, TypeError, KeyError):
        raise ResourceFailed("Invalid response object: expected JSON with a Status", left_behind) from None
    if status != "SUCCESS":
        reason = answer.get("Reason") or "the function gave no reason"
        raise ResourceFailed(
            f"Received response status [{status}] from custom resource. Message returned: "
            f"{reason} (RequestId: {answer.get('RequestId')})",
            left_behind,
        )
    return dict(answer)


def _created(answer: Mapping[str, Any]) -> Created:
    physical_id = answer.get("PhysicalResourceId")
    if not isinstance(physical_id, str) or not physical_id:
        raise ResourceFailed("Invalid PhysicalResourceId in the response of the custom resource")
    return Created(physical_id, dict(answer.get("Data") or {}))


def _left_behind(request: str, context: Context, body: bytes) -> str | None:
    """The id under which CloudFormation deletes a resource whose creation failed."""
    if request != "Create":
        return None
    try:
        return str(json.loads(body)["PhysicalResourceId"])
    except (ValueError, TypeError, KeyError):
        return context.generated_name(128)


def _texts(value: Any) -> Any:
    """`value` as CloudFormation sends it to a function: every scalar is text."""
    if isinstance(value, Mapping):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Mailbox:
    """An object in a bucket of CloudFormation's own, into which the function writes its answer."""

    def __init__(self, context: Context, key: str) -> None:
        self._world = context.world
        self._client = context.world.client("s3", _SERVICE_ACCOUNT, context.region)
        self._at = {"Bucket": f"cloudformation-custom-resource-response-{context.region}", "Key": key}
        location = (
            {}
            if context.region == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": context.region}}
        )
        # Several resources may ask at once: whichever is first makes the bucket.
        with suppress(self._client.exceptions.BucketAlreadyOwnedByYou):
            self._client.create_bucket(Bucket=self._at["Bucket"], **location)
        self.url = self._client.generate_presigned_url("put_object", self._at, ExpiresIn=7200)

    def wait(self, seconds: int) -> bytes:
        """The answer, once it is there; raises ResourceFailed when it does not come in time."""
        waited, pause = 0.0, _FIRST_POLL_SECONDS
        while waited < seconds:
            try:
                body: bytes = self._client.get_object(**self._at)["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey":
                    raise
            else:
                self._client.delete_object(**self._at)
                return body
            if self._world.stopping.wait(pause):
                raise ResourceFailed("the embedded AWS stops")
            waited += pause
            pause = min(pause * 1.3, _LONGEST_POLL_SECONDS)
        raise ResourceFailed(
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
            f"requestId [{self._at['Key']}]."
        )
