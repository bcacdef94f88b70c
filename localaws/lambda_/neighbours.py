"""What stands beside a function: its policy, tags, reserved concurrency, and asynchronous settings."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from typing import Any

from localaws.lambda_.destinations import check
from localaws.lambda_.function import Function
from localaws.service import AwsError, Call, NotEmulated, Params, Result, Service, operation

_EVENT_INVOKE = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


class Neighbours(Service):
    """Operations on what belongs to a function. Policies are kept and shown; nothing enforces them."""

    @abstractmethod
    def _find(self, call: Call, name: str, qualifier: str | None = None) -> Function:
        """The function of that name or ARN; raises ResourceNotFoundException."""

    @operation("AddPermission")
    def add_permission(self, call: Call, params: Params) -> Result:
        """Add a statement to the function's policy."""
        function = self._find(call, params["FunctionName"], params.get("Qualifier"))
        function.check_revision(params.get("RevisionId"))
        sid = params["StatementId"]
        if any(statement["Sid"] == sid for statement in function.statements):
            raise AwsError(
                "ResourceConflictException",
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, "
                "or remove the existing statement.",
                409,
            )
        statement = {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": _principal(params["Principal"]),
            "Action": params["Action"],
            "Resource": function.deployment.identifier.arn,
            **_conditions(params),
        }
        function.statements.append(statement)
        return {"Statement": json.dumps(statement)}

    @operation("RemovePermission")
    def remove_permission(self, call: Call, params: Params) -> Result:
        """Remove a statement from the function's policy."""
        function = self._find(call, params["FunctionName"], params.get("Qualifier"))
        function.check_revision(params.get("RevisionId"))
        kept = [one for one in function.statements if one["Sid"] != params["StatementId"]]
        if len(kept) == len(function.statements):
            raise _missing(f"Statement {params['StatementId']} is not found in resource policy.")
        function.statements = kept
        return None

    @operation("GetPolicy")
    def get_policy(self, call: Call, params: Params) -> Result:
        """The function's policy, as JSON text."""
        function = self._find(call, params["FunctionName"], params.get("Qualifier"))
        if not function.statements:
            raise _missing("The resource you requested does not exist.")
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": function.statements}
        return {"Policy": json.dumps(policy), "RevisionId": function.revision}

    @operation("PutFunctionEventInvokeConfig")
    def put_event_invoke(self, call: Call, params: Params) -> Result:
        """Set how asynchronous events are retried and reported."""
        return self._set_event_invoke(call, params, keep=False)

    @operation("UpdateFunctionEventInvokeConfig")
    def update_event_invoke(self, call: Call, params: Params) -> Result:
        """Change some of it."""
        return self._set_event_invoke(call, params, keep=True)

    @operation("GetFunctionEventInvokeConfig")
    def get_event_invoke(self, call: Call, params: Params) -> Result:
        """How asynchronous events are retried and reported."""
        function = self._find(call, params["FunctionName"], params.get("Qualifier"))
        if function.event_invoke is None:
            raise _missing(f"The function {_latest(function)} doesn't have an EventInvokeConfig")
        return _shown(function)

    @operation("DeleteFunctionEventInvokeConfig")
    def delete_event_invoke(self, call: Call, params: Params) -> Result:
        """Back to two retries and no destination."""
        function = self._find(call, params["FunctionName"], params.get("Qualifier"))
        if function.event_invoke is None:
            raise _missing(f"The function {_latest(function)} doesn't have an EventInvokeConfig")
        function.event_invoke = None
        return None

    @operation("PutFunctionConcurrency")
    def put_concurrency(self, call: Call, params: Params) -> Result:
        """Reserve concurrency: no more events than that run at once; 0 stops the function."""
        function = self._find(call, params["FunctionName"])
        function.reserved_concurrency = params["ReservedConcurrentExecutions"]
        return {"ReservedConcurrentExecutions": function.reserved_concurrency}

    @operation("GetFunctionConcurrency")
    def get_concurrency(self, call: Call, params: Params) -> Result:
        """The reserved concurrency, if any."""
        reserved = self._find(call, params["FunctionName"]).reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    @operation("DeleteFunctionConcurrency")
    def delete_concurrency(self, call: Call, params: Params) -> Result:
        """Reserve none."""
        self._find(call, params["FunctionName"]).reserved_concurrency = None
        return None

    @operation("TagResource")
    def tag_resource(self, call: Call, params: Params) -> Result:
        """Add tags to a function."""
        self._tagged(call, params).tags.update(params["Tags"])
        return None

    @operation("UntagResource")
    def untag_resource(self, call: Call, params: Params) -> Result:
        """Remove tags from a function."""
        tags = self._tagged(call, params).tags
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return None

    @operation("ListTags")
    def list_tags(self, call: Call, params: Params) -> Result:
        """A function's tags."""
        return {"Tags": self._tagged(call, params).tags}

    def _tagged(self, call: Call, params: Params) -> Function:
        if ":function:" not in params["Resource"]:
            raise NotEmulated(f"Tags of {params['Resource']}")
        return self._find(call, params["Resource"])

    def _set_event_invoke(self, call: Call, params: Params, *, keep: bool) -> Result:
        function = self._find(call, params["FunctionName"], params.get("Qualifier"))
        config = dict(function.event_invoke or {}) if keep else {}
        config.update({name: params[name] for name in _EVENT_INVOKE if name in params})
        for side in config.get("DestinationConfig", {}).values():
            if side.get("Destination"):
                check(side["Destination"])
        function.event_invoke = {**config, "LastModified": time.time()}
        return _shown(function)


def _latest(function: Function) -> str:
    return f"{function.deployment.identifier.arn}:$LATEST"


def _shown(function: Function) -> dict[str, Any]:
    return {
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
        **(function.event_invoke or {}),
        "FunctionArn": _latest(function),
    }


def _missing(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, 404)


def _principal(principal: str) -> Any:
    if principal == "*":
        return "*"
    if principal.isdigit():
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    return {"AWS": principal} if principal.startswith("arn:") else {"Service": principal}


def _conditions(params: Params) -> dict[str, Any]:
    equals = {
        key: params[name]
        for name, key in {
            "SourceAccount": "AWS:SourceAccount",
            "EventSourceToken": "lambda:EventSourceToken",
            "PrincipalOrgID": "aws:PrincipalOrgID",
            "FunctionUrlAuthType": "lambda:FunctionUrlAuthType",
        }.items()
        if name in params
    }
    conditions: dict[str, Any] = {"StringEquals": equals} if equals else {}
    if "SourceArn" in params:
        conditions["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    return {"Condition": conditions} if conditions else {}
