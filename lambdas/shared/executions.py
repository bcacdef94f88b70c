"""Executions of state machines that are started once, however often they are asked for."""

from __future__ import annotations

from lambdas.shared.clients import client


def start_once(machine: str, name: str, execution_input: str) -> bool:
    """Start an execution; False when it was started before, since Step Functions takes a name only once.

    `machine` is the state machine's ARN, `execution_input` a JSON text.
    """
    states = client("stepfunctions")
    try:
        states.start_execution(stateMachineArn=machine, name=name, input=execution_input)
    except states.exceptions.ExecutionAlreadyExists:
        return False
    return True
