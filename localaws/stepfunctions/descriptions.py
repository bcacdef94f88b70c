"""What the API tells of state machines, executions and their history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.stepfunctions.execution import RUNNING, Execution, Revision, StateMachine
from localaws.stepfunctions.history import details_key

_INCLUDED = {"included": True}
_SENSITIVE = frozenset({"definition", "input", "output", "error", "cause"})
_PAYLOADS = frozenset({"input", "inputDetails", "output", "outputDetails"})


def with_data(described: dict[str, Any], included: str | None) -> dict[str, Any]:
    """A description, or what the caller's `includedData` METADATA_ONLY leaves of it."""
    if included != "METADATA_ONLY":
        return described
    return {
        name: {"included": False} if name in ("inputDetails", "outputDetails") else value
        for name, value in described.items()
        if name not in _SENSITIVE
    }


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _of_revision(revision: Revision) -> dict[str, Any]:
    return {
        "definition": revision.definition,
        "roleArn": revision.role_arn,
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        "encryptionConfiguration": revision.encryption,
        "revisionId": revision.revision_id,
    }


def state_machine(machine: StateMachine) -> dict[str, Any]:
    """What DescribeStateMachine answers."""
    return {
        **state_machine_item(machine),
        "status": "DELETING" if machine.deleting else "ACTIVE",
        **_of_revision(machine.revision),
    }


def state_machine_item(machine: StateMachine) -> dict[str, Any]:
    """What ListStateMachines tells of one."""
    return {
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "type": "STANDARD",
        "creationDate": machine.created,
    }


def state_machine_of(execution: Execution) -> dict[str, Any]:
    """What DescribeStateMachineForExecution answers: the machine as the execution began with it."""
    machine = execution.state_machine
    return {
        "stateMachineArn": machine.arn,
        "name": machine.name,
        **_of_revision(execution.revision),
        "updateDate": execution.revision.updated,
    }


def execution_item(execution: Execution) -> dict[str, Any]:
    """What ListExecutions tells of one."""
    return _present(
        {
            "executionArn": execution.arn,
            "stateMachineArn": execution.state_machine.arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": execution.started,
            "stopDate": execution.stopped,
            "redriveCount": 0,
        }
    )


def execution(execution: Execution) -> dict[str, Any]:
    """What DescribeExecution answers."""
    running = execution.status == RUNNING
    reason = "Execution is RUNNING and cannot be redriven" if running else "Redrive is not emulated"
    return _present(
        {
            **execution_item(execution),
            "input": execution.input_text,
            "inputDetails": _INCLUDED,
            "output": execution.output,
            "outputDetails": None if execution.output is None else _INCLUDED,
            "error": execution.error,
            "cause": execution.cause,
            "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": reason,
        }
    )


def event(event: Mapping[str, Any], *, with_data: bool) -> Mapping[str, Any]:
    """What GetExecutionHistory tells of one event."""
    key = details_key(event["type"])
    if with_data or key not in event:
        return event
    return {**event, key: {name: value for name, value in event[key].items() if name not in _PAYLOADS}}
