"""The operations of AWS Lambda that the embedded AWS answers; the others answer NotEmulated by name."""

from __future__ import annotations

import base64
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar
from weakref import WeakSet

from moto.core.utils import get_service_model

from localaws.lambda_.code import CodeStore
from localaws.lambda_.function import Deployment, Function, Identifier, check_name, checked_settings
from localaws.lambda_.neighbours import Neighbours
from localaws.lambda_.pool import Pool
from localaws.lambda_.queue import AsyncQueue
from localaws.lambda_.runtime import Runtimes
from localaws.lambda_.sandbox import Event, Outcome, Sandbox
from localaws.service import AwsError, Call, Handler, NotEmulated, Params, Refusal, Result, operation
from localaws.timer import Timer
from localaws.world import World

IDLE_SECONDS = 60.0
"""How long a worker is kept warm (AWS keeps it for minutes; here it takes memory of the laptop)."""
ACCOUNT_CONCURRENCY = 100
"""Events that run at once in an account (AWS: 1,000), of which 0 must stay unreserved."""
_MAX_PAYLOAD = {"RequestResponse": 6_291_456, "Event": 1_048_576}


class Lambda(Neighbours):
    """Functions, their code and their invocation; what stands beside a function is in `Neighbours`."""

    name: ClassVar[str] = "lambda"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._root = world.data / "lambda"
        # Functions live in memory: code of an earlier server belongs to nobody.
        shutil.rmtree(self._root, ignore_errors=True)
        self._root.mkdir(parents=True)
        self._code = CodeStore(world, self._root / "code")
        self._runtimes = Runtimes(self._root)
        self._functions: dict[Identifier, Function] = {}
        # Those of earlier code and of deleted functions as well, as long as events run in them.
        self._pools: WeakSet[Pool] = WeakSet()
        self._lock = threading.Lock()
        self._queue = AsyncQueue(world, self.run)
        self._timer = Timer("lambda-reaper", world.background)

    def start(self) -> None:
        """Begin to reap idle workers."""
        self._timer.after(IDLE_SECONDS / 2, self._reap)

    def stop(self) -> None:
        """Kill every worker; events in flight fail, queued ones are forgotten."""
        self._timer.stop()
        with self._lock:
            pools = list(self._pools)
        for pool in pools:
            pool.kill()
        self._queue.stop()

    def operations(self) -> Iterator[tuple[str, Handler]]:
        """Each operation of Lambda: nothing of it is left to moto, which would want Docker."""
        ours = dict(super().operations())
        for name in get_service_model("lambda").operation_names:
            yield name, ours.get(name) or Refusal(f"Lambda's {name}")

    @operation("CreateFunction")
    def create_function(self, call: Call, params: Params) -> Result:
        """Store the code and settings; the function is Active at once."""
        identifier = Identifier.parse(call, params["FunctionName"])
        check_name(identifier.name)
        if params.get("Publish"):
            raise NotEmulated("Publishing a version of a Lambda function")
        settings = checked_settings(params)
        self._runtimes.command(settings["Runtime"])
        self._refuse_existing(identifier)
        deployment = Deployment(identifier, settings, self._code.fetch(call, params["Code"]))
        function = Function(deployment, self._pool(deployment), tags=params.get("Tags", {}))
        with self._lock:
            self._refuse_existing(identifier)
            self._functions[identifier] = function
        return function.describe()

    @operation("UpdateFunctionCode")
    def update_function_code(self, call: Call, params: Params) -> Result:
        """Replace the code; warm workers of the old one end after their event."""
        function = self._find(call, params["FunctionName"])
        function.check_revision(params.get("RevisionId"))
        if params.get("Publish"):
            raise NotEmulated("Publishing a version of a Lambda function")
        code = self._code.fetch(call, params)
        settings = function.deployment.settings
        if "Architectures" in params:
            settings = {**settings, "Architectures": params["Architectures"]}
        deployment = replace(function.deployment, code=code, settings=settings)
        if params.get("DryRun"):
            return replace(function, deployment=deployment).describe()
        function.replace(deployment, self._pool(deployment))
        return function.describe()

    @operation("UpdateFunctionConfiguration")
    def update_function_configuration(self, call: Call, params: Params) -> Result:
        """Replace the settings that the request names."""
        function = self._find(call, params["FunctionName"])
        function.check_revision(params.get("RevisionId"))
        settings = checked_settings(params, function.deployment.settings)
        self._runtimes.command(settings["Runtime"])
        deployment = replace(function.deployment, settings=settings)
        function.replace(deployment, self._pool(deployment))
        return function.describe()

    @operation("GetFunction")
    def get_function(self, call: Call, params: Params) -> Result:
        """Settings, tags, and where the zip lies (a file URL, where AWS gives one of S3)."""
        function = self._find(call, params["FunctionName"], params.get("Qualifier"))
        reserved = function.reserved_concurrency
        return {
            "Configuration": function.describe(),
            "Code": {"RepositoryType": "S3", "Location": function.deployment.code.archive.as_uri()},
            "Tags": function.tags,
            **({"Concurrency": {"ReservedConcurrentExecutions": reserved}} if reserved is not None else {}),
        }

    @operation("GetFunctionConfiguration")
    def get_function_configuration(self, call: Call, params: Params) -> Result:
        """Settings only."""
        return self._find(call, params["FunctionName"], params.get("Qualifier")).describe()

    @operation("ListFunctions")
    def list_functions(self, call: Call, params: Params) -> Result:
        """The account's functions in the region, by name, at most MaxItems (50) at a time."""
        mine = sorted(
            (function.deployment.identifier.name, function)
            for function in list(self._functions.values())
            if (function.deployment.identifier.account, function.deployment.identifier.region)
            == (call.account, call.region)
        )
        first = int(params.get("Marker", "0"))
        last = first + min(params.get("MaxItems", 50), 50)
        shown = [function.describe() for _, function in mine[first:last]]
        return {"Functions": shown, **({"NextMarker": str(last)} if last < len(mine) else {})}

    @operation("DeleteFunction")
    def delete_function(self, call: Call, params: Params) -> Result:
        """Forget the function; events that run are let finish."""
        function = self._find(call, params["FunctionName"], params.get("Qualifier"))
        with self._lock:
            self._functions.pop(function.deployment.identifier, None)
        function.pool.retire()
        return None

    @operation("Invoke")
    def invoke(self, call: Call, params: Params) -> Result:
        """Run one event and wait for it (RequestResponse), queue it (Event), or only check (DryRun)."""
        function = self._find(call, params["FunctionName"], params.get("Qualifier"))
        how = params.get("InvocationType", "RequestResponse")
        payload = _checked_payload(params.get("Payload"), how)
        if how == "DryRun":
            return {"StatusCode": 204}
        context = params.get("ClientContext")
        event = Event(
            payload,
            function.deployment.identifier.arn,
            json.loads(base64.b64decode(context)) if context else None,
        )
        if how == "Event":
            self._queue.accept(function, event)
            return {"StatusCode": 202}
        outcome = self.run(function, event)
        return {
            "StatusCode": 200,
            "ExecutedVersion": "$LATEST",
            "Payload": outcome.payload,
            **({"FunctionError": "Unhandled"} if outcome.failed else {}),
            **(
                {"LogResult": base64.b64encode(outcome.log_tail).decode()}
                if params.get("LogType") == "Tail"
                else {}
            ),
        }

    def run(self, function: Function, event: Event) -> Outcome:
        """Run one event in a worker of its own for that long; raises TooManyRequestsException."""
        with self._slot(function):
            pool = function.pool
            sandbox = pool.acquire()
            try:
                return sandbox.run(event)
            finally:
                pool.release(sandbox)

    @contextmanager
    def _slot(self, function: Function) -> Iterator[None]:
        """One of the events that may run at once."""
        account = function.deployment.identifier.account
        with self._lock:
            running = sum(other.in_flight for key, other in self._functions.items() if key.account == account)
            reserved = function.reserved_concurrency
            if reserved is not None and function.in_flight >= reserved:
                raise _throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
            if reserved is None and running >= ACCOUNT_CONCURRENCY:
                raise _throttled("ConcurrentInvocationLimitExceeded")
            function.in_flight += 1
        try:
            yield
        finally:
            with self._lock:
                function.in_flight -= 1

    def _find(self, call: Call, name: str, qualifier: str | None = None) -> Function:
        identifier = Identifier.parse(call, name, qualifier)
        function = self._functions.get(identifier)
        if function is None:
            raise AwsError("ResourceNotFoundException", f"Function not found: {identifier.arn}", 404)
        return function

    def _refuse_existing(self, identifier: Identifier) -> None:
        if identifier in self._functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {identifier.name}", 409)

    def _pool(self, deployment: Deployment) -> Pool:
        identifier, runtime = deployment.identifier, deployment.settings["Runtime"]

        def launch() -> Sandbox:
            environment = {
                **self._runtimes.environment(runtime),
                **deployment.settings.get("Environment", {}).get("Variables", {}),
                **self.world.environment(identifier.account, identifier.region),
            }
            return Sandbox(deployment, self._runtimes.command(runtime), environment, self._root / "tmp")

        pool = Pool(launch)
        with self._lock:
            self._pools.add(pool)
        return pool

    def _reap(self) -> None:
        for function in list(self._functions.values()):
            function.pool.reap(IDLE_SECONDS)
        self._timer.after(IDLE_SECONDS / 2, self._reap)


def _throttled(reason: str) -> AwsError:
    error = AwsError("TooManyRequestsException", "Rate Exceeded.", 429)
    error.Reason = reason  # type: ignore[attr-defined]  # a member of the modelled error
    return error


def _checked_payload(payload: bytes | None, how: str) -> bytes:
    if not payload:
        return b"{}"
    limit = _MAX_PAYLOAD.get(how)
    if limit is not None and len(payload) > limit:
        raise AwsError(
            "RequestTooLargeException",
            f"{len(payload)} byte payload is too large for the {how} invocation type (limit {limit} bytes)",
            413,
        )
    try:
        json.loads(payload)
    except ValueError as error:
        raise AwsError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {error}",
        ) from error
    return bytes(payload)
