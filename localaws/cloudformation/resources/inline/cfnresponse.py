"""What AWS puts beside the inline code of a Python function: answers a custom resource's request."""
# ruff: noqa: ANN001, FBT002, INP001, N803, S310 -- the signature is AWS's; the file runs inside a function
# mypy: ignore-errors

import json
import urllib.request

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(
    event, context, responseStatus, responseData,
    physicalResourceId=None, noEcho=False, reason=None,
) -> None:  # fmt: skip
    """Put the answer where the event's ResponseURL says."""
    log = f"See the details in CloudWatch Log Stream: {context.log_stream_name}"
    answer = {
        "Status": responseStatus,
        "Reason": reason or log,
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request).close()
