"""The API of Step Functions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition

from localaws.service import AwsError, Call, Handler, NotEmulated, Params, Refusal, Result, Service, operation
from localaws.stepfunctions import checks, descriptions
from localaws.stepfunctions.definition import check_definition, parse_definition
from localaws.stepfunctions.execution import RUNNING, Execution, Revision, StateMachine
from localaws.stepfunctions.executor import Executor
from localaws.stepfunctions.history import History
from localaws.stepfunctions.interpreter import Pause, Surroundings
from localaws.stepfunctions.logs import Destination, LogWriter, group_of
from localaws.stepfunctions.scope import Scope
from localaws.stepfunctions.store import Store
from localaws.stepfunctions.tasks.tokens import Tokens
from localaws.world import World

Item = TypeVar("Item")

_PAGE = 100


class StepFunctions(Service):
    """State machines and their executions; `pause` lets the time of Wait states and retries pass."""

    name: ClassVar[str] = "stepfunctions"

    def __init__(self, world: World, pause: Pause = Scope.wait) -> None:
        super().__init__(world)
        self._store = Store()
        self._tokens = Tokens()
        self._logs = LogWriter(world)
        surroundings = Surroundings(world, self._tokens, pause)
        self._executor = Executor(surroundings, lambda ended: self._store.tidy(ended.state_machine))

    def stop(self) -> None:
        """Abandon every execution."""
        for execution in self._store.running():
            execution.scope.cancel()
        self._logs.stop()

    def operations(self) -> Iterator[tuple[str, Handler]]:
        """What this service answers; every other operation of the API answers NotEmulated.

        None may fall through to moto: its state machines would be a second truth beside these.
        """
        answered = dict(super().operations())
        for name in get_service_model(self.name).operation_names:
            yield name, answered.get(name, Refusal(f"Step Functions' {name}"))

    @operation("CreateStateMachine")
    def create_state_machine(self, call: Call, params: Params) -> Result:
        """Create it, or answer the one that exists when it is the same."""
        checks.refuse_what_is_not_emulated(params)
        name = checks.checked_name(params["name"])
        revision = _revision(params)
        partition = get_partition(call.region)
        arn = f"arn:{partition}:states:{call.region}:{call.account}:stateMachine:{name}"
        tags = checks.checked_tags({}, params.get("tags", []))
        with self._store.lock:
            machine = self._store.machines.get(arn)
            if machine is None:
                machine = StateMachine(arn, name, call.account, call.region, revision, revision.updated, tags)
                self._store.machines[arn] = machine
            elif machine.deleting:
                raise AwsError("StateMachineDeleting", f"State Machine is being deleted: '{arn}'")
            elif not machine.revision.same_as(revision):
                raise AwsError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
        self.world.background(self._prepare, call, revision)
        return {"stateMachineArn": arn, "creationDate": machine.created}

    @operation("UpdateStateMachine")
    def update_state_machine(self, call: Call, params: Params) -> Result:
        """Give it a new revision; executions that run keep theirs."""
        checks.refuse_what_is_not_emulated(params)
        machine = self._store.machine(params["stateMachineArn"])
        if machine.deleting:
            raise AwsError("StateMachineDeleting", f"State Machine is being deleted: '{machine.arn}'")
        if not params.keys() - {"stateMachineArn", "publish", "versionDescription"}:
            raise AwsError("MissingRequiredParameter", "At least one thing to update must be given")
        revision = _revision({**_parameters_of(machine.revision), **params})
        machine.revision = revision
        self.world.background(self._prepare, call, revision)
        return {"updateDate": revision.updated, "revisionId": revision.revision_id}

    def _prepare(self, call: Call, revision: Revision) -> None:
        """Make the clients that the machine's tasks will need, so that its first run need not."""
        for task in revision.machine.tasks():
            task.prepare(self.world, call.account, call.region)

    @operation("DeleteStateMachine")
    def delete_state_machine(self, _call: Call, params: Params) -> Result:
        """Delete it; its executions end at their next transition. One that is gone already is no error."""
        try:
            self._store.delete(self._store.machine(params["stateMachineArn"]))
        except AwsError as error:
            if error.code != "StateMachineDoesNotExist":
                raise
        return {}

    @operation("DescribeStateMachine")
    def describe_state_machine(self, _call: Call, params: Params) -> Result:
        """Its newest revision."""
        found = descriptions.state_machine(self._store.machine(params["stateMachineArn"]))
        return descriptions.with_data(found, params.get("includedData"))

    @operation("DescribeStateMachineForExecution")
    def describe_state_machine_for_execution(self, _call: Call, params: Params) -> Result:
        """The revision that an execution began with."""
        found = descriptions.state_machine_of(self._store.execution(params["executionArn"]))
        return descriptions.with_data(found, params.get("includedData"))

    @operation("ListStateMachines")
    def list_state_machines(self, call: Call, params: Params) -> Result:
        """Those of the caller's account and region, by name."""
        with self._store.lock:
            every = sorted(self._store.machines.values(), key=lambda machine: machine.name)
        own = [
            machine for machine in every if (machine.account, machine.region) == (call.account, call.region)
        ]
        page, token = _page(own, [machine.name for machine in own], params)
        return {"stateMachines": [descriptions.state_machine_item(machine) for machine in page], **token}

    @operation("ValidateStateMachineDefinition")
    def validate_state_machine_definition(self, _call: Call, params: Params) -> Result:
        """What CreateStateMachine would say of a definition."""
        _, problems = check_definition(params["definition"])
        limit = params.get("maxResults") or _PAGE
        diagnostics = [
            {"severity": "ERROR", "code": problem.code, "message": problem.reason, "location": problem.place}
            for problem in problems
        ]
        return {
            "result": "FAIL" if problems else "OK",
            "diagnostics": diagnostics[:limit],
            "truncated": len(diagnostics) > limit,
        }

    @operation("StartExecution")
    def start_execution(self, _call: Call, params: Params) -> Result:
        """Start it; the same name and input as one that runs is that one."""
        machine = self._store.machine(params["stateMachineArn"])
        text = params.get("input", "{}")
        data = checks.parsed_input(text)
        name = checks.checked_name(params.get("name") or str(uuid.uuid4()))
        with self._store.lock:
            if machine.deleting:
                raise AwsError("StateMachineDeleting", f"State Machine is being deleted: '{machine.arn}'")
            known = machine.executions.get(name)
            if known is None:
                execution = self._new_execution(machine, name, data, text)
                machine.executions[name] = execution
        if known is None:
            self._executor.start(execution)
        elif known.status == RUNNING and known.input_text == text:
            execution = known
        else:
            raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{known.arn}'")
        return {"executionArn": execution.arn, "startDate": execution.started}

    def _new_execution(self, machine: StateMachine, name: str, data: Any, text: str) -> Execution:
        arn = machine.arn.replace(":stateMachine:", ":execution:") + f":{name}"
        history = History()
        group = group_of(machine.revision.logging)
        if group is not None:
            stream = f"states/{machine.name}/{datetime.now(UTC):%Y-%m-%d-%H-%M}/{uuid.uuid4().hex[:8]}"
            where = Destination(machine.account, machine.region, group, stream)
            history.on_event = self._logs.listener(machine.revision.logging, where, arn)
        return Execution(arn, name, machine, machine.revision, data, text, history)

    @operation("StopExecution")
    def stop_execution(self, _call: Call, params: Params) -> Result:
        """Abort it, with the jobs that it waits for."""
        execution = self._store.execution(params["executionArn"])
        if execution.status == RUNNING:
            self._executor.stop(execution, params.get("error"), params.get("cause"))
        return {"stopDate": execution.stopped or datetime.now(UTC)}

    @operation("DescribeExecution")
    def describe_execution(self, _call: Call, params: Params) -> Result:
        """Its status, input, output or error, and times."""
        found = descriptions.execution(self._store.execution(params["executionArn"]))
        return descriptions.with_data(found, params.get("includedData"))

    @operation("ListExecutions")
    def list_executions(self, _call: Call, params: Params) -> Result:
        """Those of one state machine, newest first."""
        if "stateMachineArn" not in params:
            raise NotEmulated("ListExecutions by mapRunArn")
        machine = self._store.machine(params["stateMachineArn"])
        wanted = params.get("statusFilter")
        with self._store.lock:
            every = reversed(list(machine.executions.values()))
        found = [execution for execution in every if wanted in (None, execution.status)]
        page, token = _page(found, [execution.name for execution in found], params)
        return {"executions": [descriptions.execution_item(execution) for execution in page], **token}

    @operation("GetExecutionHistory")
    def get_execution_history(self, _call: Call, params: Params) -> Result:
        """Its events, in order or in reverse."""
        events = list(self._store.execution(params["executionArn"]).history.events)
        if params.get("reverseOrder"):
            events.reverse()
        page, token = _page(events, [str(event["id"]) for event in events], params)
        with_data = params.get("includeExecutionData", True)
        return {"events": [descriptions.event(event, with_data=with_data) for event in page], **token}

    @operation("SendTaskSuccess")
    def send_task_success(self, _call: Call, params: Params) -> Result:
        """Give a waiting task its result."""
        self._tokens.succeed(params["taskToken"], params["output"])
        return {}

    @operation("SendTaskFailure")
    def send_task_failure(self, _call: Call, params: Params) -> Result:
        """Make a waiting task fail."""
        self._tokens.fail(params["taskToken"], params.get("error", ""), params.get("cause", ""))
        return {}

    @operation("SendTaskHeartbeat")
    def send_task_heartbeat(self, _call: Call, params: Params) -> Result:
        """Say that a task's work goes on."""
        self._tokens.beat(params["taskToken"])
        return {}

    @operation("TagResource")
    def tag_resource(self, _call: Call, params: Params) -> Result:
        """Tag a state machine."""
        machine = self._tagged(params)
        machine.tags = checks.checked_tags(machine.tags, params["tags"])
        return {}

    @operation("UntagResource")
    def untag_resource(self, _call: Call, params: Params) -> Result:
        """Take tags off a state machine."""
        machine = self._tagged(params)
        machine.tags = {key: value for key, value in machine.tags.items() if key not in params["tagKeys"]}
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, _call: Call, params: Params) -> Result:
        """The tags of a state machine."""
        tags = self._tagged(params).tags
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def _tagged(self, params: Params) -> StateMachine:
        try:
            return self._store.machine(params["resourceArn"])
        except AwsError as error:
            if error.code == "StateMachineDoesNotExist":
                raise AwsError(
                    "ResourceNotFound", f"Resource not found: '{params['resourceArn']}'"
                ) from error
            raise


