"""One production variant's server: a process that answers /ping and /invocations, kept alive until ended."""

from __future__ import annotations

import http.client
import logging
import queue
import shutil
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from localaws.sagemaker import s3
from localaws.sagemaker.environments import BuildFailed, Stopped
from localaws.sagemaker.images import Program
from localaws.sagemaker.logs import LogStream
from localaws.sagemaker.models import Served
from localaws.sagemaker.process import Container, base_environment
from localaws.sagemaker.site import Site
from localaws.service import Call

log = logging.getLogger("localaws.sagemaker")

_PING_SECONDS = 2.0
_PING_INTERVAL_SECONDS = 0.02
_INVOCATION_SECONDS = 60.0
_TERMINATE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 10.0
_TAIL_CHARS = 600


class ServerFailed(Exception):
    """The server did not come up; the message is a FailureReason."""


class Unreachable(Exception):
    """The server did not answer a request: it is being restarted, or takes too long."""


@dataclass(frozen=True)
class Answer:
    """What the container answered."""

    status: int
    body: bytes
    content_type: str | None
    custom_attributes: str | None


@dataclass(frozen=True)
class Place:
    """Where a server belongs: who owns it, which variant it is, its folder, its log."""

    call: Call
    variant: str
    folder: Path
    log: LogStream
    startup_seconds: float
    instance_type: str
    ended: threading.Event = field(default_factory=threading.Event)
    """Set once nobody wants the server any more, even while it is being started."""


class ModelServer:
    """A model's server process, and the connections to it."""

    def __init__(self, site: Site, place: Place) -> None:
        self._site = site
        self._place = place
        self._ended = place.ended
        self._container: Container | None = None
        self._port = 0
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue()

    def start(self, served: Served) -> None:
        """Fetch the model, build its environment, start the process, wait until it answers /ping.

        Raises:
            ServerFailed: one of these failed.
        """
        try:
            code = self._fetch(served)
            program = served.image.serving(code, self._place.instance_type)
            if program.note is not None:
                self._place.log.write(program.note)
            python = self._site.environments.python(program.requirements, self._place.log.write, self._ended)
        except s3.S3Problem as error:
            raise ServerFailed(f"Failed to download model data: {error}") from error
        except BuildFailed as error:
            raise ServerFailed(f"The environment of {self._whose()} could not be built: {error}") from error
        except Stopped as error:
            raise ServerFailed("The endpoint was stopped while it was being created.") from error
        environment = {
            **base_environment(),
            **self._site.world.environment(self._place.call.account, self._place.call.region),
            **served.environment,
            **program.variables,
            "SAGEMAKER_REGION": self._place.call.region,
        }
        start = partial(self._launch, python, program, environment)
        start()
        name = f"keep-{self._place.variant}"
        threading.Thread(target=self._keep_alive, args=(start,), name=name, daemon=True).start()

    def _fetch(self, served: Served) -> Path:
        """Bring model and code; the folder of the code."""
        client = self._site.world.client("s3", self._place.call.account, self._place.call.region)
        model, code = self._place.folder / "model", self._place.folder / "code"
        model.mkdir(parents=True, exist_ok=True)
        if served.model_data is not None:
            s3.unpack(client, s3.Location.parse(served.model_data), model)
        directory = served.environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        if not directory.startswith("s3://"):
            return model / "code"
        s3.unpack(client, s3.Location.parse(directory), code)
        return code

    def _launch(self, python: Path, program: Program, environment: Mapping[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        variables = {
            **environment,
            "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
            "SAGEMAKER_BIND_TO_PORT": str(self._port),
        }
        container = Container(
            python, program.entry, self._place.folder, variables, self._place.log.write, program.arguments
        )
        self._container = container
        deadline = time.monotonic() + self._place.startup_seconds
        while not self._ping():
            ended = container.wait(_PING_INTERVAL_SECONDS) is not None
            if ended or self._ended.is_set() or time.monotonic() > deadline:
                container.kill()
                raise ServerFailed(self._no_ping())
        if self._ended.is_set():
            container.kill()
            raise ServerFailed("The endpoint was stopped while its server was being started.")

    def _ping(self) -> bool:
        try:
            return self._send("GET", "/ping", b"", {}, _PING_SECONDS).status == http.client.OK
        except Unreachable:
            return False

    def _whose(self) -> str:
        return f"the primary container for production variant {self._place.variant}"

    def _no_ping(self) -> str:
        tail = "\n".join(self._place.log.tail)[-_TAIL_CHARS:]
        return (
            f"The primary container for production variant {self._place.variant} did not pass the ping "
            f"health check. Please check CloudWatch logs for this endpoint. Its log ends with:\n{tail}"
        )

    def _keep_alive(self, start: Callable[[], None]) -> None:
        """Start the process again whenever it ends unasked."""
        pause = 0.1
        while not self._ended.is_set() and self._container is not None:
            started = time.monotonic()
            code = self._container.wait()
            if self._ended.wait(pause if time.monotonic() - started < _LONGEST_PAUSE_SECONDS else 0):
                return
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self._place.log.write(f"localaws: the server ended with code {code}; starting it again")
            try:
                start()
            except ServerFailed as error:
                log.warning("%s", error)

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST to /invocations; raises Unreachable where no answer comes within 60 seconds."""
        return self._send("POST", "/invocations", body, headers, _INVOCATION_SECONDS)

    def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> Answer:
        connection, used = self._connection(seconds)
        try:
            try:
                connection.request(method, path, body, dict(headers))
                response = connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()
                if not used:
                    raise
                # A kept connection dies with a restarted server: a new one tells whether that is all.
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds)
                connection.request(method, path, body, dict(headers))
                response = connection.getresponse()
            answer = Answer(
                response.status,
                response.read(),
                response.headers.get("Content-Type"),
                response.headers.get("X-Amzn-SageMaker-Custom-Attributes"),
            )
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        self._idle.put(connection)
        return answer

    def _connection(self, seconds: float) -> tuple[http.client.HTTPConnection, bool]:
        """A connection to the present process, and whether it has been used before."""
        while not self._idle.empty():
            connection = self._idle.get()
            if connection.port == self._port and connection.sock is not None:
                connection.sock.settimeout(seconds)
                return connection, True
            connection.close()
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds), False

    def end(self, *, at_once: bool = False) -> None:
        """Stop the process and forget its folder."""
        self._ended.set()
        container = self._container
        if container is not None:
            if not at_once:
                container.terminate()
                container.wait(_TERMINATE_SECONDS)
            container.kill()
        while not self._idle.empty():
            self._idle.get().close()
        self._site.logs.close(self._place.log)
        shutil.rmtree(self._place.folder, ignore_errors=True)
