"""How a function answers CloudFormation for a custom resource."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Answer: TypeAlias = "Callable[[str, Mapping[str, str]], None]"
"""Takes a URL and what to write there."""
REASON_LENGTH = 1000  # an answer may have 4 KB


class Continued(Exception):
    """Raised by work that goes on in another invocation, which answers in place of this one."""


def put(url: str, answer: Mapping[str, str]) -> None:
    """Write the answer to the presigned URL, which was signed without a content type."""
    request = urllib.request.Request(  # noqa: S310 -- the URL is CloudFormation's
        url, data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 -- the same


def respond(
    event: Mapping[str, Any], physical_id: str, work: Callable[[], object], answer: Answer = put
) -> Exception | None:
    """Do the work of one request and answer it; gives the error that the work ended with, if any.

    Whatever goes wrong is answered as well: without an answer the stack would hang for an hour.
    """
    failure: Exception | None = None
    try:
        work()
    except Continued:
        return None
    except Exception as error:  # noqa: BLE001 -- see above
        failure = error
    reason = f"{type(failure).__name__}: {failure}"[:REASON_LENGTH] if failure else ""
    answer(
        event["ResponseURL"],
        {
            "Status": "FAILED" if failure else "SUCCESS",
            "Reason": reason,
            "PhysicalResourceId": physical_id,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        },
    )
    return failure