def _revision(params: Params) -> Revision:
    """The revision that the parameters of Create or UpdateStateMachine describe."""
    return Revision(
        machine=parse_definition(params["definition"]),
        definition=params["definition"],
        role_arn=params["roleArn"],
        logging=checks.checked_logging(params.get("loggingConfiguration", {"level": "OFF"})),
        tracing=params.get("tracingConfiguration", {"enabled": False}),
        encryption=params.get("encryptionConfiguration", {"type": "AWS_OWNED_KEY"}),
        revision_id=str(uuid.uuid4()),
        updated=datetime.now(UTC),
    )


def _parameters_of(revision: Revision) -> Params:
    return {
        "definition": revision.definition,
        "roleArn": revision.role_arn,
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        "encryptionConfiguration": revision.encryption,
    }


def _page(
    items: Sequence[Item], keys: Sequence[str], params: Params
) -> tuple[Sequence[Item], dict[str, str]]:
    """The items after the one whose key is the token, and the token of the next page where there is one."""
    token = params.get("nextToken")
    if token is not None and token not in keys:
        raise AwsError("InvalidToken", f"Invalid Token: '{token}'")
    start = 0 if token is None else keys.index(token) + 1
    end = start + (params.get("maxResults") or _PAGE)
    return items[start:end], {"nextToken": keys[end - 1]} if end < len(items) else {}
