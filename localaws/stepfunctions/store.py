"""The state machines and executions of one embedded AWS."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from localaws.service import AwsError, NotEmulated
from localaws.stepfunctions.execution import RUNNING, Execution, StateMachine

_EXECUTION_FIELDS = 8
_MACHINE_FIELDS = 7


class Store:
    """All state machines by ARN, each with its executions; guarded by `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.machines: dict[str, StateMachine] = {}

    def machine(self, arn: str) -> StateMachine:
        """The state machine with this ARN; StateMachineDoesNotExist, or InvalidArn."""
        parts = arn.split(":")
        if len(parts) < _MACHINE_FIELDS or parts[2] != "states" or parts[5] != "stateMachine":
            raise AwsError("InvalidArn", f"Invalid Arn: '{arn}' is not the ARN of a state machine")
        if len(parts) > _MACHINE_FIELDS:
            raise NotEmulated(f"a version or alias of a state machine ({arn})")
        with self.lock:
            if arn in self.machines:
                return self.machines[arn]
        raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")

    def execution(self, arn: str) -> Execution:
        """The execution with this ARN; ExecutionDoesNotExist, or InvalidArn."""
        parts = arn.split(":")
        if len(parts) != _EXECUTION_FIELDS or parts[2] != "states" or parts[5] != "execution":
            raise AwsError("InvalidArn", f"Invalid Arn: '{arn}' is not the ARN of an execution")
        machine_arn = ":".join([*parts[:5], "stateMachine", parts[6]])
        with self.lock:
            machine = self.machines.get(machine_arn)
            if machine is not None and parts[7] in machine.executions:
                return machine.executions[parts[7]]
        raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")

    def delete(self, machine: StateMachine) -> None:
        """Mark a state machine as being deleted; it goes with its last running execution."""
        with self.lock:
            machine.deleting = True
            self.tidy(machine)

    def tidy(self, machine: StateMachine) -> None:
        """Remove a state machine that is being deleted and runs nothing any more."""
        with self.lock:
            running = any(execution.status == RUNNING for execution in machine.executions.values())
            if machine.deleting and not running:
                self.machines.pop(machine.arn, None)

    def running(self) -> Iterator[Execution]:
        """Every execution that has not ended."""
        with self.lock:
            executions = [one for machine in self.machines.values() for one in machine.executions.values()]
        return (execution for execution in executions if execution.status == RUNNING)
