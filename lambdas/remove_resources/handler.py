"""A custom resource of CloudFormation that does nothing until its stack goes, and then removes things.

It stands for what runs of the state machines made and CloudFormation therefore does not know: endpoints with
their models and configs, and the versions of model package groups.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from lambdas.remove_resources.adapters import AwsAccount
from lambdas.remove_resources.logic import Account, Clock, remove
from lambdas.shared.logs import Log

Answer = Callable[[str, Mapping[str, str]], None]

log = Log("remove_resources")


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry point, called by CloudFormation, which waits for the answer at the event's URL."""
    clock = Clock(sleep=time.sleep, left=lambda: context.get_remaining_time_in_millis() / 1000)
    respond(event, AwsAccount(), clock, put)


def respond(event: Mapping[str, Any], account: Account, clock: Clock, answer: Answer) -> None:
    """Answer a request of CloudFormation; only that for a deletion does anything.

    Whatever goes wrong is answered as well: without an answer the stack would hang for an hour.
    """
    properties = event["ResourceProperties"]
    outcome = {"Status": "SUCCESS", "Reason": ""}
    if event["RequestType"] == "Delete":
        try:
            remove(properties, account, clock)
            log.info("removed", kind=properties["Kind"], name=properties["Name"])
        except Exception as error:  # noqa: BLE001 -- see above
            log.failure("not removed", error, kind=properties["Kind"], name=properties["Name"])
            outcome = {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:1000]}
    answer(
        event["ResponseURL"],
        {
            **outcome,
            # Another name is another resource: CloudFormation then has the one of the old name removed.
            "PhysicalResourceId": f"{properties['Kind']}/{properties['Name']}",
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        },
    )


def put(url: str, answer: Mapping[str, str]) -> None:
    """Write the answer to the presigned URL, which was signed without a content type."""
    request = urllib.request.Request(  # noqa: S310 -- the URL is CloudFormation's
        url, data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 -- the same
